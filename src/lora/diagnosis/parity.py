"""P: were baseline and tuned run made under identical conditions? A diff of recorded settings, and its judgement.

What is recorded is compared field by field. What one side never recorded is unknown, not equal. The adapter itself, and
the model of a candidate that brings a whole tuned checkpoint, are what is tested and are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lora.diagnosis.causes import CAUSES, RANK, cause
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.diagnosis.wording import count, listed
from lora.records import Cause, CheckStatus, Fact, ModelIdentity, ParityFacts, RunSettings, SettingDifference, WerFacts

Compared = Iterator[tuple[str, Any, Any, bool | None, str]]


def compare_settings(
    run: str,
    baseline_settings: list[RunSettings],
    tuned_settings: list[RunSettings],
    baseline_wer: list[WerFacts],
    tuned_wer: list[WerFacts],
) -> ParityFacts:
    """Facts only; all lists are in the same order of manifests.

    A manifest on which either run is impossible is left out; where that is every manifest, so is the comparison.
    """
    differences: list[SettingDifference] = []
    impossible: list[Fact] = []
    for quadruple in zip(baseline_settings, tuned_settings, baseline_wer, tuned_wer, strict=True):
        broken = [fact for fact in quadruple if fact.status == "impossible"]
        if broken:
            impossible += broken
            continue
        base, tuned, base_wer, tuned_score = quadruple
        fields = [*_settings_fields(base, tuned), *_scoring_fields(base_wer, tuned_score)]
        differences += [
            SettingDifference(manifest=base_wer.manifest, field=field, baseline=b, candidate=c, same=same, code=code)
            for field, b, c, same, code in fields
        ]
    if impossible and not differences:
        first = impossible[0]
        return ParityFacts(run=run, status="impossible", code=first.code, message=first.message)
    return ParityFacts(run=run, settings=differences)


def _settings_fields(base: RunSettings, tuned: RunSettings) -> Compared:
    for field in ("rows", "content_hash"):
        before, after = (getattr(s.manifest, field, None) for s in (base, tuned))
        yield _compare(f"manifest.{field}", before, after, "parity.manifest")
    yield from _model_field(base, tuned)
    for code, field, key, b, c in _keys("preprocess", base.preprocess, tuned.preprocess):
        code = "parity.padding" if key.startswith("padding") else code
        yield _compare(field, b, c, code, known=base.preprocess is not None and tuned.preprocess is not None)
    for code, field, _, b, c in _keys("decode", base.decode, tuned.decode):
        yield _compare(field, b, c, code, known=base.decode is not None and tuned.decode is not None)
    for section in ("device", "software"):
        for code, field, _, b, c in _keys(section, getattr(base, section), getattr(tuned, section)):
            yield _compare(field, b, c, code)


def _model_field(base: RunSettings, tuned: RunSettings) -> Compared:
    if tuned.adapter is None and tuned.model is not None:
        return  # a tuned checkpoint: its weights are the treatment
    names = [_model_name(s.model) for s in (base, tuned)]
    hashes = [s.model.hash if s.model else None for s in (base, tuned)]
    same = None if None in hashes else hashes[0] == hashes[1]
    yield "model", names[0], names[1], same, "parity.base_model"


def _model_name(model: ModelIdentity | None) -> str | None:
    if model is None:
        return None
    revision = f" at {model.revision}" if model.revision else ""
    return f"{model.id}{revision} ({model.hash[:12]})"


def _scoring_fields(base: WerFacts, tuned: WerFacts) -> Compared:
    yield _compare("normalizer.name", base.normalizer.name, tuned.normalizer.name, "parity.normalization")
    yield _compare("normalizer.version", base.normalizer.version, tuned.normalizer.version, "parity.normalization")
    yield _compare("scored.max_seconds", base.max_seconds, tuned.max_seconds, "parity.manifest", known=True)
    scored = [{row.id for row in wer.utterances} for wer in (base, tuned)]
    yield "scored.utterances", len(scored[0]), len(scored[1]), scored[0] == scored[1], "parity.manifest"


CODES = {
    "preprocess": "parity.preprocessing",
    "decode": "parity.decode",
    "device": "parity.software",
    "software": "parity.software",
}


def _keys(
    section: str, base: Mapping[str, Any] | None, tuned: Mapping[str, Any] | None
) -> Iterator[tuple[str, str, str, Any, Any]]:
    """(code, field, key, baseline, candidate) of every key of a section; of the section itself where it is unknown."""
    code = CODES[section]
    if base is None or tuned is None:
        yield code, section, section, None if base is None else dict(base), None if tuned is None else dict(tuned)
        return
    for key in sorted({*base, *tuned}):
        yield code, f"{section}.{key}", key, base.get(key), tuned.get(key)


def _compare(
    field: str, base: Any, tuned: Any, code: str, known: bool = False
) -> tuple[str, Any, Any, bool | None, str]:
    """`known`: the section was recorded, so that an absent value means "not set" rather than "not recorded"."""
    if not known and (base is None or tuned is None):
        return field, base, tuned, None, code
    return field, base, tuned, base == tuned, code


def judge_parity(facts: StudyFacts, run: str, eval_manifest: str | None) -> Findings:
    """A check for every manifest of a run, and one cause for every code under which settings differ."""
    parity, evidence = facts.parity.get(run), [facts.at("parity", f"{run}.json")]
    if parity is None or parity.status == "impossible":
        told = parity.message if parity and parity.message else "settings were not compared"
        return found("parity.settings", Answer("unknown", f"{run}: {told}."), evidence, run)
    findings = Findings()
    for manifest in facts.config.evaluations:
        findings.add(found("parity.settings", settings_answer(facts, run, manifest), evidence, run, manifest))
    codes = sorted({s.code for s in parity.settings if s.same is False}, key=RANK.__getitem__)
    findings.causes = [_difference(parity, code, eval_manifest, evidence) for code in codes]
    return findings.add(_same_utterances(facts, run, findings.causes))


def settings_answer(facts: StudyFacts, run: str, manifest: str) -> Answer:
    """Pass where all is equal; a field that only warns can neither fail nor make unknown."""
    parity = facts.parity.get(run)
    settings = [s for s in parity.settings if s.manifest == manifest] if parity and parity.status == "ok" else []
    if not settings:
        return Answer("unknown", f"Settings of {run} on {manifest} were not compared.", None, 0)
    different = [s.field for s in settings if s.same is False]
    unknown = [s.field for s in settings if s.same is None]
    decisive = {s.field for s in settings if CAUSES[s.code].severity == "blocks"}
    status: CheckStatus = "warn" if different or unknown else "pass"
    if decisive & set(unknown):
        status = "unknown"
    if decisive & set(different):
        status = "fail"
    words = [f"{listed(different)} differ" if len(different) > 1 else f"{different[0]} differs"] if different else []
    words += [f"{listed(unknown)} {'are' if len(unknown) > 1 else 'is'} not known on both sides"] if unknown else []
    told = "; ".join(words) or f"all {count(len(settings), 'recorded setting')} are equal"
    return Answer(status, f"{run} against base on {manifest}: {told}.", len(different), 0)


def parity_criterion(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """The criterion: settings of the gate run on the evaluation manifest, or the worst of all where none is chosen."""
    run = facts.config.gate_run
    if run is None:
        return found("parity", Answer("unknown", "There is no candidate whose settings could be compared."), [])
    evidence = [facts.at("parity", f"{run}.json")]
    manifests = [eval_manifest] if eval_manifest else facts.config.evaluations
    answers = [settings_answer(facts, run, m) for m in manifests]
    order = ("fail", "unknown", "warn", "pass")
    answer = min(answers, key=lambda a: order.index(a.status))
    paired = facts.paired.get((run, eval_manifest or ""))
    if paired is not None and (paired.missing_ids or paired.extra_ids):
        answer = Answer("fail", _unmatched(run, paired.manifest, paired.missing_ids, paired.extra_ids), answer.value, 0)
    return found("parity", answer, evidence, run, eval_manifest)


def _difference(parity: ParityFacts, code: str, eval_manifest: str | None, evidence: list[str]) -> Cause:
    """One cause a code: on the evaluation manifest if it differs there, else on the first where it does."""
    differing = [s for s in parity.settings if s.code == code and s.same is False]
    manifests = list(dict.fromkeys(s.manifest for s in differing))
    manifest = eval_manifest if eval_manifest in manifests else manifests[0]
    here = [f"{s.field} is {_shown(s.baseline)} for base and {_shown(s.candidate)} for {parity.run}"
            for s in differing if s.manifest == manifest]  # fmt: skip
    others = [m for m in manifests if m != manifest]
    also = f" (also on {listed(others)})" if others else ""
    return cause(code, f"On {manifest}{also}, {listed(here)}.", evidence, parity.run, manifest)


def _same_utterances(facts: StudyFacts, run: str, known: list[Cause]) -> Findings:
    """Ids that only one of the two runs holds, where the diff of settings did not show them."""
    causes = []
    for manifest in facts.config.evaluations:
        paired = facts.paired.get((run, manifest))
        told = any(c.code == "parity.manifest" and c.manifest == manifest for c in known)
        if paired is None or told or not (paired.missing_ids or paired.extra_ids):
            continue
        because = _unmatched(run, manifest, paired.missing_ids, paired.extra_ids)
        causes.append(cause("parity.manifest", because, [facts.at("paired", run, f"{manifest}.json")], run, manifest))
    return Findings(causes=causes)


def _unmatched(run: str, manifest: str, missing: list[str], extra: list[str]) -> str:
    parts = [f"{run} lacks {count(len(missing), 'utterance')} of {manifest} ({listed(missing)})"] if missing else []
    parts += (
        [f"{run} has {count(len(extra), 'utterance')} that base lacks on {manifest} ({listed(extra)})"] if extra else []
    )
    return f"{' and '.join(parts)}."


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
