"""D1: what each duration threshold leaves and removes, the chosen limit, and the split."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.data.max_seconds import LOSSES
from lora.formatting import UNKNOWN, hours, listed, number, percent, seconds, seconds_limit
from lora.records.durations import Dropped, SplitOption
from lora.report.listening import listening
from lora.report.markdown import code, sentence, subsection, table, text
from lora.report.sections.manifests import leakage, manifests, mismatched_transcripts, recordings, rejected_rows
from lora.report.study import Study

LENGTHS = ("mean", "median", "longest")
PARTS = {"train": "training", "val": "validation", "too_long": "left out, too long"}


def training_data(study: Study) -> str:
    parts = ["## D1 · Training data", rejected_rows(study), thresholds(study)]
    if "train" in study.manifests:
        parts += [_decision(study), split_sizes(study), _other_seeds(study)]
        parts.append(subsection("What each threshold removes", _losses(study)))
    else:
        parts.append("No training manifest is configured, so the training split is unknown.")
    parts.append(subsection("How the manifests were read", manifests(study)))
    parts.append(subsection("Recordings", recordings(study)))
    parts.append(subsection("Mismatched transcripts", mismatched_transcripts(study)))
    if "train" in study.manifests:
        parts.append(subsection("Rows shared with training", leakage(study)))
    return "\n\n".join(part for part in parts if part)


def thresholds(study: Study, *, lengths: bool = True) -> str:
    """Rows of every manifest within each duration threshold.

    Args:
        study: The study.
        lengths: Whether to add mean, median and longest duration.
    """
    rows = study.table(layout.DURATION_SUMMARY)
    if not rows:
        return f"The rows within each threshold are {UNKNOWN}: `durations/summary.tsv` does not exist or is empty."
    names = list(dict.fromkeys(row.get("manifest", "") for row in rows))
    limits = list(dict.fromkeys(row.get("threshold", "") for row in rows))
    cells = {(row.get("manifest", ""), row.get("threshold", "")): row for row in rows}
    lines = []
    for name in sorted(names, key=lambda name: name != "train"):
        line = [code(name)]
        for limit in limits:
            row = cells.get((name, limit), {})
            count = row.get("rows", UNKNOWN)
            line.append(count if limit == "all" else f"{count} ({_share(row.get('share', ''))})")
        total = cells.get((name, "all"), {})
        line.append(_hours(total.get("hours", "")))
        line += [_seconds(total.get(key, "")) for key in LENGTHS if lengths]
        lines.append(line)
    headers = ["manifest", *("all rows" if limit == "all" else f"≤ {_seconds(limit)}" for limit in limits)]
    headers += ["speech", *(LENGTHS if lengths else ())]
    title = "Rows within each duration threshold, and their share:"
    return f"{title}\n\n{table(headers, lines, numbers=range(1, len(headers)))}"


def _decision(study: Study) -> str:
    decision = study.decision.value
    if decision is None:
        return f"The choice of `max_seconds` is {study.decision.unknown}."
    configured = "auto" if decision.configured is None else seconds(decision.configured)
    lines = [
        f"**`max_seconds`: {seconds_limit(decision.max_seconds)}** "
        f"(configured: {configured}; {decision.status.replace('_', ' ')}). {sentence(decision.reason)}"
    ]
    if decision.model_window_seconds is not None:
        lines.append(f"The model takes at most {seconds(decision.model_window_seconds)} of audio.")
    rows = [
        [
            f"≤ {seconds(option.threshold)}" + (" (chosen)" if option.threshold == decision.max_seconds else ""),
            f"{option.rows:,}",
            hours(option.hours),
            f"{option.train_rows:,}",
            f"{option.val_rows:,}",
            UNKNOWN if option.speakers is None else f"{option.speakers:,}",
            "yes" if option.train_rows >= decision.min_train_samples else "no",
            _enough_seeds(option, decision.min_train_samples),
            UNKNOWN if option.lost is None else listed([LOSSES[sign] for sign in option.lost]) or "nothing",
            UNKNOWN if option.padded_seconds is None else seconds(option.padded_seconds),
        ]
        for option in decision.options
    ]
    headers = ["limit", "rows", "speech", "training split", "validation split", "speakers"]
    headers += [f"at least {decision.min_train_samples:,} to train on", "split seeds with so many"]
    headers += ["loses beyond chance", "longest row, padded"]
    picture = "![Training rows by duration, with the thresholds](plots/durations.png)"
    return "\n\n".join([" ".join(lines), table(headers, rows, numbers=[*range(1, 6), 7]), picture])


def _enough_seeds(option: SplitOption, minimum: int) -> str:
    sizes = option.seeded_train_rows
    return f"{sum(rows >= minimum for rows in sizes)} of {len(sizes)}" if sizes else UNKNOWN


def _losses(study: Study) -> str:
    """The speakers and words that each threshold removes from training, compared with a random sample."""
    found = study.find(layout.RETENTION)
    if found.value is None:
        return f"The speakers and words that the filter removes are {found.unknown}."
    headers = ["removed", "rows", "speech", "speakers lost (by chance)", "distinct words lost (by chance)"]
    headers += ["share of all words", "words per second, kept / dropped", "examples"]
    title = "What each threshold removes, and what dropping as many rows by chance would remove:"
    losses = table(headers, [_loss(dropped) for dropped in found.value.dropped], numbers=range(1, 7))
    picture = "![Rows, hours, speakers and words that each duration limit leaves](plots/retention.png)"
    return "\n\n".join(part for part in (title, losses, picture, _wer_beyond(study)) if part)


def _loss(dropped: Dropped) -> list[str]:
    examples = [text(name) for name in [*dropped.lost_speakers, *dropped.lost_words]]
    return [
        f"> {seconds(dropped.threshold)}",
        f"{dropped.rows:,}",
        hours(dropped.hours),
        f"{len(dropped.lost_speakers):,} ({dropped.expected_lost_speakers:.1f})",
        f"{dropped.lost_word_count:,} ({dropped.expected_lost_word_count:.0f})",
        percent(dropped.lost_word_share),
        f"{number(dropped.kept_words_per_second)} / {number(dropped.dropped_words_per_second)}",
        listed(examples, most=4),
    ]


def _wer_beyond(study: Study) -> str:
    """The baseline's WER on evaluation rows that the filter would drop."""
    comparisons = []
    for manifest in study.evaluations:
        wer = study.wer("base", manifest).value
        if wer is None or wer.within is None or wer.all is None or wer.all.words == wer.within.words:
            continue
        beyond = (wer.all.errors - wer.within.errors) / (wer.all.words - wer.within.words)
        longer = wer.all.utterances - wer.within.utterances
        rows = listening(study, f"{longer:,}", manifest, queue="beyond_limit")
        comparisons.append(f"{percent(wer.within.wer)} and {percent(beyond)} on {code(manifest)} ({rows} longer rows)")
    if not comparisons:
        return ""
    return f"Baseline WER on evaluation rows within `max_seconds` and on longer ones: {listed(comparisons, most=5)}."


