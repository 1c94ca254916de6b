"""D2: does the baseline leave anything to gain, and could the manifest show it? Remedies name data only.

A manifest *has headroom* where the baseline's WER is above `headroom.min_wer`. The evaluation manifest is the domain
manifest with headroom that could show the smallest difference. General manifests are saturated by design and are asked
only whether the model works on them at all, and whether their references can be believed.
"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import baseline, has_headroom, unknown_wer
from lora.diagnosis.headroom.baseline_health import baseline_works, broken_reason
from lora.diagnosis.headroom.power import detectable_difference, foreseen, foreseen_power
from lora.diagnosis.headroom.reachable import judge_reachable
from lora.diagnosis.headroom.saturation import above, saturation
from lora.diagnosis.transitional import Answer, found
from lora.formatting import interval, percent, round_percent


def choose_eval_manifest(facts: StudyFacts) -> str | None:
    """The domain manifest with headroom and the smallest detectable difference, ties by name; null where none has any.

    Foreseen from the baseline alone, so that no candidate influences what it is judged on. A manifest on which the
    baseline is broken comes last, unless its texts stand in the wrong rows: then it is the one to mend.
    """

    def order(manifest: str) -> tuple[bool, float, str]:
        detectable = foreseen(foreseen_power(facts, manifest))
        broken = broken_reason(facts, manifest) is not None and not has_many_mismatches(facts, manifest)
        return broken, detectable, manifest

    return min((m for m in facts.config.domain if has_headroom(facts, m)), key=order, default=None)


def judge_headroom(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    findings = headroom_criterion(facts, eval_manifest)
    for manifest in facts.config.evaluations:
        findings.add(saturation(facts, manifest), baseline_works(facts, manifest), judge_reachable(facts, manifest))
        if manifest in facts.config.domain:
            findings.add(detectable_difference(facts, manifest, manifest == eval_manifest))
    return findings


def headroom_criterion(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """Baseline WER above the floor on at least one domain manifest; doubtful where its interval reaches the floor."""
    floor, domain = facts.config.headroom.min_wer, facts.config.domain
    evidence = [facts.path(layout.WER, run=BASE, manifest=m) for m in ([eval_manifest] if eval_manifest else domain)]
    base = baseline(facts, eval_manifest) if eval_manifest else None
    if base is not None:
        told = f"Baseline WER on {eval_manifest} is {percent(base.wer, floor)} ({interval(base.score.interval, floor)})"
        answer = Answer(above(base, floor), f"{told}; the floor is {round_percent(floor)}.", base.wer, floor)
        return found("headroom", answer, evidence, manifest=eval_manifest)
    known = {m: b.wer for m in domain if (b := baseline(facts, m)) is not None}
    if not known:
        reasons = " ".join(unknown_wer(facts, m) for m in domain)
        answer = Answer("unknown", reasons, None, floor)
        return found("headroom", answer, evidence)
    best = max(known, key=known.__getitem__)
    highest = f"the highest is {percent(known[best])} on {best}"
    summary = f"No domain manifest has a baseline WER above {round_percent(floor)}; {highest}."
    return found("headroom", Answer("fail", summary, known[best], floor), evidence)
