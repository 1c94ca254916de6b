"""Compare two runs before their WERs are subtracted: recorded settings field by field, and the rows they were run on.

A setting that one side did not record is unknown, which is neither equal nor different. A record with a fingerprint was
written by the runner and is complete: a missing generation argument has the default of `generate`. In a record without
one, which was written by hand, a missing key is unknown. The adapter itself and the weights of a tuned checkpoint are
what the study tests, so they are not compared.

Values may come from two tools, so they are compared by their meaning: `1`, `1.0` and `"1"` are one number, a tuple
equals a list, and an entry of None equals a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lora.records.base import Fact
from lora.records.parity import DifferingRows, ParityFacts, ReferenceDifference, Rescored, SettingDifference
from lora.records.scores import WerFacts
from lora.records.settings import ModelIdentity, RunSettings
from lora.records.transcripts import Transcript
from lora.scoring.rescoring import same_text

# Arguments of `generate` in which order and repetition mean nothing, and one value is a list of one.
SETS = {"suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "eos_token_id"}


class NotRecorded:
    """The value of a setting that nobody recorded; never equal to anything."""


UNKNOWN = NotRecorded()


class Pair(NamedTuple):
    """A setting's two values; UNKNOWN where it was not recorded."""

    baseline: Any
    candidate: Any

    @property
    def known(self) -> bool:
        return not any(isinstance(value, NotRecorded) for value in self)


class Compared(NamedTuple):
    field: str
    baseline: Any
    candidate: Any
    same: bool | None
    code: str


def compare_settings(
    run: str,
    baseline_settings: Sequence[RunSettings],
    tuned_settings: Sequence[RunSettings],
    baseline_wer: Sequence[WerFacts],
    tuned_wer: Sequence[WerFacts],
    rows: Sequence[DifferingRows | None] = (),
    rescored: Sequence[Rescored | None] = (),
    decode_defaults: Mapping[str, Any] | None = None,
) -> ParityFacts:
    """Compare a candidate with the baseline on every manifest.

    Args:
        run: Name of the candidate.
        baseline_settings, tuned_settings, baseline_wer, tuned_wer: One record per manifest, in the same order.
        rows, rescored: Results of `differing_rows` and `rescored`, in the same order; may be left out.
        decode_defaults: Defaults of `generate`, for arguments that a runner's record does not mention.

    Returns:
        The differences of all manifests that can be compared; `impossible` where none can. A run that could not be
        scored because its rows differ has its settings compared all the same.
    """
    differences: list[SettingDifference] = []
    impossible: list[Fact] = []
    rows_by_manifest = list(rows) or [None] * len(baseline_wer)
    for base, tuned, base_score, tuned_score, differing in zip(
        baseline_settings, tuned_settings, baseline_wer, tuned_wer, rows_by_manifest, strict=True
    ):
        failed = [fact for fact in (base, tuned, base_score, tuned_score) if _cannot_be_compared(fact)]
        if failed:
            impossible += failed
            continue
        fields = [
            *_settings(base, tuned, decode_defaults or {}),
            *_scoring(base_score, tuned_score, differing),
            *_rows(differing),
        ]
        differences += [SettingDifference(manifest=base_score.manifest, **field._asdict()) for field in fields]
    if impossible and not differences:
        first = impossible[0]
        return ParityFacts(run=run, status="impossible", code=first.code, message=first.message)
    return ParityFacts(
        run=run,
        settings=differences,
        rows=[manifest_rows for manifest_rows in rows if manifest_rows is not None],
        rescored=[scores for scores in rescored if scores is not None],
    )


def _cannot_be_compared(fact: Fact) -> bool:
    scored_in_part = isinstance(fact, WerFacts) and fact.code == "parity.manifest"
    return fact.status == "impossible" and not scored_in_part