def split_sizes(study: Study) -> str:
    """Rows, speech and speakers of each part of the training manifest."""
    rows = study.table(layout.SPLIT_SIZES)
    if not rows:
        return f"The sizes of the split are {UNKNOWN}: `splits/sizes.tsv` does not exist or is empty."
    lines = [
        [
            PARTS.get(row.get("part", ""), text(row.get("part", ""))),
            text(row.get("rows", UNKNOWN)),
            _hours(row.get("hours", "")),
            text(row.get("speakers") or UNKNOWN),
        ]
        for row in rows
    ]
    return "The split used for training:\n\n" + table(["part", "rows", "speech", "speakers"], lines, numbers=[1, 2, 3])


def _other_seeds(study: Study) -> str:
    """The range of training sizes over the split seeds that were tried."""
    found = study.find(layout.STABILITY)
    if found.value is None or not found.value.splits:
        return f"The sizes of the split with other seeds are {found.unknown}."
    rows = [split.train_rows for split in found.value.splits]
    speakers = [split.train_speakers for split in found.value.splits if split.train_speakers is not None]
    by = ""
    if speakers and found.value.speakers is not None:
        by = f" of {_range(speakers)} of the {found.value.speakers:,} speakers"
    return f"With {len(rows)} split seeds, the training split has {_range(rows)} rows{by}."


def _range(values: list[int]) -> str:
    low = min(values)
    high = max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _seconds(cell: str) -> str:
    try:
        return f"{number(float(cell))} s"
    except ValueError:
        return text(cell) or UNKNOWN


def _hours(cell: str) -> str:
    try:
        return hours(float(cell))
    except ValueError:
        return text(cell) or UNKNOWN


def _share(cell: str) -> str:
    try:
        return percent(float(cell))
    except ValueError:
        return UNKNOWN
