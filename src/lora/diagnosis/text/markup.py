"""Do references and hypotheses contain only speech, and do training transcripts?

Markup that only one side has counts as errors, and markup that both sides have counts as right words. It is judged by
what it does: the change of each WER, and of their difference, when it is removed from both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lora import layout
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.records.markup import MarkupCount, MarkupFacts
from lora.records.scores import WerFacts
from lora.records.verdict import CheckStatus

ID, CODE = "text.words_only", "text.markup"
AMBIGUOUS = frozenset({"fragments"})  # also how compounds are written
RESOLVED = frozenset({"alternations"})  # by every score, as sclite does


def judge_markup(facts: StudyFacts) -> Findings:
    """One check per evaluation manifest for baseline and gate run, one for each other candidate that has markup."""
    findings = training_markup(facts)
    for manifest in facts.config.evaluations:
        gate = [run for run in (BASE, facts.config.gate_run) if run is not None]
        findings.add(evaluation_markup(facts, manifest, gate, None))
        for run in facts.config.candidates:
            found = _markup(facts, run, manifest)
            if run not in gate and found is not None and _certain(found.hypotheses):
                findings.add(evaluation_markup(facts, manifest, [run], run))
    return findings


def evaluation_markup(facts: StudyFacts, manifest: str, runs: Sequence[str], run: str | None) -> Findings:
    """Markup in the references and in the hypotheses of `runs`, judged by the WER without it."""
    scored = [name for name in runs if _scored(facts, name, manifest) is not None]
    evidence = [facts.path(layout.WER, run=name, manifest=manifest) for name in scored or runs]
    most = facts.config.text.max_effect
    if not scored:
        return Findings.of(
            check(
                ID, status="unknown", reason="not_scored", threshold=most, evidence=evidence, run=run, manifest=manifest
            )
        )
    marked = {name: found for name in scored if (found := _markup(facts, name, manifest)) is not None}
    references = next(iter(marked.values())).references if marked else []
    sides = {"references": references, **{name: found.hypotheses for name, found in marked.items()}}
    rates = [_rates(facts, name, manifest) for name in scored]
    effect = max(_effects(rates))
    status: CheckStatus = "pass"
    reason = "alternations" if any(c.kind in RESOLVED for c in references) else "none"
    if any(_certain(counts) for counts in sides.values()):
        status, reason = "pass", "no_effect"
        if effect > 0:
            status, reason = ("fail", "moves_wer") if effect > most else ("warn", "small_effect")
    details = {
        "sides": [
            {"side": side, "kinds": [count.model_dump() for count in counts]}
            for side, counts in sides.items()
            if counts
        ],
        "rates": rates,
        "effect": effect,
        "strip": _named(kind for counts in sides.values() for kind in _certain(counts)),
        "only_hypotheses": not _certain(references),
        "manifest": manifest,
    }
    result = check(
        ID,
        status=status,
        reason=reason,
        value=effect,
        threshold=most,
        details=details,
        evidence=evidence,
        run=run,
        manifest=manifest,
    )
    if status == "pass":
        return Findings.of(result)
    return Findings.of(result, result.cause(CODE, severity="blocks" if status == "fail" else "warns"))


def training_markup(facts: StudyFacts) -> Findings:
    """Markup in the training transcripts, which the model would learn to write; no check where it was not counted."""
    manifest = facts.manifests.get(TRAIN)
    if manifest is None:
        return Findings()
    kinds = [count for count in manifest.markup if count.kind not in AMBIGUOUS]
    rows = max((count.rows for count in kinds), default=0)
    most = facts.config.text.max_training_rows
    share = rows / manifest.rows if manifest.rows else 0.0
    status: CheckStatus = "pass"
    if kinds:
        status = "fail" if share > most else "warn"
    details = {
        "rows": rows,
        "of": manifest.rows,
        "sides": [{"side": "references", "kinds": [count.model_dump() for count in kinds]}] if kinds else [],
        "strip": _named(count.kind for count in kinds if count.kind not in RESOLVED),
        "manifest": TRAIN,
    }
    result = check(
        ID,
        status=status,
        reason="training" if kinds else "none",
        value=share,
        threshold=most,
        details=details,
        evidence=[facts.path(layout.MANIFEST_FACTS, manifest=TRAIN)],
        manifest=TRAIN,
    )
    if not kinds:
        return Findings.of(result)
    return Findings.of(result, result.cause(CODE, severity="blocks" if status == "fail" else "warns"))


def has_training_markup(facts: StudyFacts) -> bool:
    """Whether markup in the training transcripts is frequent enough to hide their style."""
    manifest = facts.manifests.get(TRAIN)
    most = facts.config.text.max_training_rows
    counts = [] if manifest is None else [count for count in manifest.markup if count.kind not in AMBIGUOUS]
    return manifest is not None and any(count.rows > most * manifest.rows for count in counts)


def explains_baseline(facts: StudyFacts, manifest: str) -> bool:
    """Whether the baseline's WER is high because of markup only: without it, it is below `headroom.max_wer`."""
    wer = _scored(facts, BASE, manifest)
    found = _markup(facts, BASE, manifest)
    if wer is None or found is None or found.wer is None:
        return False
    moved = wer - found.wer > facts.config.text.max_effect
    return moved and found.wer <= facts.config.headroom.max_wer


def explains_harm(facts: StudyFacts, run: str, manifest: str) -> bool:
    """Whether at least half of a worse result comes from markup."""
    before = _rates(facts, BASE, manifest)
    after = _rates(facts, run, manifest)
    if None in {*before.values(), *after.values()}:
        return False
    delta = after["wer"] - before["wer"]
    without = after["without"] - before["without"]
    return bool(delta - without > facts.config.text.max_effect and without <= delta / 2)


def spoken_wer(facts: StudyFacts, run: str, manifest: str) -> float | None:
    """WER (fraction) of a run without markup; None where it is not known."""
    found = _markup(facts, run, manifest)
    return _scored(facts, run, manifest) if found is None else found.wer


def _rates(facts: StudyFacts, run: str, manifest: str) -> dict[str, Any]:
    """WER of a run with and without markup; the same number where it has none."""
    return {"run": run, "wer": _scored(facts, run, manifest), "without": spoken_wer(facts, run, manifest)}


def _effects(rates: Sequence[dict[str, Any]]) -> list[float]:
    """Change of each WER, and of the difference of two, without markup."""
    moved = [rate["wer"] - rate["without"] for rate in rates if None not in rate.values()]
    return [0.0, *map(abs, moved), *([abs(moved[1] - moved[0])] if len(moved) == 2 else [])]


def _scored(facts: StudyFacts, run: str, manifest: str) -> float | None:
    score: WerFacts | None = facts.wer.get((run, manifest))
    return score.within.wer if score is not None and score.status == "ok" and score.within is not None else None


def _markup(facts: StudyFacts, run: str, manifest: str) -> MarkupFacts | None:
    score = facts.wer.get((run, manifest))
    return None if score is None or score.status != "ok" else score.markup


def _certain(counts: Iterable[MarkupCount]) -> list[str]:
    return [count.kind for count in counts if count.kind not in AMBIGUOUS | RESOLVED]


def _named(kinds: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(kinds))
