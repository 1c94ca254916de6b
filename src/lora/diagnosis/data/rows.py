"""D1: how many rows survive, is that enough to train on, and can every row of the manifests be used at all?

Remedies name data and the duration filter, never settings of the training.
"""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.data.audio import audio_content, rows_of_wrong_length
from lora.diagnosis.data.filtered_rows import judge_filtered_rows
from lora.diagnosis.data.leakage import judge_leakage
from lora.diagnosis.data.split_stability import split_stability
from lora.diagnosis.data.transcript_mismatches import mismatched_transcripts
from lora.diagnosis.data.wrong_durations import starving_durations
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent, seconds
from lora.records.data import DurationDecision, SplitOption

# How reasons in rejected.tsv begin, by the cause they belong to, and what such rows have in common.
REJECTED = {
    "data.unreadable_audio": (("missing file", "unreadable audio", "zero length", "no audio"), "audio cannot be read"),
    "data.empty_transcripts": (("empty text", "no text"), "text is empty"),
    "data.duplicates": (("duplicate id",), "id was used before"),
}
# Of a manifest of texts alone nobody expects files.
NO_DURATION = "no audio: the manifest tells no duration"
GIVE_DURATIONS = "Give these rows a `duration` in seconds, or their recordings; `rejected.tsv` names every line."


def judge_data(facts: StudyFacts) -> Findings:
    findings = data_sufficiency(facts).add(judge_filtered_rows(facts), split_stability(facts))
    for manifest in facts.config.manifests:
        findings.add(rejected_rows(facts, manifest))
        findings.add(mismatched_transcripts(facts, manifest))  # its remedy stands before that of improbable lengths
        findings.add(audio_content(facts, manifest), model_window(facts, manifest))
    for manifest in facts.config.evaluations:
        findings.add(judge_leakage(facts, manifest))
    return findings


def data_sufficiency(facts: StudyFacts) -> Findings:
    """The criterion: rows in the training split, after filter and split."""
    needed = facts.config.durations.min_train_samples
    evidence = [facts.path(layout.SPLIT_SIZES), facts.path(layout.DECISION)]
    if "train" not in facts.sizes:
        made = "was not made" if TRAIN in facts.config.manifests else "is not known: no training manifest is named"
        answer = Answer("unknown", f"The training split {made}.", threshold=needed)
        return found("data_sufficiency", answer, evidence, manifest=TRAIN)
    rows = facts.sizes["train"].rows
    limit = "without a duration limit"
    if facts.max_seconds is not None:
        limit = f"with rows of at most {seconds(facts.max_seconds)}"
    summary = f"{count(rows, 'row')} in the training split {limit}; {needed} are needed."
    explained = starving_durations(facts, evidence)
    if rows >= needed:
        return found("data_sufficiency", Answer("pass", summary, rows, needed, explained), evidence, manifest=TRAIN)
    answer = Answer("fail", summary, rows, needed, explained or _starvation(facts, rows, evidence))
    return found("data_sufficiency", answer, evidence, manifest=TRAIN)


def _starvation(facts: StudyFacts, rows: int, evidence: list[str]) -> CauseResult:
    """Is the filter at fault (another threshold would do), or is there too little to filter?"""
    needed, decision, limit = facts.config.durations.min_train_samples, facts.decision, facts.max_seconds
    better = None if decision is None else _option(decision, decision.stable or decision.sufficient)
    if limit is not None and better is not None and better.threshold > limit and better.train_rows >= needed:
        return cause(
            "data.filter_starves_training",
            f"Rows of at most {seconds(limit)} leave only {rows} of the {needed} training rows needed, "
            f"while {seconds(better.threshold)} would leave {better.train_rows}.",
            evidence,
            manifest=TRAIN,
            remedy=f"Set `durations.max_seconds` to {better.threshold:g} (or to `auto`, which chooses it).",
        )
    most = max((option.train_rows for option in decision.options), default=rows) if decision else rows
    most = max(most, rows)
    tried = [option for option in decision.options if option.train_rows == most] if decision else []
    where = f"even at {seconds(tried[0].threshold)}" if tried else "without any filter"
    rejected = len(facts.rejected.get(TRAIN, []))
    remedy = _more_rows(needed - most, tried[0] if tried else None)
    if rejected:
        evidence = [*evidence, facts.path(layout.REJECTED, manifest=TRAIN)]
        mend = f"Mend the {count(rejected, 'row')} of the training manifest that cannot be used"
        mend += f" (`{TRAIN}.rejected.tsv` names every line)."
        remedy = f"{mend} {remedy}" if rejected < needed - most else mend
    wrong = rows_of_wrong_length(facts, TRAIN)
    if wrong:
        evidence = [*evidence, facts.path(layout.INTEGRITY, manifest=TRAIN)]
        mend = f"First correct the durations of {count(wrong, 'row')} of the training manifest"
        remedy = f"{mend}, which the audio contradicts. {remedy}"
    return cause(
        "data.too_few_samples",
        f"The training split holds {count(rows, 'row')}{f' and at most {most}' if most > rows else ''} {where}: "
        f"{count(needed - most, 'row is', 'rows are')} missing of the {needed} needed.",
        evidence,
        manifest=TRAIN,
        remedy=remedy,
    )


