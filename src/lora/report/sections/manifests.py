"""D1: rejected rows, how each manifest was read, its recordings, mismatched transcripts, and leakage from training."""

from __future__ import annotations

import statistics
from collections import Counter

from lora import layout
from lora.formatting import UNKNOWN, hours, listed, percent
from lora.layout import ResultFile
from lora.records.integrity import AudioMeasure, LeakageFacts, MismatchedTranscript
from lora.records.manifests import ManifestFacts
from lora.report.listening import listening, utterance
from lora.report.markdown import code, sentence, table, text
from lora.report.study import Study
from lora.results import read_rows

MISMATCHES = 10  # listed per manifest; the fact file has all
MOST_EXAMPLES = 5


def rejected_rows(study: Study) -> str:
    """Rejected rows per manifest, with their most frequent reasons."""
    lines = []
    for manifest in study.manifests:
        file = layout.REJECTED.path(manifest=manifest)
        if not study.exists(layout.REJECTED, manifest=manifest):
            lines.append(f"- The rejected rows of {code(manifest)} are {UNKNOWN}: {code(file)} does not exist.")
            continue
        rejected = study.table(layout.REJECTED, manifest=manifest)
        if rejected:
            reasons = Counter(row.get("reason", "") for row in rejected)
            examples = listed([f"{text(reason)} ({n})" for reason, n in reasons.most_common()])
            lines.append(
                f"- {len(rejected):,} rows of {code(manifest)} cannot be used: {examples}; see [{file}]({file})."
            )
    return "\n".join(lines) or "Every row of every manifest can be used."


def manifests(study: Study) -> str:
    """One row per manifest: format, columns, and recordings that resampling and mixing change; notes on the reading."""
    facts = {m: study.find(layout.MANIFEST_FACTS, manifest=m).value for m in study.manifests}
    if all(value is None for value in facts.values()):
        return ""  # only references were read
    rate = _model_rate(study)
    rows = [_manifest(study, manifest, value, rate) for manifest, value in facts.items()]
    headers = ["manifest", "format", "columns", "usable rows", "speakers", "resampled", "mixed to mono"]
    headers.append("one channel used")
    title = "How the manifests were read, and how many recordings are converted before transcription:"
    notes = [f"- {code(m)}: {sentence(note)}" for m, value in facts.items() if value for note in value.notes]
    return "\n\n".join([title, table(headers, rows, numbers=range(3, 8)), *(["\n".join(notes)] if notes else [])])


def _manifest(study: Study, manifest: str, facts: ManifestFacts | None, rate: int | None) -> list[str]:
    if facts is None:
        return [code(manifest), *[UNKNOWN] * 7]
    mapped = [f"{field} from {code(name)}" for field, name in facts.columns.items() if field != name]
    return [
        code(manifest),
        code(facts.format) + (f" ({code(facts.split)})" if facts.split else ""),
        listed(mapped, most=4) if mapped else "",
        f"{facts.rows:,}",
        UNKNOWN if facts.speakers is None else f"{facts.speakers:,}",
        *_converted(_measures(study, manifest), rate),
    ]


def _converted(measures: list[AudioMeasure] | None, rate: int | None) -> list[str]:
    """How many recordings are resampled, mixed to mono, and used for one of their channels."""
    if measures is None:
        return [UNKNOWN] * 3
    decoded = [m for m in measures if m.rate is not None]
    multichannel = [m for m in decoded if m.channels != 1]
    one_channel = sum(m.channel is not None for m in multichannel)
    return [
        UNKNOWN if rate is None else f"{sum(m.rate != rate for m in decoded):,}",
        f"{len(multichannel) - one_channel:,}",
        f"{one_channel:,}",
    ]


def _model_rate(study: Study) -> int | None:
    """The sampling rate (Hz) of the baseline's model, or None if it was not recorded."""
    for manifest in study.evaluations:
        settings = study.settings("base", manifest).value
        if settings is not None and settings.preprocess and settings.preprocess.get("sampling_rate"):
            return int(settings.preprocess["sampling_rate"])
    return None


def recordings(study: Study) -> str:
    """One row per manifest with measures of its audio; extremes, because faults show there first."""
    if not any(study.exists(layout.INTEGRITY, manifest=manifest) for manifest in study.manifests):
        return "The recordings were not checked, so their quality is unknown."
    headers = ["manifest", "recordings", "cannot be decoded", "speech", "sampling rates", "channels", "median level"]
    headers += ["lowest level", "smallest bandwidth", "most clipped samples"]
    rows = [_recordings(study, manifest) for manifest in study.manifests]
    return f"Recordings, measured from their samples:\n\n{table(headers, rows, numbers=[1, 2, 3, 6, 7, 8, 9])}"


