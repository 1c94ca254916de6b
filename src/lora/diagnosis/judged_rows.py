"""Which rows of the evaluation manifests are judged (`headroom.rows`), and what the other rows would say."""

from __future__ import annotations

from typing import Any

from lora.diagnosis.detectable import detectable_difference
from lora.diagnosis.facts import BASE, StudyFacts
from lora.records.comparisons import PairedFacts
from lora.records.scores import WerFacts

MOST_LEFT_OUT = 0.2  # share of an evaluation manifest that the limit may leave out without a word


def with_judged_rows(facts: WerFacts, rows: str) -> WerFacts:
    """Facts whose primary score is that of the judged rows."""
    if rows != "all" or facts.status != "ok":
        return facts
    return facts.model_copy(update={"within": facts.all, "power": facts.power_all, "max_seconds": None})


def with_judged_comparison(facts: PairedFacts, rows: str) -> PairedFacts:
    """A comparison whose primary score is that of the judged rows."""
    if rows != "all" or facts.status != "ok":
        return facts
    return facts.model_copy(update={"within": facts.all, "max_seconds": None})


def other_rows(facts: StudyFacts, manifest: str, *, has_faults: bool) -> dict[str, Any] | None:
    """The numbers over all rows where the limit leaves out many, or where the gate run's outcome is another one there.

    Args:
        facts: Facts of the study.
        manifest: The evaluation manifest.
        has_faults: Whether the gate run's hypotheses are broken, so that their spread says nothing about the manifest.

    Returns:
        WER, interval, rows and smallest detectable difference over `all` rows, the detectable difference within the
        limit, and the outcomes of the gate run over both; None where neither is so.
    """
    wer = facts.wer.get((BASE, manifest))
    if wer is None or wer.within is None or wer.all is None or wer.max_seconds is None or not wer.all.utterances:
        return None
    paired = facts.paired.get((facts.config.gate_run or "", manifest))
    outcomes = [score.outcome for score in (paired.within, paired.all) if score is not None] if paired else []
    spread = None if has_faults else paired
    left_out = 1 - wer.within.utterances / wer.all.utterances
    if left_out <= MOST_LEFT_OUT and len(set(outcomes)) < 2:
        return None
    return {
        "left_out": left_out,
        "wer": wer.all.wer,
        "rows": wer.all.utterances,
        "interval": wer.all.interval.to_json(),
        "detectable": detectable_difference(spread.all if spread else None, wer.power_all),
        "detectable_within": detectable_difference(spread.within if spread else None, wer.power),
        "outcomes": outcomes if len(set(outcomes)) == 2 else None,
        "run": facts.config.gate_run,
    }
