"""D1: what the recordings are, and what the duration filter takes away."""

from __future__ import annotations

import statistics

from lora import layout
from lora.formatting import UNKNOWN, hours, listed, percent, seconds
from lora.report.markdown import code, table, text
from lora.report.study import Study


def other_seeds(study: Study) -> str:
    """The range of training sizes over the split seeds that were tried."""
    found = study.find(layout.STABILITY)
    if found.value is None or not found.value.splits:
        return f"What other seeds of the split would leave is {found.unknown}."
    rows = [split.train_rows for split in found.value.splits]
    told = f"{len(rows)} seeds of the split leave {_range(rows)} training rows"
    people = [split.train_speakers for split in found.value.splits if split.train_speakers is not None]
    if people and found.value.speakers is not None:
        told += f", by {_range(people)} of {found.value.speakers} speakers"
    return f"{told}."


def _range(values: list[int]) -> str:
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def recordings(study: Study) -> str:
    """A row a manifest, from the measures of its audio; extremes, since a fault shows there first."""
    if not any(study.exists(layout.INTEGRITY, manifest=manifest) for manifest in study.manifests):
        return "The recordings were not listened to, so whether they are sound is unknown."
    rows = [_recordings(study, manifest) for manifest in study.manifests]
    headers = ["manifest", "recordings", "cannot be decoded", "speech", "sampling rates", "channels", "median level"]
    headers += ["quietest", "narrowest", "most clipped"]
    told = "What the recordings are, measured from their samples:"
    return f"{told}\n\n{table(headers, rows, numbers=[1, 2, 3, 6, 7, 8, 9])}"


def _recordings(study: Study, manifest: str) -> list[str]:
    measures = study.table(layout.INTEGRITY, manifest=manifest)
    if not measures:
        return [code(manifest), *[UNKNOWN] * 9]
    levels, widths, clipped = (_numbers(measures, key) for key in ("level", "bandwidth", "clipped"))
    return [
        code(manifest),
        str(len(measures)),
        str(sum(bool(m.get("problem")) for m in measures)),
        hours(sum(_numbers(measures, "seconds")) / 3600),
        listed(sorted({f"{text(m['rate'])} Hz" for m in measures if m.get("rate")})),
        listed(sorted({text(m["channels"]) for m in measures if m.get("channels")})),
        f"{statistics.median(levels):.0f} dB" if levels else UNKNOWN,
        f"{min(levels):.0f} dB" if levels else UNKNOWN,
        f"{min(widths):g} Hz" if widths else UNKNOWN,
        percent(max(clipped)) if clipped else UNKNOWN,
    ]


def _numbers(measures: list[dict[str, str]], key: str) -> list[float]:
    """Cells that hold a number; a broken table has fewer."""
    found = []
    for measure in measures:
        try:
            found.append(float(measure.get(key, "")))
        except ValueError:
            continue
    return found


def shared_with_training(study: Study) -> str:
    """What every evaluation manifest has in common with the training manifest."""
    rows = []
    for manifest in study.evaluations:
        found = study.find(layout.LEAKAGE, manifest=manifest)
        if found.value is None:
            rows.append([code(manifest), UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN])
            continue
        facts = found.value
        counts = [len(rows) for rows in (facts.same_audio, facts.same_reading, facts.same_sentence)]
        shares = [f"{n} of {facts.rows}" for n in counts]
        if not study.exists(layout.INTEGRITY, manifest=manifest):
            shares[0] = UNKNOWN  # nobody listened, so no recording could be compared
        people = UNKNOWN if facts.speakers is None else f"{len(facts.shared_speakers)} of {facts.speakers}"
        rows.append([code(manifest), *shares, people])
    headers = ["manifest", "recordings", "texts by the same speaker", "sentences", "speakers"]
    told = "What each evaluation manifest shares with the training manifest:"
    return f"{told}\n\n{table(headers, rows, numbers=range(1, 5))}"


def filter_losses(study: Study) -> str:
    """Who and what each threshold takes out of training, beside what a lottery would."""
    found = study.find(layout.RETENTION)
    if found.value is None:
        return f"Who and what the filter takes away is {found.unknown}."
    rows = [
        [
            f"> {seconds(part.threshold)}",
            str(part.rows),
            hours(part.hours),
            f"{len(part.lost_speakers)} ({part.expected_lost_speakers:.1f})",
            f"{part.lost_word_count} ({part.expected_lost_word_count:.0f})",
            percent(part.lost_word_share),
            f"{_rate(part.kept_words_per_second)} / {_rate(part.dropped_words_per_second)}",
            listed([text(name) for name in [*part.lost_speakers, *part.lost_words]], most=4),
        ]
        for part in found.value.dropped
    ]
    headers = ["without rows", "rows", "speech", "speakers lost (by lot)", "words lost (by lot)", "of what is said"]
    headers += ["words a second kept / dropped", "such as"]
    told = "What each threshold takes away, beside what dropping as many rows by lot would take:"
    picture = "![Rows, hours, speakers and words that each duration limit leaves](plots/retention.png)"
    return "\n\n".join([told, table(headers, rows, numbers=range(1, 7)), picture, *_errors_beyond(study)])


def _errors_beyond(study: Study) -> list[str]:
    """How the baseline does on what the filter would drop, as far as evaluation rows can tell."""
    told = []
    for manifest in study.evaluations:
        wer = study.wer("base", manifest).value
        if wer is None or wer.within is None or wer.all is None or wer.all.words == wer.within.words:
            continue
        beyond = (wer.all.errors - wer.within.errors) / (wer.all.words - wer.within.words)
        longer = wer.all.utterances - wer.within.utterances
        told.append(f"{percent(wer.within.wer)} and {percent(beyond)} on {code(manifest)} ({longer} longer rows)")
    return [f"Baseline WER on evaluation rows within `max_seconds` and on longer ones: {listed(told)}."] if told else []


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
