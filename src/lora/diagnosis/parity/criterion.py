"""P: were baseline and tuned run made under identical conditions? Judgement of the recorded differences.

What one side never recorded is neither equal nor different: the check is unknown then.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.causes import CAUSES, RANK
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, Findings
from lora.diagnosis.parity.mismatched_hypotheses import judge_hypotheses, out_of_place
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, points
from lora.records.parity import DifferingRows, ParityFacts, Rescored
from lora.records.verdict import CheckStatus

# Fields that tell of differing rows, which the ids and texts themselves tell better.
ROWS = {"manifest.rows", "manifest.content_hash", "manifest.unshared_ids", "manifest.references", "scored.utterances"}

# What a candidate of ours sets for itself in the configuration, and brought transcripts bring with them.
OWN_SETTINGS = ("parity.decode", "parity.preprocessing")


def judge_parity(facts: StudyFacts, run: str, eval_manifest: str | None) -> Findings:
    """A check for every manifest of a run, and one cause for every code under which settings differ."""
    parity, evidence = facts.parity.get(run), [facts.path(layout.PARITY, run=run)]
    if parity is None or parity.status == "impossible":
        told = parity.message if parity and parity.message else "settings were not compared"
        return found("parity.settings", Answer("unknown", f"{run}: {told}."), evidence, run)
    findings = Findings()
    for manifest in facts.config.evaluations:
        findings.add(found("parity.settings", settings_answer(facts, run, manifest), evidence, run, manifest))
    codes = sorted({s.code for s in parity.settings if s.same is False}, key=RANK.__getitem__)
    again = f"Transcribe base or {run} again, with the settings of the other."
    remedies = dict.fromkeys(OWN_SETTINGS, again) if facts.config.kind(run) == "hypotheses" else {}
    findings.causes = [_difference(parity, code, eval_manifest, evidence, remedies.get(code)) for code in codes]
    return findings.add(_same_utterances(facts, run, findings.causes), judge_hypotheses(facts, run))


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
    evidence = [facts.path(layout.PARITY, run=run)]
    manifests = [eval_manifest] if eval_manifest else facts.config.evaluations
    answers = [settings_answer(facts, run, m) for m in manifests]
    order = ("fail", "unknown", "warn", "pass")
    answer = min(answers, key=lambda a: order.index(a.status))
    paired = facts.paired.get((run, eval_manifest or ""))
    if paired is not None and (paired.missing_ids or paired.extra_ids):
        answer = Answer("fail", _unmatched(run, paired.manifest, paired.missing_ids, paired.extra_ids), answer.value, 0)
    slipped = [m for m in manifests if out_of_place(facts, run, m)]
    if slipped and answer.status != "fail":
        told = f"Hypotheses of {run} or base stand under the ids of other rows on {listed(slipped)}."
        answer = Answer("fail", told, answer.value, 0)
    return found("parity", answer, evidence, run, eval_manifest)


def _difference(
    parity: ParityFacts, code: str, eval_manifest: str | None, evidence: list[str], remedy: str | None
) -> CauseResult:
    """One cause a code: on the evaluation manifest if it differs there, else on the first where it does."""
    differing = [s for s in parity.settings if s.code == code and s.same is False]
    manifests = list(dict.fromkeys(s.manifest for s in differing))
    manifest = eval_manifest if eval_manifest in manifests else manifests[0]
    rows = next((r for r in parity.rows if r.manifest == manifest and code == "parity.manifest"), None)
    here = [f"{s.field} is {_shown(s.baseline)} for base and {_shown(s.candidate)} for {parity.run}"
            for s in differing if s.manifest == manifest and not (rows and s.field in ROWS)]  # fmt: skip
    here += rows_words(rows, parity.run) if rows else []
    others = [m for m in manifests if m != manifest]
    also = f" (also on {listed(others)})" if others else ""
    because = f"On {manifest}{also}, {listed(here, most=6)}."
    again = next((r for r in parity.rescored if r.manifest == manifest), None)
    if code == "parity.normalization" and again is not None:
        because = f"{because} {normalizer_words(again)}"
    return cause(code, because, evidence, parity.run, manifest, remedy)


def rows_words(rows: DifferingRows, run: str) -> list[str]:
    """What differs between the rows of base and of a run, each in a few words."""
    parts = []
    if rows.missing_ids:
        parts.append(f"{run} lacks {count(len(rows.missing_ids), 'utterance')} ({listed(rows.missing_ids)})")
    if rows.extra_ids:
        extra = count(len(rows.extra_ids), "utterance")
        parts.append(f"{run} has {extra} that base lacks ({listed(rows.extra_ids)})")
    if rows.different_references:
        first = rows.different_references[0]
        parts.append(
            f"{run} was held against other texts in {count(len(rows.different_references), 'utterance')} ({first.id}: "
            f"{_quoted(first.baseline)} for base, {_quoted(first.candidate)} for {run})"
        )
    if rows.different_audio:
        parts.append(f"ids and texts agree but the recorded content does not, so base and {run} heard different audio")
    elif not parts and rows.style_only:
        restyled = count(rows.style_only, "reference")
        parts.append(f"{restyled} of {run} {'is' if rows.style_only == 1 else 'are'} written in another way")
    return parts


def normalizer_words(again: Rescored) -> str:
    """`Of the reported 6.1 points better, 5.8 points are the normaliser's: scored alike, ...`"""
    names = [f"{n.name} ({n.version})" if again.baseline.name == again.candidate.name else n.name
             for n in (again.baseline, again.candidate)]  # fmt: skip
    alike = [
        f"{_moved(pair.delta)} under {name}"
        for name, pair in zip(names, (again.under_baseline, again.under_candidate), strict=True)
        if pair is not None and pair.delta is not None
    ]
    if again.reported_delta is None or again.explained_by_normalizer is None or not alike:
        return "How much of the difference is the normaliser's is not known: neither of them can score the texts again."
    remains = f"scored alike, it is {' and '.join(alike)}"
    reported, explained = again.reported_delta, again.explained_by_normalizer
    if reported * explained > 0 and abs(explained) <= abs(reported):
        return f"Of the reported {_moved(reported)}, {points(explained)} are the normaliser's: {remains}."
    if round(explained, 6) == 0 == round(reported, 6):
        return f"No difference is reported, and none is the normaliser's: {remains}."
    if round(explained, 6) == 0:
        return f"The normaliser explains nothing of the reported {_moved(reported)}: {remains}."
    begin = f"The reported difference is {_moved(reported)}" if reported else "No difference is reported"
    return f"{begin}, and the normaliser alone makes {_moved(explained)}: {remains}."


def _moved(delta: float) -> str:
    """`6.1 points better`, `no difference`."""
    return "no difference" if not delta else f"{points(delta)} {'better' if delta < 0 else 'worse'}"


def _same_utterances(facts: StudyFacts, run: str, known: list[CauseResult]) -> Findings:
    """Ids that only one of the two runs holds, where the diff of settings did not show them."""
    causes = []
    for manifest in facts.config.evaluations:
        paired = facts.paired.get((run, manifest))
        told = any(c.code == "parity.manifest" and c.manifest == manifest for c in known)
        if paired is None or told or not (paired.missing_ids or paired.extra_ids):
            continue
        because = _unmatched(run, manifest, paired.missing_ids, paired.extra_ids)
        causes.append(
            cause("parity.manifest", because, [facts.path(layout.PAIRED, run=run, manifest=manifest)], run, manifest)
        )
    return Findings(causes=causes)


def _unmatched(run: str, manifest: str, missing: list[str], extra: list[str]) -> str:
    parts = [f"{run} lacks {count(len(missing), 'utterance')} of {manifest} ({listed(missing)})"] if missing else []
    parts += (
        [f"{run} has {count(len(extra), 'utterance')} that base lacks on {manifest} ({listed(extra)})"] if extra else []
    )
    return f"{' and '.join(parts)}."


def _shown(value: Any) -> str:
    return "not set" if value is None else _short(str(value))


def _quoted(text: str) -> str:
    return f'"{_short(text)}"'


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
