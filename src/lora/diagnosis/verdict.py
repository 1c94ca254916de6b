"""From all facts to one verdict: evaluation manifest, gate run, every check, and the causes, most likely first.

Ready for the sweep means: all four criteria pass (or warn), and nothing blocks the gating comparison, which is the gate
run against the baseline on the evaluation manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

from lora.diagnosis.adapter.criterion import CONSEQUENCES, adapter_change, explained_by_training, judge_adapter
from lora.diagnosis.causes import CAUSES, RANK, cause
from lora.diagnosis.data.rows import judge_data
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.criterion import choose_eval_manifest, judge_headroom
from lora.diagnosis.labels.audit import judge_labels
from lora.diagnosis.outcomes import direction, judge_outcomes, run_outcomes
from lora.diagnosis.parity.criterion import judge_parity, parity_criterion
from lora.diagnosis.parity.imported_transcripts import judge_imported_transcripts
from lora.diagnosis.training import judge_training
from lora.diagnosis.unknown_checks import with_remedy
from lora.records.base import Fact
from lora.records.verdict import Cause, Check, Gate, Verdict

# The four criteria, each with the codes that explain why it fails.
CRITERIA = {
    "data_sufficiency": ("data.",),
    "headroom": ("headroom.",),
    "adapter_change": ("adapter.", "training."),
    "parity": ("parity.",),
}
SEVERITIES = ("blocks", "warns", "info")
# Causes that say the same in other words, nearer to what a person can mend.
EXPLAINED_BY = {"data.too_few_samples": {"data.filter_starves_training", "data.wrong_durations"}}


def decide(facts: StudyFacts) -> Verdict:
    """The verdict of a study; never fails for what its facts say."""
    eval_manifest = choose_eval_manifest(facts)
    findings = judge_all(facts, eval_manifest)
    findings.causes += impossible_causes(facts, eval_manifest, findings.causes)
    findings.add(adapter_change(facts, findings), parity_criterion(facts, eval_manifest))
    causes = rank(facts, eval_manifest, [capped(facts, eval_manifest, c) for c in joined(findings.causes)])
    checks = [with_remedy(facts, check) for check in in_order(findings.checks)]
    return Verdict(
        ready_for_sweep=ready(facts, checks, causes),
        max_seconds=facts.max_seconds,
        eval_manifest=eval_manifest,
        gate_run=facts.config.gate_run,
        checks=checks,
        causes=causes,
        runs=run_outcomes(facts),
    )


def judge_all(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """Every diagnosis asked once, for every manifest and every candidate."""
    findings = judge_data(facts).add(judge_headroom(facts, eval_manifest), judge_labels(facts))
    findings.add(judge_imported_transcripts(facts))
    for run in facts.config.candidates:
        training = judge_training(facts, run)
        adapter = judge_adapter(facts, run, training.causes)
        findings.add(training, adapter, judge_parity(facts, run, eval_manifest))
        findings.add(judge_outcomes(facts, run, eval_manifest, findings.causes))
    return findings.add(direction(facts))


def impossible_causes(facts: StudyFacts, eval_manifest: str | None, known: list[Cause]) -> list[Cause]:
    """Facts that could not be computed carry their cause; the first fact file of a run that says so is its evidence."""
    found: list[Cause] = []
    for fact, run, manifest, path in _fact_files(facts, eval_manifest):
        if fact.status == "ok" or fact.code not in CAUSES:
            continue
        codes = {fact.code, *EXPLAINED_BY.get(fact.code, ())}
        same_run = [c for c in [*known, *found] if run is None or c.run in {None, run}]
        training_failed = fact.code in CONSEQUENCES and explained_by_training(c for c in same_run if c.run == run)
        if training_failed or any(c.code in codes for c in same_run):
            continue
        because = (fact.message or CAUSES[fact.code].meaning).rstrip(".")
        found.append(cause(fact.code, f"{because}.", [path], run, manifest))
    return found


def _fact_files(facts: StudyFacts, eval_manifest: str | None) -> Iterator[tuple[Fact, str | None, str | None, str]]:
    """(fact, run, manifest, path) in the order in which they are made; the evaluation manifest before others."""
    manifests = sorted(facts.config.evaluations, key=lambda m: m != eval_manifest)
    if facts.labels is not None:
        yield facts.labels, None, TRAIN, facts.at("labels.json")
    for run in (BASE, *facts.config.candidates):
        if run in facts.training:
            yield facts.training[run], run, None, facts.at("adapters", run, "train.json")
        if run in facts.effect:
            yield facts.effect[run], run, None, facts.at("effect", f"{run}.json")
        for m in manifests:
            if (run, m) in facts.settings:
                yield facts.settings[run, m], run, m, facts.at("transcripts", run, f"{m}.settings.json")
            if (run, m) in facts.wer:
                yield facts.wer[run, m], run, m, facts.at("wer", run, f"{m}.json")
            if (run, m) in facts.paired:
                yield facts.paired[run, m], run, m, facts.at("paired", run, f"{m}.json")
        if run in facts.parity:
            yield facts.parity[run], run, None, facts.at("parity", f"{run}.json")


def joined(causes: list[Cause]) -> list[Cause]:
    """One cause a code, run and manifest; several checks that raise it give it several sentences."""
    found: dict[tuple[str, str | None, str | None], Cause] = {}
    for c in causes:
        key = (c.code, c.run, c.manifest)
        if key in found:
            evidence = list(dict.fromkeys([*found[key].evidence, *c.evidence]))
            because = f"{found[key].because} {c.because}"
            found[key] = found[key].model_copy(update={"because": because, "evidence": evidence})
        else:
            found[key] = c
    return list(found.values())


def is_gating(facts: StudyFacts, eval_manifest: str | None, c: Cause) -> bool:
    """Whether a cause stands on the gating comparison: its run or its baseline, its manifest or the training data.

    Where no evaluation manifest could be chosen, every domain manifest is one that should have been.
    """
    manifests = {None, TRAIN, *([eval_manifest] if eval_manifest else facts.config.domain)}
    return c.run in {None, BASE, facts.config.gate_run} and c.manifest in manifests


def capped(facts: StudyFacts, eval_manifest: str | None, c: Cause) -> Cause:
    """Only what stands on the gating comparison can block."""
    if c.severity == "blocks" and not is_gating(facts, eval_manifest, c):
        return c.model_copy(update={"severity": "warns"})
    return c


def rank(facts: StudyFacts, eval_manifest: str | None, causes: list[Cause]) -> list[Cause]:
    """By severity, then what concerns the gate before the rest, then by the table's rank, then by manifest and run."""
    manifests, runs = list(facts.config.manifests), [BASE, *facts.config.candidates]

    def order(c: Cause) -> tuple[int, bool, int, int, int]:
        concerns_gate = is_gating(facts, eval_manifest, c) or c.run == facts.config.gate_run
        manifest = manifests.index(c.manifest) if c.manifest in manifests else -1
        run = runs.index(c.run) if c.run in runs else -1
        return SEVERITIES.index(c.severity), not concerns_gate, RANK[c.code], manifest, run

    return sorted(causes, key=order)