def _more_rows(missing: int, option: SplitOption | None) -> str:
    """How many recordings to add, counting those that the split will hand to validation."""
    if option is None or not option.train_rows:
        return f"Add at least {missing} usable recordings to the training manifest."
    rows = math.ceil(missing * option.rows / option.train_rows)
    hours = rows * option.hours / option.rows
    return (
        f"Add at least {count(rows, 'recording')} of at most {seconds(option.threshold)} to the training manifest "
        f"(about {hours:.1f} hours at the present mean length; the split keeps a part for validation)."
    )


def _option(decision: DurationDecision, threshold: float | None) -> SplitOption | None:
    return next((option for option in decision.options if option.threshold == threshold), None)


def rejected_rows(facts: StudyFacts, manifest: str) -> Findings:
    """Rows of a manifest that nothing could use, by kind."""
    evidence = [facts.path(layout.REJECTED, manifest=manifest)]
    if manifest not in facts.rows:
        return found("data.rejected_rows", Answer("unknown", f"{manifest} was not read."), evidence, manifest=manifest)
    rejected = facts.rejected.get(manifest, [])
    total = facts.rows[manifest] + len(rejected)
    if not total:
        answer = Answer("fail", f"{manifest} holds no row at all.", 0, 0)
        return found("data.rejected_rows", answer, evidence, manifest=manifest)
    if not rejected:
        answer = Answer("pass", f"All {count(total, 'row')} of {manifest} can be used.", 0, 0)
        return found("data.rejected_rows", answer, evidence, manifest=manifest)
    rules = facts.config.integrity
    most = {
        "data.unreadable_audio": rules.max_unreadable,
        "data.empty_transcripts": rules.max_empty,
        "data.duplicates": rules.max_duplicates,
    }
    causes = []
    for code, (beginnings, what) in REJECTED.items():
        lines = [str(row.line) for row in rejected if row.reason.startswith(beginnings)]
        if len(lines) > most[code] * total:
            share = percent(len(lines) / total)
            because = (
                f"The {what} in {len(lines):,} of {count(total, 'row')} of {manifest} ({share}; line {listed(lines)})."
            )
            untold = all(row.reason.startswith(NO_DURATION) for row in rejected if row.reason.startswith(beginnings))
            remedy = GIVE_DURATIONS if untold else None
            causes.append(cause(code, because, evidence, manifest=manifest, remedy=remedy))
    reasons = sorted({row.reason.split(":")[0].split(",")[0] for row in rejected})
    answer = Answer(
        "fail" if causes else "warn",
        f"{len(rejected):,} of {count(total, 'row')} of {manifest} cannot be used: {listed(reasons)}.",
        len(rejected),
        0,
    )
    findings = found("data.rejected_rows", answer, evidence, manifest=manifest)
    return findings.add(Findings(causes=causes))


def model_window(facts: StudyFacts, manifest: str) -> Findings:
    """Rows longer than the audio the model hears in one piece; silent where the model has no such limit."""
    window = _window(facts, manifest)
    if window is None:
        return Findings()
    if manifest == TRAIN:
        kept = [
            m
            for m in facts.audio.get(TRAIN, [])
            if facts.max_seconds is None or m.manifest_duration <= facts.max_seconds
        ]
        long = [m.id for m in kept if m.seconds is not None and m.seconds > window]
        evidence = [facts.path(layout.INTEGRITY, manifest=TRAIN), facts.path(layout.DECISION)]
        return _window_answer(TRAIN, long, len(kept), "training rows", window, evidence) if kept else Findings()
    wer = facts.wer.get((BASE, manifest))
    if wer is None or wer.within is None:
        return Findings()
    long = [row.id for row in wer.utterances if row.duration > window]
    evidence = [facts.path(layout.WER, run=BASE, manifest=manifest)]
    return _window_answer(manifest, long, len(wer.utterances), "rows", window, evidence)


def _window(facts: StudyFacts, manifest: str) -> float | None:
    """Seconds the model hears in one piece: as configured, else as known of its family."""
    configured = None if facts.config.model is None else facts.config.model.max_audio_seconds
    if isinstance(configured, int | float):
        return float(configured)
    if manifest == TRAIN:
        return facts.decision.model_window_seconds if facts.decision else None
    settings = facts.settings.get((BASE, manifest))
    return settings.model.window_seconds if settings and settings.model else None


def _window_answer(
    manifest: str, long: list[str], total: int, what: str, window: float, evidence: list[str]
) -> Findings:
    if not long:
        answer = Answer("pass", f"All {total} {what} fit into the model's window of {seconds(window)}.", 0, 0)
        return found("data.model_window", answer, evidence, manifest=manifest)
    told = f"{len(long)} of {total} {what} are longer than the {seconds(window)} the model hears"
    because = f"On {manifest}, {told} ({listed(long)})."
    remedy = None
    if manifest == TRAIN:
        remedy = f"Set `durations.max_seconds` to at most {window:g}, or cut these recordings into pieces."
    broken = cause("data.exceeds_model_window", because, evidence, manifest=manifest, remedy=remedy)
    return found("data.model_window", Answer("fail", because, len(long), 0, broken), evidence, manifest=manifest)
