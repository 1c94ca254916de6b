"""What differs between two runs: recorded settings field by field, and the rows they were run over. Facts only.

What one side never recorded is unknown, not equal. A record with a fingerprint is the runner's own and whole: a
generation argument that it lacks has `generate`'s default. In one without, which a person wrote, a missing key is
unknown.
The adapter itself, and the weights of a candidate that brings a whole tuned checkpoint, are what is tested and are not
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lora.diagnosis.parity.setting_values import UNKNOWN, NotKnown, same_decode, same_value, same_version
from lora.records.base import Fact
from lora.records.comparisons import DifferingRows, OtherText, ParityFacts, Rescored, SettingDifference
from lora.records.scores import WerFacts
from lora.records.utterances import ModelIdentity, RunSettings, Transcript


class Pair(NamedTuple):
    """A setting's two values; UNKNOWN where nobody recorded it."""

    baseline: Any
    candidate: Any


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
    """All lists are in the same order of manifests; `rows` and `rescored` may be left out.

    A manifest on which either run has no settings to compare is left out; where that is every manifest, so is the
    comparison. A run that could not be scored because its rows differ has its settings compared all the same.
    """
    differences: list[SettingDifference] = []
    impossible: list[Fact] = []
    of_rows = list(rows) or [None] * len(baseline_wer)
    for base, tuned, base_score, tuned_score, differing in zip(
        baseline_settings, tuned_settings, baseline_wer, tuned_wer, of_rows, strict=True
    ):
        broken = [fact for fact in (base, tuned, base_score, tuned_score) if _cannot_be_compared(fact)]
        if broken:
            impossible += broken
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
        rows=[found for found in rows if found is not None],
        rescored=[found for found in rescored if found is not None],
    )


def _cannot_be_compared(fact: Fact) -> bool:
    scored_in_part = isinstance(fact, WerFacts) and fact.code == "parity.manifest"
    return fact.status == "impossible" and not scored_in_part


def differing_rows(
    manifest: str,
    before: Mapping[str, Transcript],
    after: Mapping[str, Transcript],
    settings: tuple[RunSettings, RunSettings],
    same_text: Callable[[str, str], bool],
) -> DifferingRows | None:
    """Transcripts and settings of baseline and candidate; `same_text` says whether two references are one text.

    Null where no row is known to differ, or a run is impossible.
    """
    if any(found.status == "impossible" for found in settings):
        return None
    missing, extra = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    written = [
        OtherText(id=name, baseline=before[name].claimed_reference, candidate=after[name].claimed_reference)
        for name in sorted(set(before) & set(after))
        if before[name].claimed_reference != after[name].claimed_reference
    ]
    texts = [pair for pair in written if not same_text(pair.baseline, pair.candidate)]
    hashes = [found.manifest.content_hash if found.manifest else None for found in settings]
    other_content = None not in hashes and hashes[0] != hashes[1]
    if not (missing or extra or texts or other_content):
        return None
    return DifferingRows(
        manifest=manifest,
        missing_ids=missing,
        extra_ids=extra,
        other_texts=texts,
        restyled=len(written) - len(texts),
        other_audio=other_content and not (missing or extra or written),
    )


def _settings(base: RunSettings, tuned: RunSettings, defaults: Mapping[str, Any]) -> Iterator[Compared]:
    for field in ("rows", "content_hash"):
        rows = Pair(*(_known(getattr(s.manifest, field, None)) for s in (base, tuned)))
        yield _compared(f"manifest.{field}", rows, same_value(*rows), "parity.manifest")
    yield from _model(base, tuned)
    for key, pair in _keys(base.preprocess, tuned.preprocess):
        code = "parity.padding" if key.startswith("padding") else "parity.preprocessing"
        yield _compared(_named("preprocess", key), pair, same_value(*pair), code)
    for key, pair in _keys(_effective(base, tuned, defaults), _effective(tuned, base, defaults)):
        yield _compared(_named("decode", key), pair, same_decode(key, *pair), "parity.decode")
    for key, pair in _keys(*_devices(base, tuned)):
        yield _compared(_named("device", key), pair, same_value(*pair), "parity.software")
    for key, pair in _keys(base.software, tuned.software):
        yield _compared(_named("software", key), pair, same_version(*pair), "parity.software")


def _model(base: RunSettings, tuned: RunSettings) -> Iterator[Compared]:
    """By the hash of all files; of a tuned checkpoint, whose weights are the treatment, only its family.

    Other files without an adapter are such a checkpoint where the runner recorded that there was none; where a person
    did not say so, another base model is possible too, and which of the two it is stays unknown.
    """
    same = same_value(*(_known(s.model.hash if s.model else None) for s in (base, tuned)))
    if tuned.adapter is None and same is False:
        families = Pair(*(_known((s.model.family or None) if s.model else None) for s in (base, tuned)))
        same_family = same_value(*families)
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
    """Generation arguments after defaults, for every key of either run; a null one has its default."""
    if run.decode is None:
        return None
    keys = {*run.decode, *(other.decode or {})} if run.fingerprint is not None else {*run.decode}
    values = {key: run.decode.get(key) for key in keys}
    return {key: defaults.get(key) if value is None else value for key, value in values.items()}


def _devices(base: RunSettings, tuned: RunSettings) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """Threads count on a CPU only, so that they are left out where either run has another device."""
    if any(s.device and s.device.get("type", "cpu") != "cpu" for s in (base, tuned)):
        return _without_threads(base.device), _without_threads(tuned.device)
    return base.device, tuned.device


def _without_threads(device: dict[str, str] | None) -> dict[str, str] | None:
    return None if device is None else {key: value for key, value in device.items() if key != "threads"}


def _scoring(base: WerFacts, tuned: WerFacts, rows: DifferingRows | None) -> Iterator[Compared]:
    """Which utterances were scored is left out where a run was not scored and its differing ids are told."""
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
    """Numbers of ids that only one run has; the first text that differs, where a run says what it was held against."""
    if rows is not None and (rows.missing_ids or rows.extra_ids):
        unshared = Pair(len(rows.missing_ids), len(rows.extra_ids))
        yield _compared("manifest.unshared_ids", unshared, False, "parity.manifest")
    if rows is not None and rows.other_texts:
        first = rows.other_texts[0]
        yield _compared("manifest.references", Pair(first.baseline, first.candidate), False, "parity.manifest")


def _keys(base: Mapping[str, Any] | None, tuned: Mapping[str, Any] | None) -> Iterator[tuple[str, Pair]]:
    """(key, values) of every key of a section; of the section itself (key empty) where one is unknown."""
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
    baseline, candidate = (None if isinstance(value, NotKnown) else value for value in pair)
    return Compared(field, baseline, candidate, same, code)
