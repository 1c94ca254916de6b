"""Sentences of the data checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lora.diagnosis.facts import TRAIN
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.formatting import count, hours, listed, percent, round_percent, seconds

Details = Mapping[str, Any]
REMEDY_NAMES = 8  # lines that a remedy names


def named(names: Sequence[object], total: int, most: int = 3) -> str:
    """The first names and how many more there are: `3, 9 and 4 more`."""
    shown = [str(name) for name in names[:most]]
    rest = total - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest and shown else listed(shown)


# Training split.


def data_sufficiency(result: CheckResult) -> str:
    details = result.details
    if result.reason == "not_computed":
        return "The training split was not computed."
    if result.reason == "no_training_manifest":
        return "There is no training split, because no training manifest is configured."
    limit = "without a duration limit"
    if details["max_seconds"] is not None:
        limit = f"with rows of at most {seconds(details['max_seconds'])}"
    return f"{count(details['rows'], 'row')} in the training split {limit}; {details['needed']:,} are needed."


def starving_filter(result: CauseResult) -> str:
    details = result.details
    return (
        f"{details['rows']:,} of the {details['needed']:,} training rows needed remain at "
        f"`max_seconds` {details['max_seconds']:g}; {seconds(details['better'])} would leave {details['better_rows']:,}."
    )


def raise_limit(result: CauseResult) -> str:
    return f"Set `durations.max_seconds` to {result.details['better']:g}, or to `auto`, which chooses it."


def too_few_samples(result: CauseResult) -> str:
    details = result.details
    where = "without any filter" if details["at"] is None else f"even at {seconds(details['at'])}"
    most = f", and at most {details['most']:,}" if details["most"] > details["rows"] else ""
    return (
        f"{count(details['missing_rows'], 'row')} of the {details['needed']:,} needed are missing: the training split has "
        f"{count(details['rows'], 'row')}{most} {where}."
    )


def add_rows(result: CauseResult) -> str:
    details = result.details
    instructions = []
    if details["wrong_durations"]:
        rows = count(details["wrong_durations"], "row")
        instructions.append(
            f"First correct `duration` in {rows} of the training manifest, which the audio contradicts."
        )
    if details["rejected"]:
        instructions.append(
            f"Fix the {count(details['rejected'], 'rejected row')} of the training manifest "
            f"(`{TRAIN}.rejected.tsv` lists every line)."
        )
    if details["rejected"] < details["missing_rows"] or not details["rejected"]:
        instructions.append(_more_rows(details["add"], details["missing_rows"]))
    return " ".join(instructions)


def _more_rows(add: Details | None, missing: int) -> str:
    if add is None:
        return f"Add at least {count(missing, 'usable recording')} to the training manifest."
    return (
        f"Add at least {count(add['rows'], 'recording')} of at most {seconds(add['max_seconds'])} to the training "
        f"manifest (about {hours(add['hours'])} at the present mean length, including the rows that the split takes for "
        "validation)."
    )


def filtered_rows(result: CheckResult | CauseResult) -> str:
    details = result.details
    limit = seconds(details["max_seconds"])
    if result.reason == "not_computed":
        return f"What a limit of {limit} removes from training was not computed."
    if result.reason == "ok":
        return (
            f"{count(details['lost_speakers'], 'speaker')} and {count(details['lost_words'], 'word')} "
            f"({percent(details['lost_word_share'])} of all running words) occur only in the "
            f"{count(details['rows'], 'row')} longer than {limit}, about as many as in a random sample of that size."
        )
    sentences = [FILTER_SIGNS[sign["sign"]](sign) for sign in details["signs"]]
    return f"Without rows longer than {limit}, training {'; it '.join(sentences)}."


def _speakers_lost(sign: Details) -> str:
    names = listed(sign["names"], most=5)
    return f"loses {sign['lost']:,} of {count(sign['speakers'], 'speaker')} ({names}; {sign['expected']:.1f} by chance)"


def _speakers_removed(sign: Details) -> str:
    return (
        f"loses all of the many rows of {listed(sign['names'], most=5)} ({count(sign['speakers'], 'speaker')} in all)"
    )


def _words_lost(sign: Details) -> str:
    names = f"{listed(sign['names'], most=5)}; " if sign["names"] else ""
    return (
        f"loses {count(sign['lost'], 'word')} that make up {percent(sign['share'])} of all running words "
        f"({names}{percent(sign['expected_share'])} by chance)"
    )


def _speaking_rate(sign: Details) -> str:
    manner = "slower" if sign["removed"] < sign["remaining"] else "faster"
    return (
        f"loses {manner} speech ({sign['removed']:.2f} words per second against {sign['remaining']:.2f} in the rows "
        "that remain)"
    )


FILTER_SIGNS: dict[str, Callable[[Details], str]] = {
    "speakers_lost": _speakers_lost,
    "speakers_removed": _speakers_removed,
    "words_lost": _words_lost,
    "speaking_rate": _speaking_rate,
}


def cut_filtered_rows(result: CauseResult) -> str:
    rows, limit = count(result.details["rows"], "row"), seconds(result.details["max_seconds"])
    return (
        f"Cut the {rows} longer than {limit} into shorter ones with their own transcripts, or add shorter rows of the "
        "same kind."
    )


def split_seeds(result: CheckResult | CauseResult) -> str:
    details = result.details
    if result.reason == "not_computed":
        return "The splits of other seeds were not computed."
    if result.reason == "ok":
        return (
            f"{details['fewest_rows']:,} or more training rows remain with each of {count(details['seeds'], 'split seed')}, "
            f"and at most {percent(details['held_out'])} of the speakers are held out of training."
        )
    sentences = []
    if "too_few_rows" in details["signs"]:
        sentences.append(
            f"{details['short_seeds']} of {count(details['seeds'], 'split seed')} leave fewer than the "
            f"{details['needed']:,} training rows needed (seed {details['fewest_rows_seed']} leaves "
            f"{details['fewest_rows']:,})"
        )
    if "speakers_held_out" in details["signs"]:
        sentences.append(
            f"seed {details['held_out_seed']} holds {percent(details['held_out'])} of the "
            f"{count(details['speakers'] or 0, 'speaker')} out of training (tolerated: "
            f"{round_percent(details['tolerated_held_out'])})"
        )
    text = "; ".join(sentences)
    return f"{text[0].upper()}{text[1:]}."


def stable_limit(result: CauseResult) -> str | None:
    stable = result.details["stable_max_seconds"]
    if stable is None:
        return None
    return f"Set `durations.max_seconds` to {stable:g}, or to `auto`: with that limit every seed leaves enough."


# Rows.


def rejected_rows(result: CheckResult) -> str:
    details = result.details
    if result.reason == "not_read":
        return f"{result.manifest} was not read."
    if result.reason == "empty":
        return f"{result.manifest} has no rows."
    rows = count(details["rows"], "row")
    if result.reason == "ok":
        return f"All {rows} of {result.manifest} can be used."
    kinds = listed(details["kinds"])
    return f"{details['rejected']:,} of {rows} of {result.manifest} are rejected: {kinds}."


def _rejected_because(problem: str) -> Callable[[CauseResult], str]:
    def sentence(result: CauseResult) -> str:
        details = result.details
        share = percent(details["affected"] / details["rows"])
        lines = named(details["lines"], details["affected"])
        noun = "line" if details["affected"] == 1 else "lines"
        return (
            f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} ({share}; {noun} {lines}) "
            f"{problem}."
        )

    return sentence


def give_durations(result: CauseResult) -> str | None:
    if not result.details["no_duration"]:
        return None
    return "Add `duration` in seconds to these rows, or provide their recordings; `rejected.tsv` lists every line."


def model_window(result: CheckResult | CauseResult) -> str:
    details, window = result.details, seconds(result.details["window"])
    rows = count(details["rows"], "row")
    if result.reason == "ok":
        return f"All {rows} of {result.manifest} are within the model's window of {window}."
    ids = named(details["ids"], details["affected"])
    return f"{details['affected']:,} of {rows} of {result.manifest} are longer than the model's window of {window} ({ids})."


def cut_to_window(result: CauseResult) -> str | None:
    if result.manifest != TRAIN:
        return None
    window = result.details["window"]
    return f"Set `durations.max_seconds` to at most {window:g}, or cut these recordings and their transcripts."


def overlap(result: CheckResult | CauseResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason == "not_computed":
        return f"{manifest} was not compared with the training manifest."
    rows = count(details["rows"], "row")
    if result.reason == "shared_speakers":
        return (
            f"{details['shared_speakers']:,} of {count(details['speakers'] or 0, 'speaker')} of {manifest} "
            f"({named(details['speaker_names'], details['shared_speakers'])}) are in training too, so a gain may be "
            "limited to them."
        )
    if result.reason == "shared_rows":
        return f"Training contains {' and '.join(_shared_parts(details))} of the {rows} of {manifest}."
    sentences = (
        f"{count(details['sentences'], 'sentence')} of {rows} occur in training (tolerated: "
        f"{round_percent(details['tolerated_sentences'])})"
    )
    if details["shared_rows"]:
        return (
            f"{count(details['shared_rows'], 'row')} of {manifest} are in training, within the tolerated share, and no "
            f"speaker is; {sentences}."
        )
    compared = "recording, text by the same speaker or speaker" if details["audio_compared"] else "text or speaker"
    limit = "" if details["audio_compared"] else " (recordings were not compared)"
    return f"0 rows of {manifest} are in training: no shared {compared}{limit}; {sentences}."


def _shared_parts(details: Details) -> list[str]:
    parts = []
    if details["too_many_rows"] and details["recordings"]:
        parts.append(
            f"{count(details['recordings'], 'recording')} ({_line_pairs(details, 'recording_lines', 'recordings')})"
        )
    if details["too_many_rows"] and details["texts"]:
        texts = count(details["texts"], "text")
        parts.append(f"{texts} by the same speaker ({_line_pairs(details, 'text_lines', 'texts')})")
    if details["too_many_sentences"]:
        share = percent(details["sentences"] / details["rows"])
        tolerated = round_percent(details["tolerated_sentences"])
        parts.append(f"the sentences of {details['sentences']:,} ({share}; tolerated: {tolerated})")
    return parts


def _line_pairs(details: Details, key: str, total: str) -> str:
    pairs = [f"line {pair['line']} is line {pair['train_line']} of training" for pair in details[key]]
    return named(pairs, details[total], most=2)


def separate_speakers(result: CauseResult) -> str | None:
    if result.reason != "shared_speakers":
        return None
    return f"Remove these speakers from the training manifest, or add other speakers to {result.manifest}."


# Audio.


def audio(result: CheckResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason == "not_measured":
        return f"The audio of {manifest} was not measured."
    recordings = count(details["rows"], "recording")
    if result.reason == "ok":
        return f"{recordings} of {manifest} were measured, and all have the expected length, level and bandwidth."
    faults = "; ".join(
        f"{count(fault['affected'], 'row')} with {FAULTS[fault['fault']](fault)}" for fault in details["faults"]
    )
    return f"{result.value:,} of {recordings} of {manifest} look wrong: {faults}."


def audio_fault(result: CauseResult) -> str:
    details = result.details
    share, lines = percent(details["affected"] / details["rows"]), named(details["lines"], details["affected"])
    tolerated = f" (tolerated: {round_percent(details['tolerated'])})" if details["tolerated"] else ""
    rows = f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} ({share}; {lines})"
    return f"{rows} have {FAULTS[result.reason](details)}{tolerated}."


def _wrong_durations(fault: Details) -> str:
    first = fault["first"]
    text = (
        f"another duration than the manifest claims ({first['line']}: {seconds(first['manifest'])} in the manifest, "
        f"{seconds(first['audio'])} of audio)"
    )
    return f"{text}, apparently in milliseconds" if fault["milliseconds"] else text


def _text_rate(fault: Details) -> str:
    median = f", {fault['median']:.1f} characters per second" if fault["median"] else ""
    return f"over {fault['ratio']:g} times more or less text per second than the median row{median}"


def _narrowband(fault: Details) -> str:
    rates = listed([f"{rate} Hz" for rate in fault["sampling_rates"]])
    return f"no signal above {fault['bandwidth']:g} Hz though sampled at {rates}"


def _repeated(fault: Details) -> str:
    return f"the recording of an earlier row ({fault['first']['line']} repeats {fault['first']['repeats']})"


def _other_format(unit: str) -> Callable[[Details], str]:
    def phrase(fault: Details) -> str:
        return f"{listed([str(value) for value in fault['others']])} {unit} (most have {fault['usual']})"

    return phrase


# What rows with a fault have, by the name of the fault.
FAULTS: dict[str, Callable[[Details], str]] = {
    "wrong_durations": _wrong_durations,
    "silent": lambda fault: f"no level above {fault['level']:g} dB",
    "clipped": lambda fault: "clipped peaks",
    "narrowband": _narrowband,
    "text_rate": _text_rate,
    "repeated": _repeated,
    "other_channels": _other_format("channels"),
    "other_sampling_rate": _other_format("Hz"),
}


def wrong_durations(result: CauseResult) -> str:
    details = result.details
    if result.reason != "starve_training":
        return audio_fault(result)
    wrong = count(details["affected"], "duration is", "durations are")
    return (
        f"{wrong} wrong in the training manifest: by these, {seconds(details['threshold'])} leaves "
        f"{count(details['rows_by_manifest'], 'training row')}, by the audio about {details['rows_by_audio']:,}."
    )


def correct_durations(result: CauseResult) -> str | None:
    if result.reason == "starve_training":
        return "Write `duration` of the training manifest in seconds, or remove the key so that audio headers are read."
    if result.details["milliseconds"]:
        return "Write `duration` in seconds, or remove the key so that audio headers are read."
    return None


def duplicates(result: CauseResult) -> str:
    return (
        audio_fault(result)
        if result.reason == "repeated"
        else _rejected_because("use an id that was used before")(result)
    )


def remove_duplicates(result: CauseResult) -> str | None:
    if result.reason == "repeated":
        return "Remove the rows with repeated recordings, or correct their audio paths."
    return None


# Transcripts of other utterances.


def texts(result: CheckResult | CauseResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason == "not_compared":
        return f"Transcripts of {manifest} were not compared with what the base model transcribes."
    sampled = "sampled " if manifest == TRAIN else ""
    rows = f"{details['compared']:,} {sampled}rows of {manifest}"
    if result.reason == "ok":
        return (
            f"0 of {rows} have a base model hypothesis that fits the transcript of another row better than their own."
        )
    text = (
        f"{details['mismatched']:,} of {rows} ({percent(details['share'])}) have a base model hypothesis that fits the "
        f"transcript of another row ({mismatch_examples(details)})"
    )
    if details["offset"] is not None:
        text += (
            f"; {details['shifted']:,} of the {details['mismatched']:,} match the transcript "
            f"{lines_away(details['offset'])}: the transcripts are shifted"
        )
    if details["contradicted_by"] is not None:
        text += (
            f"; {details['contradicted_by']} transcribes the rows as written, so the hypotheses of base are assigned to "
            "wrong rows, not these transcripts"
        )
    return f"{text}."


def mismatch_examples(details: Details) -> str:
    """The first two mismatched rows with both distances, and how many more there are."""
    parts = [
        f"{row['row']}: {percent(row['own_distance'])} of the characters differ from its own transcript, "
        f"{percent(row['other_distance'])} from that of {row['other']}"
        for row in details["first"][:2]
    ]
    more = details["mismatched"] - len(parts)
    return "; ".join([*parts, *([f"{more:,} more"] if more > 0 else [])])


def lines_away(offset: int) -> str:
    """`1 line above`, `2 lines below`."""
    return f"{count(abs(offset), 'line')} {'below' if offset > 0 else 'above'}"


def correct_texts(result: CauseResult) -> str | None:
    if result.reason == "text_rate":
        return None
    details, manifest = result.details, result.manifest
    if details["offset"] is not None:
        remedy = (
            f"Shift the transcripts of {manifest} back: between lines {details['first_line']} and "
            f"{details['last_line']}, each row's transcript is {lines_away(details['offset'])} (`{details['file']}` lists "
            "every line)."
        )
    else:
        rows = [f"{row['row']} (audio of {row['other']})" for row in details["first"]]
        remedy = f"Listen to these rows of {manifest} and correct their transcripts: "
        remedy += named(rows, details["mismatched"], most=REMEDY_NAMES)
        remedy += f"; `{details['file']}` lists every line." if details["mismatched"] > REMEDY_NAMES else "."
    if manifest == TRAIN and details["compared"] < details["rows"]:
        remedy += (
            f" Only {details['compared']:,} of its {details['rows']:,} rows were transcribed: check the others too."
        )
    return remedy


def transcript_mismatch(result: CauseResult) -> str:
    return audio_fault(result) if result.reason == "text_rate" else texts(result)


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "data_sufficiency": data_sufficiency,
    "data.filtered_rows": filtered_rows,
    "data.split_seeds": split_seeds,
    "data.rejected_rows": rejected_rows,
    "data.texts": texts,
    "data.audio": audio,
    "data.model_window": model_window,
    "data.overlap": overlap,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "data.too_few_samples": too_few_samples,
    "data.filter_starves_training": starving_filter,
    "data.filter_biased": filtered_rows,
    "data.unstable_split": split_seeds,
    "data.unreadable_audio": _rejected_because("have no readable audio"),
    "data.empty_transcripts": _rejected_because("have no transcript"),
    "data.duplicates": duplicates,
    "data.exceeds_model_window": model_window,
    "data.leakage": overlap,
    "data.wrong_durations": wrong_durations,
    "data.silent_audio": audio_fault,
    "data.clipped_audio": audio_fault,
    "data.sample_rate_mismatch": audio_fault,
    "data.transcript_mismatch": transcript_mismatch,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.too_few_samples": add_rows,
    "data.filter_starves_training": raise_limit,
    "data.filter_biased": cut_filtered_rows,
    "data.unstable_split": stable_limit,
    "data.unreadable_audio": give_durations,
    "data.duplicates": remove_duplicates,
    "data.exceeds_model_window": cut_to_window,
    "data.leakage": separate_speakers,
    "data.wrong_durations": correct_durations,
    "data.transcript_mismatch": correct_texts,
}