def in_order(checks: list[Check]) -> list[Check]:
    """The four criteria first, then all other checks as they were made."""
    criteria = {c.id: c for c in checks if c.id in CRITERIA}
    return [criteria[id] for id in CRITERIA] + [c for c in checks if c.id not in CRITERIA]


def ready(facts: StudyFacts, checks: list[Check], causes: list[Cause]) -> bool | None:
    """Null without a model: then nothing can be swept."""
    if facts.config.model is None:
        return None
    met = all(check.status in {"pass", "warn"} for check in checks if check.id in CRITERIA)
    return met and not any(c.severity == "blocks" for c in causes)


def gate(verdict: Verdict) -> Gate:
    """Why not: blocking causes with their remedies, then criteria that none of them explains."""
    if verdict.ready_for_sweep:
        return Gate(ready_for_sweep=True, reasons=[])
    reasons = (
        []
        if verdict.ready_for_sweep is False
        else ["No model is configured (`model: null`), so there is nothing to sweep."]
    )
    blocking = [c for c in verdict.causes if c.severity == "blocks"]
    reasons += [f"{c.because} {c.remedy} [{c.code}]" for c in blocking]
    for check in verdict.checks:
        explained = check.status == "fail" and any(c.code.startswith(CRITERIA.get(check.id, ())) for c in blocking)
        if check.id in CRITERIA and check.status in {"fail", "unknown"} and not explained:
            reasons.append(f"{check.summary} [{check.id}: {check.status}]")
    return Gate(ready_for_sweep=verdict.ready_for_sweep, reasons=reasons)
