"""Sentences about the training split."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.facts import TRAIN
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details
from lora.formatting import configured_percent, count, hours, listed, percent, seconds


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
        f"`max_seconds` {details['max_seconds']:g}; {seconds(details['better'])} would leave "
        f"{details['better_rows']:,}."
    )


def raise_limit(result: CauseResult) -> str:
    return f"Set `durations.max_seconds` to {result.details['better']:g}, or to `auto`, which chooses it."


def too_few_samples(result: CauseResult) -> str:
    details = result.details
    where = "without any filter" if details["at"] is None else f"even at {seconds(details['at'])}"
    most = f", and at most {details['most']:,}" if details["most"] > details["rows"] else ""
    return (
        f"{count(details['missing_rows'], 'row')} of the {details['needed']:,} needed are missing: the training split "
        "has "
        f"{count(details['rows'], 'row')}{most} {where}.{_kept_out(details)}"
    )


def _kept_out(details: Details) -> str:
    """Rows that the configuration keeps out of training."""
    text = ""
    validation = details["validation"]
    beyond = details["beyond_limit"]
    if validation is not None and validation["key"] == "by_speaker":
        text += (
            f" Splitting {count(validation['speakers'], 'speaker')} puts {percent(validation['share'])} of the rows "
            f"into validation, where `split.val_fraction` asks for {configured_percent(validation['asked'])}."
        )
    elif validation is not None:
        text += f" `split.val_fraction` puts {count(validation['rows'], 'row')} into validation."
    if beyond is not None:
        text += f" {beyond['rows']:,} of its {count(beyond['of'], 'row')} are longer than {seconds(beyond['limit'])}."
    return text


def add_rows(result: CauseResult) -> str:
    details = result.details
    instructions = _nearer_remedies(details)
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
        more = _more_rows(details["add"], details["missing_rows"])
        enough = details["validation"] is not None and details["validation"]["leaves"] >= details["needed"]
        instructions.append(f"Or a{more[1:]}" if enough else more)
    return " ".join(instructions)


def _nearer_remedies(details: Details) -> list[str]:
    """Keys that give rows back, before new recordings."""
    instructions = []
    validation = details["validation"]
    beyond = details["beyond_limit"]
    if validation is not None and validation["key"] == "by_speaker":
        instructions.append(
            f"Set `split.by_speaker: false`, which leaves about {count(validation['leaves'], 'training row')} "
            "(validation then has speakers of the training), or add rows of other speakers."
        )
    elif validation is not None:
        instructions.append(
            f"Set `split.val_fraction` to {validation['usual']:g}, which leaves about "
            f"{count(validation['leaves'], 'training row')}."
        )
    if beyond is not None:
        longest = "" if beyond["longest"] is None else f" (the longest row has {seconds(beyond['longest'])})"
        window = "" if beyond["window"] is None else f"; the model takes {seconds(beyond['window'])}"
        instructions.append(
            f"Raise `durations.max_seconds` or add a longer threshold to `durations.thresholds`{longest}{window}, or "
            f"cut the {count(beyond['rows'], 'long row')} into shorter ones."
        )
    return instructions


def _more_rows(add: Details | None, missing: int) -> str:
    if add is None:
        return f"Add at least {count(missing, 'usable recording')} to the training manifest."
    return (
        f"Add at least {count(add['rows'], 'recording')} of at most {seconds(add['max_seconds'])} to the training "
        f"manifest (about {hours(add['hours'])} at the present mean length, including the rows that the split takes "
        "for "
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
    if result.reason == "wrong_durations":
        return (
            f"{count(details['wrong_durations'], 'duration is', 'durations are')} wrong in the training manifest, so "
            f"what a limit of {limit} removes cannot be judged until they are corrected."
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
    rows = count(result.details["rows"], "row")
    limit = seconds(result.details["max_seconds"])
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
            f"{details['fewest_rows']:,} or more training rows remain with each of "
            f"{count(details['seeds'], 'split seed')}, "
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
            f"seed {details['held_out_seed']} keeps {percent(details['held_out'])} of the "
            f"{count(details['speakers'] or 0, 'speaker')} out of training (tolerated: "
            f"{configured_percent(details['tolerated_held_out'])})"
        )
    text = "; ".join(sentences)
    return f"{text[0].upper()}{text[1:]}."


def stable_limit(result: CauseResult) -> str | None:
    stable = result.details["stable_max_seconds"]
    if stable is None:
        return None
    return f"Set `durations.max_seconds` to {stable:g}, or to `auto`: with that limit every seed leaves enough."


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "data_sufficiency": data_sufficiency,
    "data.filtered_rows": filtered_rows,
    "data.split_seeds": split_seeds,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "data.too_few_samples": too_few_samples,
    "data.filter_starves_training": starving_filter,
    "data.filter_biased": filtered_rows,
    "data.unstable_split": split_seeds,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.too_few_samples": add_rows,
    "data.filter_starves_training": raise_limit,
    "data.filter_biased": cut_filtered_rows,
    "data.unstable_split": stable_limit,
}