def differing_rows(
    manifest: str,
    before: Mapping[str, Transcript],
    after: Mapping[str, Transcript],
    settings: tuple[RunSettings, RunSettings],
) -> DifferingRows | None:
    """Compare the ids, references and recorded content of the baseline's rows (`before`) and a candidate's (`after`).

    Returns:
        None where no row is known to differ, or a run is impossible.
    """
    if any(record.status == "impossible" for record in settings):
        return None
    missing = sorted(name for name in before if name not in after)
    extra = sorted(name for name in after if name not in before)
    different = [name for name in before if name in after and before[name].run_reference != after[name].run_reference]
    rewritten = [
        ReferenceDifference(id=name, baseline=before[name].run_reference, candidate=after[name].run_reference)
        for name in sorted(different)
    ]
    texts = [pair for pair in rewritten if not same_text(pair.baseline, pair.candidate)]
    hashes = [record.manifest.content_hash if record.manifest else None for record in settings]
    other_content = None not in hashes and hashes[0] != hashes[1]
    if not (missing or extra or texts or other_content):
        return None
    return DifferingRows(
        manifest=manifest,
        missing_ids=missing,
        extra_ids=extra,
        different_references=texts,
        style_only=len(rewritten) - len(texts),
        different_audio=other_content and not (missing or extra or rewritten),
    )


def _settings(base: RunSettings, tuned: RunSettings, defaults: Mapping[str, Any]) -> Iterator[Compared]:
    for field in ("rows", "content_hash"):
        rows = Pair(*(_known(getattr(record.manifest, field, None)) for record in (base, tuned)))
        yield _compared(f"manifest.{field}", rows, _same_value(rows), "parity.manifest")
    yield from _model(base, tuned)
    for key, pair in _keys(base.preprocess, tuned.preprocess):
        code = "parity.padding" if key.startswith("padding") else "parity.preprocessing"
        yield _compared(_named("preprocess", key), pair, _same_value(pair), code)
    for key, pair in _keys(_effective(base, tuned, defaults), _effective(tuned, base, defaults)):
        yield _compared(_named("decode", key), pair, _same_decode(key, pair), "parity.decode")
    for key, pair in _keys(*_devices(base, tuned)):
        yield _compared(_named("device", key), pair, _same_value(pair), "parity.software")
    for key, pair in _keys(base.software, tuned.software):
        yield _compared(_named("software", key), pair, _same_version(pair), "parity.software")


def _model(base: RunSettings, tuned: RunSettings) -> Iterator[Compared]:
    """Compare models by the hash of all files; a tuned checkpoint, whose weights are under test, by its family only.

    Other files without an adapter are such a checkpoint where the runner recorded that there was none. Where a person
    left that open, it may be another base model as well, so it stays unknown which of the two it is.
    """
    same = _same_value(Pair(*(_known(record.model.hash if record.model else None) for record in (base, tuned))))
    if tuned.adapter is None and same is False:
        families = Pair(*(_known((record.model.family or None) if record.model else None) for record in (base, tuned)))
        same_family = _same_value(families)
        if tuned.fingerprint is not None or same_family is False:
            yield _compared("model.family", families, same_family, "parity.base_model")
            return
        same = None
    yield _compared("model", Pair(_model_name(base.model), _model_name(tuned.model)), same, "parity.base_model")


def _model_name(model: ModelIdentity | None) -> str | None:
    if model is None:
        return None
    revision = f" at {model.revision}" if model.revision else ""
    return f"{model.id}{revision} ({model.hash[:12]})"


def _effective(run: RunSettings, other: RunSettings, defaults: Mapping[str, Any]) -> dict[str, Any] | None:
    """Generation arguments after defaults, for every key of either run; one of None has its default."""
    if run.decode is None:
        return None
    keys = {*run.decode, *(other.decode or {})} if run.fingerprint is not None else {*run.decode}
    values = {key: run.decode.get(key) for key in keys}
    return {key: defaults.get(key) if value is None else value for key, value in values.items()}


def _devices(base: RunSettings, tuned: RunSettings) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """Leave the number of threads out where either run used another device than a CPU."""
    if any(record.device and record.device.get("type", "cpu") != "cpu" for record in (base, tuned)):
        return _without_threads(base.device), _without_threads(tuned.device)
    return base.device, tuned.device