def _recordings(study: Study, manifest: str) -> list[str]:
    measures = _measures(study, manifest)
    if not measures:
        return [code(manifest), *[UNKNOWN] * 9]
    levels = [m.level for m in measures if m.level is not None]
    bandwidths = [m.bandwidth for m in measures if m.bandwidth is not None]
    clipped = [m.clipped for m in measures if m.clipped is not None]
    return [
        code(manifest),
        f"{len(measures):,}",
        f"{sum(m.problem is not None for m in measures):,}",
        hours(sum(m.seconds for m in measures if m.seconds is not None) / 3600),
        listed(sorted({f"{m.rate} Hz" for m in measures if m.rate is not None}), MOST_EXAMPLES),
        listed(sorted({str(m.channels) for m in measures if m.channels is not None}), MOST_EXAMPLES),
        f"{statistics.median(levels):.0f} dB" if levels else UNKNOWN,
        f"{min(levels):.0f} dB" if levels else UNKNOWN,
        f"{min(bandwidths):g} Hz" if bandwidths else UNKNOWN,
        percent(max(clipped)) if clipped else UNKNOWN,
    ]


def _measures(study: Study, manifest: str) -> list[AudioMeasure] | None:
    """Measures of the recordings; None where the table is missing or unreadable."""
    return read_rows(study.results, layout.INTEGRITY, manifest=manifest).value


def mismatched_transcripts(study: Study) -> str:
    """One row per manifest, and the mismatched lines; training rows only if the label audit transcribed them."""
    rows, lines = [], []
    for manifest in study.manifests:
        if manifest == layout.REPLAY or (manifest == layout.TRAIN and not study.has_model):
            continue
        facts = study.find(layout.MISMATCHES, manifest=manifest).value
        if facts is None:
            rows.append([code(manifest), *[UNKNOWN] * 6])
            continue
        counts = (facts.rows, facts.compared, facts.too_short, facts.suspects, len(facts.mismatched), facts.comparisons)
        cells = [f"{n:,}" for n in counts]
        cells[4] = listening(study, cells[4], manifest, queue="mismatched")
        rows.append([code(manifest), *cells])
        lines += [_mismatch(study, manifest, row) for row in facts.mismatched[:MISMATCHES]]
    if not rows:
        return ""
    headers = ["manifest", "rows", "compared", "too short", "unlike own reference", "fits another reference"]
    headers.append("pairs compared")
    parts = [
        "Mismatched transcripts: each hypothesis of the base model, compared with its own reference and all others:",
        table(headers, rows, numbers=range(1, 7)),
    ]
    if lines:
        columns = ["manifest", "line", "row", "distance to own reference", "closest to line", "distance to it"]
        parts.append("Rows whose hypothesis fits another row's reference better (share of characters that differ):")
        parts.append(table(columns, lines, numbers=[1, 3, 4, 5]))
    return "\n\n".join(parts)


def _mismatch(study: Study, manifest: str, row: MismatchedTranscript) -> list[str]:
    line, other_line = (UNKNOWN if number is None else str(number) for number in (row.line, row.other_line))
    identifier = utterance(study, row.id, manifest)
    return [code(manifest), line, identifier, percent(row.own_distance), other_line, percent(row.other_distance)]


def leakage(study: Study) -> str:
    """What every evaluation manifest shares with the training manifest, and with `replay` in a study that has it."""
    tables = [_shared_with(study, layout.LEAKAGE, "the training manifest")]
    if layout.REPLAY in study.manifests:
        tables.append(_shared_with(study, layout.REPLAY_LEAKAGE, f"`{layout.REPLAY}`"))
    return "\n\n".join(tables)


def _shared_with(study: Study, kind: ResultFile[LeakageFacts], source: str) -> str:
    rows = []
    for manifest in study.evaluations:
        facts = study.find(kind, manifest=manifest).value
        if facts is None:
            rows.append([code(manifest), *[UNKNOWN] * 4])
            continue
        shared = [
            f"{len(same):,} of {facts.rows:,}" for same in (facts.same_audio, facts.same_reading, facts.same_sentence)
        ]
        if not study.exists(layout.INTEGRITY, manifest=manifest):
            shared[0] = UNKNOWN  # the audio was not read, so recordings could not be compared
        speakers = UNKNOWN
        if facts.speakers is not None:
            speakers = f"{len(facts.shared_speakers):,} of {facts.speakers:,}"
        rows.append([code(manifest), *shared, speakers])
    headers = ["manifest", "recordings", "sentences by the same speaker", "sentences", "speakers"]
    title = f"What each evaluation manifest shares with {source}:"
    return f"{title}\n\n{table(headers, rows, numbers=range(1, 5))}"
