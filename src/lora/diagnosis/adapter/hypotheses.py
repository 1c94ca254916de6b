"""Are the hypotheses of a tuned run transcripts at all, whatever its WER and interval say?

Loops, one token again and again, one sentence everywhere, another language, or words written into silence are
recognised from counts, compared with the baseline's.
"""

from __future__ import annotations

from collections.abc import Collection

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import CauseResult, Findings, check
from lora.diagnosis.headroom.faults import MANY, new_faults, silence_sign
from lora.records.verdict import Severity

# Causes that explain faulty hypotheses: the adapter or its training is too strong, and that is what to change.
TOO_STRONG = {"adapter.excessive_delta", "training.overfit", "training.best_not_kept"}

# Faults that training on texts of other recordings teaches.
TAUGHT = {"other_text", "other_language", "same_text", "no_end", "no_beginning"}


def judge_hypotheses(
    facts: StudyFacts, run: str, manifest: str, known: Collection[CauseResult], wrong_rows: bool
) -> Findings:
    """Faults of the run's hypotheses on one manifest; they block where many are faulty and the run is not better.

    A few loops block as well if they have most of the run's errors: its WER is then that of these rows.

    They only warn where the run learnt them, since what it was trained on comes first: from wrong labels, or from rows
    that are wrong by a blocking cause (`wrong_rows`), such as the texts of other recordings.
    """
    tuned = facts.wer.get((run, manifest))
    base = facts.wer.get((BASE, manifest))
    evidence = [facts.path(layout.WER, run=name, manifest=manifest) for name in (run, BASE)]
    if tuned is None or tuned.within is None or base is None or base.within is None:
        result = check(
            "adapter.hypotheses",
            status="unknown",
            reason="not_scored",
            evidence=evidence,
            run=run,
            manifest=manifest,
        )
        return Findings.of(result)
    signs = new_faults(facts, tuned, base, tuned.within.utterances)
    silence = silence_sign(tuned, base)
    shown = [*signs, *([silence] if silence else [])]
    share = sum(sign["count"] for sign in signs) / max(tuned.within.utterances, 1)
    result = check(
        "adapter.hypotheses",
        status="warn" if shown else "pass",
        reason="faulty" if signs else "words_in_silence" if silence else "ok",
        value=min(share, 1.0),
        threshold=MANY,
        details={
            "signs": shown,
            "kind": facts.config.kind(run),
            "baseline_wer": base.within.wer,
            "tuned_wer": tuned.within.wer,
        },
        evidence=evidence,
        run=run,
        manifest=manifest,
    )
    causes: list[CauseResult] = []
    explained = any(c.run == run and c.code in TOO_STRONG for c in known)
    if signs and not explained:
        paired = facts.paired.get((run, manifest))
        better = paired is not None and paired.within is not None and paired.within.outcome == "better"
        wrong_labels = any(c.code.startswith("labels.") and c.severity == "blocks" for c in known)
        learnt = facts.config.kind(run) == "train" and wrong_labels
        learnt |= wrong_rows and {sign["sign"] for sign in signs} <= TAUGHT
        carried = any(sign.get("share_of_errors") is not None for sign in signs)
        severity: Severity = "blocks" if (share > MANY or carried) and not better and not learnt else "warns"
        causes.append(result.cause("adapter.broken_hypotheses", severity=severity))
    elif silence:
        causes.append(result.cause("adapter.words_in_silence"))
    return Findings.of(result, *causes)