def _without_threads(device: dict[str, str] | None) -> dict[str, str] | None:
    return None if device is None else {key: value for key, value in device.items() if key != "threads"}


def _scoring(base: WerFacts, tuned: WerFacts, rows: DifferingRows | None) -> Iterator[Compared]:
    """Compare how the runs were scored; scored utterances are left out where `rows` lists the ids that differ."""
    for field in ("name", "version"):
        names = Pair(getattr(base.normalizer, field), getattr(tuned.normalizer, field))
        yield _compared(f"normalizer.{field}", names, names.baseline == names.candidate, "parity.normalization")
    limits = Pair(base.max_seconds, tuned.max_seconds)
    yield _compared("scored.max_seconds", limits, limits.baseline == limits.candidate, "parity.manifest")
    known = "impossible" not in {base.status, tuned.status}
    if not known and rows is not None and (rows.missing_ids or rows.extra_ids):
        return
    ids = [{row.id for row in wer.utterances} for wer in (base, tuned)]
    counts = Pair(len(ids[0]), len(ids[1])) if known else Pair(UNKNOWN, UNKNOWN)
    yield _compared("scored.utterances", counts, ids[0] == ids[1] if known else None, "parity.manifest")


def _rows(rows: DifferingRows | None) -> Iterator[Compared]:
    """Yield how many ids only one run has, and the first reference that differs."""
    if rows is not None and (rows.missing_ids or rows.extra_ids):
        unshared = Pair(len(rows.missing_ids), len(rows.extra_ids))
        yield _compared("manifest.unshared_ids", unshared, False, "parity.manifest")
    if rows is not None and rows.different_references:
        first = rows.different_references[0]
        yield _compared("manifest.references", Pair(first.baseline, first.candidate), False, "parity.manifest")


def _keys(base: Mapping[str, Any] | None, tuned: Mapping[str, Any] | None) -> Iterator[tuple[str, Pair]]:
    """Yield (key, values) for every key of a section; one pair with an empty key where a section is unknown."""
    if base is None or tuned is None:
        yield "", Pair(*(UNKNOWN if section is None else dict(section) for section in (base, tuned)))
        return
    for key in sorted({*base, *tuned}):
        yield key, Pair(base.get(key, UNKNOWN), tuned.get(key, UNKNOWN))


def _named(section: str, key: str) -> str:
    return f"{section}.{key}" if key else section


def _known(value: Any) -> Any:
    return UNKNOWN if value is None else value


def _compared(field: str, pair: Pair, same: bool | None, code: str) -> Compared:
    baseline, candidate = (None if isinstance(value, NotRecorded) else value for value in pair)
    return Compared(field, baseline, candidate, same, code)


def _same_value(pair: Pair) -> bool | None:
    """Whether two values mean the same; None where either is unknown."""
    return _equal(*pair) if pair.known else None


def _same_decode(key: str, pair: Pair) -> bool | None:
    """As `_same_value`, for an argument of `generate`: False means "not set", and some lists are sets."""
    if not pair.known:
        return None
    if key in SETS:
        return _members(pair.baseline) == _members(pair.candidate)
    first, second = (None if value is False else value for value in pair)
    return _equal(first, second)


def _same_version(pair: Pair) -> bool | None:
    """As `_same_value`, for a library: 2.13.0+cpu is 2.13.0, since the device is a setting of its own."""
    if not pair.known:
        return None
    first, second = (str(value).partition("+")[0] for value in pair)
    return first == second


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, str) and _is_number(second):
        return _equal(second, first)
    if _is_number(first) and isinstance(second, str):
        try:
            return bool(float(second) == first)
        except ValueError:
            return False
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(_equal(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return all(_equal(first.get(key), second.get(key)) for key in {*first, *second})
    return bool(isinstance(first, bool) == isinstance(second, bool) and first == second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _members(value: Any) -> set[str]:
    """The members of a list as text; None and an empty list are the empty set."""
    if value is None:
        return set()
    return {str(member) for member in (value if isinstance(value, list | tuple) else [value])}
