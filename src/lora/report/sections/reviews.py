"""What listeners found: wrong references per manifest, and every score with and without them.

Ids and reasons are untrusted.
"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.headroom.reviews import corrected_manifest, write_command
from lora.formatting import (
    UNKNOWN,
    count,
    listed,
    outcome_words,
    percent,
    percent_range,
    points_range,
    rate_name,
    signed_points,
)
from lora.records.reviews import References, ReviewedScore, ReviewFacts
from lora.report.markdown import code, sentence, table
from lora.report.study import Study

HEADING = "## Reviewed references"
COUNTS = ["manifest", "judged", "right", "wrong", "cannot tell", "unusable audio"]
COUNTS += ["baseline errors of wrong references", "wrong in the random sample", "suspicion confirmed"]
SCORES = ["manifest", "references", "rows", "baseline", "run", "tuned", "difference", "interval", "outcome"]
NAMES: dict[References, str] = {
    "given": "as given",
    "without_wrong": "without wrong ones",
    "corrected": "corrected",
}
REJECTED_SHOWN = 10
LEGEND = (
    "*Wrong in the random sample* estimates the share of wrong references of the whole manifest, with its exact "
    "binomial interval. Rows of all other queues were chosen for their errors, so they say nothing about the rows that "
    "nobody judged. *Corrected*: corrected texts replace references; rows whose reference is wrong and has none are "
    "left out. If mostly rows that got worse were judged, the corrected difference favours the run."
)


def reviews(study: Study) -> str:
    """Judgements, scores and the corrected manifest; empty where the configuration names no review files."""
    if not study.setting("reviews"):
        return ""
    rows, scores, notes = [], [], []
    for manifest in study.evaluations:
        found = study.find(layout.REVIEW, manifest=manifest)
        if not found.known or found.value is None:
            rows.append([code(manifest), *[UNKNOWN] * (len(COUNTS) - 1)])
            notes.append(f"- What listeners found in {code(manifest)} is {found.unknown}.")
        elif found.value.counts.judged:
            rows.append(_counts(manifest, found.value))
            scores += _scores(study, manifest, found.value)
            notes += _notes(manifest, found.value)
    parts = [
        HEADING,
        table(COUNTS, rows, numbers=range(1, 8)) if rows else "Nobody has judged a row yet.",
        table(SCORES, scores, numbers=[2, 3, 5, 6, 7]) if scores else "",
        LEGEND if scores else "",
        "\n".join([*notes, *_rejected(study)]),
    ]
    return "\n\n".join(part for part in parts if part)


def _counts(manifest: str, facts: ReviewFacts) -> list[str]:
    counts = facts.counts
    noise = facts.noise
    suspicion = facts.suspicion
    sample = "none decided"
    if noise is not None:
        share = f"{percent(noise.share)}; {percent_range(noise.interval.low, noise.interval.high)}"
        sample = f"{noise.counts.reference_wrong:,} of {noise.rows:,} ({share})"
    confirmed = ""
    if suspicion is not None and suspicion.precision is not None:
        confirmed = f"{suspicion.confirmed:,} of {count(suspicion.confirmed + suspicion.refuted, 'judged row')}"
    corrected = f" ({counts.corrected:,} with corrected text)" if counts.corrected else ""
    return [
        code(manifest),
        f"{counts.judged:,}",
        f"{counts.reference_right:,}",
        f"{counts.reference_wrong:,}{corrected}",
        f"{counts.cannot_tell:,}",
        f"{counts.audio_unusable:,}",
        _errors(facts),
        sample,
        confirmed,
    ]


def _errors(facts: ReviewFacts) -> str:
    """Errors of the baseline that wrong references cause, and all of its errors."""
    errors = facts.errors
    if errors is None:
        return UNKNOWN
    at_most = "at most " if errors.uncorrected else ""
    return f"{at_most}{max(0, errors.caused + errors.uncorrected):,} of {errors.errors:,}"


def _scores(study: Study, manifest: str, facts: ReviewFacts) -> list[list[str]]:
    """One row per set of references and run; sets that change no row are left out."""
    shown = [score for score in facts.scores if score.references == "given" or facts.counts.reference_wrong]
    return [row for score in shown for row in _score(study, manifest, score)]


def _score(study: Study, manifest: str, score: ReviewedScore) -> list[list[str]]:
    wer = study.wer("base", manifest).value
    audio = ", usable audio only" if score.usable_audio else ""
    begin = [
        code(manifest),
        f"{NAMES[score.references]}{audio}",
        f"{score.baseline.utterances:,}",
        f"{rate_name(wer.unit if wer else 'words')} {percent(score.baseline.wer)}",
    ]
    if not score.runs:
        return [[*begin, *[""] * 5]]
    return [
        [
            *begin,
            code(run),
            percent(paired.tuned_wer),
            signed_points(paired.delta),
            points_range(paired.interval.low, paired.interval.high),
            outcome_words(paired.outcome, _smallest_change(study, run, manifest, score)),
        ]
        for run, paired in score.runs.items()
    ]


def _smallest_change(study: Study, run: str, manifest: str, score: ReviewedScore) -> float | None:
    """That of the verdict for its references and rows, else that of the rows which count here."""
    outcome = study.run_outcome(run, manifest)
    if outcome is not None and score.references == "given" and not score.usable_audio:
        return outcome.smallest_change
    return score.runs[run].detectable_difference


def _notes(manifest: str, facts: ReviewFacts) -> list[str]:
    lines = []
    for ids, problem in (
        (facts.disagreements, "listeners disagree, so the row counts as *cannot tell*"),
        (facts.different_texts, "listeners wrote different corrected texts, so none is used"),
    ):
        if ids:
            lines.append(
                f"- {count(len(ids), 'row')} of {code(manifest)}: {problem}: {listed([code(i) for i in ids])}."
            )
    if facts.left_out:
        runs = listed([code(run) for run in facts.left_out])
        lines.append(f"- Other rows than the baseline's, so not compared on {code(manifest)}: {runs}.")
    if facts.counts.reference_wrong or facts.counts.audio_unusable:
        lines.append(
            f"- A corrected {code(manifest)} is written by {code(write_command(manifest))}, as "
            f"{code(corrected_manifest(manifest))}; the original stays as it is."
        )
    return lines


def _rejected(study: Study) -> list[str]:
    """The first lines of review files that could not be used, and where the others are listed."""
    rows = study.table(layout.REJECTED_JUDGEMENTS)
    shown = rows[:REJECTED_SHOWN]
    lines = [f"- Not used: {code(row['file'] + ':' + row['line'])}: {sentence(row['reason'])}" for row in shown]
    if len(rows) > len(shown):
        others = count(len(rows) - len(shown), "other line")
        lines.append(f"- {others} could not be used either: {code(layout.REJECTED_JUDGEMENTS.in_study())}.")
    return lines
