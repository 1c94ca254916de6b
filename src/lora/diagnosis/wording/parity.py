"""Sentences of the comparison of two runs: settings, rows, normalizers and external hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import listed_examples
from lora.diagnosis.wording.texts import lines_away, mismatch_examples
from lora.formatting import count, listed, percent, points
from lora.records.parity import Rescored

Result = CheckResult | CauseResult

MATCHED_BY = {
    "id": "by id",
    "file name": "by audio file name",
    "id without case": "by id, ignoring case",
    "file name without case": "by audio file name, ignoring case",
    "speaker and id": "by speaker and id",
    "speaker and id without case": "by speaker and id, ignoring case",
    "line": "by their order, without ids",
    "time": "by the times of their words in the recording",
}


def settings(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_compared":
        message = details.get("message")
        if message:
            return f"{run}: {message.rstrip('.')}."
        return f"Settings of {run} were not compared with the baseline's{_on(result)}."
    different = details["different"]
    not_recorded = details["not_recorded"]
    parts = []
    if different:
        parts.append(
            f"{count(len(different), 'setting')} of {run} {_differ(different)} from base ({listed(different)})"
        )
    if not_recorded:
        parts.append(
            f"{count(len(not_recorded), 'setting')} of {run} or base {_were(not_recorded)} not recorded "
            f"({listed(not_recorded)})"
        )
    if not parts:
        parts.append(f"all {count(details['compared'], 'recorded setting')} of {run} and base are equal")
    return f"On {result.manifest}, {'; '.join(parts)}."


def _on(result: Result) -> str:
    return "" if result.manifest is None else f" on {result.manifest}"


def _differ(fields: list[str]) -> str:
    return "differs" if len(fields) == 1 else "differ"


def _were(fields: list[str]) -> str:
    return "was" if len(fields) == 1 else "were"


def criterion(result: Result) -> str:
    if result.reason == "no_candidate":
        return "There is no candidate whose settings could be compared."
    if result.reason == "mismatched_hypotheses":
        manifests = listed(result.details["manifests"])
        return f"Hypotheses of {result.run} or base are assigned to other rows on {manifests}."
    return other_utterances(result)


def other_utterances(result: Result) -> str:
    """Ids that only one of the two runs has."""
    missing = result.details["missing_ids"]
    extra = result.details["extra_ids"]
    parts = []
    if missing["count"]:
        parts.append(
            f"{result.run} lacks {count(missing['count'], 'utterance')}{_of(result)} ({listed_examples(missing)})"
        )
    if extra["count"]:
        utterances = count(extra["count"], "utterance")
        parts.append(f"{result.run} has {utterances} that base lacks{_on(result)} ({listed_examples(extra)})")
    return f"{' and '.join(parts)}."


def _of(result: Result) -> str:
    return "" if result.manifest is None else f" of {result.manifest}"


def settings_differ(result: CauseResult) -> str:
    """What differs between base and a run, on one manifest."""
    details = result.details
    run = result.run or ""
    parts = [
        f"{field['field']} is {_shown(field['baseline'])} for base and {_shown(field['candidate'])} for {run}"
        for field in details["fields"]
    ]
    if details["rows"] is not None:
        parts += rows_words(details["rows"], run)
    also = f" (also on {listed(details['also_on'])})" if details["also_on"] else ""
    text = f"On {result.manifest}{also}, {listed(parts, most=6)}."
    if details["rescored"] is not None:
        text += f" {normalizer_words(Rescored.from_json(details['rescored']))}"
    return text


def rows_words(rows: Mapping[str, Any], run: str) -> list[str]:
    """What differs between the rows of base and of a run, each in a few words (see `row_details`)."""
    parts = []
    if rows["missing_ids"]["count"]:
        parts.append(
            f"{run} lacks {count(rows['missing_ids']['count'], 'utterance')} ({listed_examples(rows['missing_ids'])})"
        )
    if rows["extra_ids"]["count"]:
        extra = count(rows["extra_ids"]["count"], "utterance")
        parts.append(f"{run} has {extra} that base lacks ({listed_examples(rows['extra_ids'])})")
    if rows["different_references"]:
        first = rows["first_reference"]
        parts.append(
            f"{run} was scored against another reference in {count(rows['different_references'], 'utterance')} "
            f"({first['id']}: {_quoted(first['baseline'])} for base, {_quoted(first['candidate'])} for {run})"
        )
    if rows["different_audio"]:
        parts.append(
            f"ids and references agree but the recorded content differs, so base and {run} transcribed different audio"
        )
    elif not parts and rows["style_only"]:
        verb = "differs" if rows["style_only"] == 1 else "differ"
        parts.append(f"{count(rows['style_only'], 'reference')} of {run} {verb} in style only")
    return parts


def normalizer_words(again: Rescored) -> str:
    """`5.80 points of the reported 6.10 points better come from the normalizer: ...`."""
    same_name = again.baseline.name == again.candidate.name
    names = [f"{n.name} ({n.version})" if same_name else n.name for n in (again.baseline, again.candidate)]
    scores = [
        f"{_moved(score.delta)} under {name}"
        for name, score in zip(names, (again.under_baseline, again.under_candidate), strict=True)
        if score is not None and score.delta is not None
    ]
    reported = again.reported_delta
    explained = again.explained_by_normalizer
    if reported is None or explained is None or not scores:
        return (
            "The part of the difference that comes from the normalizer is unknown, because neither normalizer "
            "can score "
            "both runs."
        )
    remains = f"with one normalizer it is {' and '.join(scores)}"
    if reported * explained > 0 and abs(explained) <= abs(reported):
        return f"{points(explained)} of the reported {_moved(reported)} come from the normalizer: {remains}."
    if round(explained, 6) == 0 == round(reported, 6):
        return f"No difference is reported, and none comes from the normalizer: {remains}."
    if round(explained, 6) == 0:
        return f"Nothing of the reported {_moved(reported)} comes from the normalizer: {remains}."
    begin = f"The reported difference is {_moved(reported)}" if reported else "No difference is reported"
    return f"{begin}, and the normalizer alone accounts for {_moved(explained)}: {remains}."


def _moved(delta: float) -> str:
    """`6.10 points better`, `no difference`."""
    return "no difference" if not delta else f"{points(delta)} {'better' if delta < 0 else 'worse'}"


def ids(result: Result) -> str:
    return f"{'; '.join([matched_words(result.details), *remarks(result.details)])}."


def matched_words(details: Mapping[str, Any]) -> str:
    """`188 of 188 rows of domain have a hypothesis of theirs (read as trn), 180 by id and 8 by audio file name`."""
    matched = details["matched"]
    ways = [f"{rows:,} {MATCHED_BY.get(way, way)}" for way, rows in matched.items()]
    if len(matched) == 1:
        ways = [MATCHED_BY.get(way, way) for way in matched]
    how = f", {listed(ways)}" if ways else ""
    rows = count(details["rows"], "row")
    return (
        f"{sum(matched.values()):,} of {rows} of {details['manifest']} have a hypothesis of {details['run']} "
        f"(read as {details['format']}){how}"
    )


def remarks(details: Mapping[str, Any]) -> list[str]:
    """What happened to the other hypotheses and rows of a file, each with its count and the first id."""
    kinds = {
        "unmatched": ("hypothesis", "matches no row", "match no row"),
        "ambiguous": ("hypothesis", "matches several rows or shares one", "match several rows or share one"),
        "rejected": ("hypothesis", "belongs to a rejected row", "belong to rejected rows"),
        "without_hypothesis": ("row", "has no hypothesis", "have no hypothesis"),
    }
    parts = []
    for kind, (noun, singular, plural) in kinds.items():
        number = details[kind]["count"]
        first = details[kind]["first"]
        if not number:
            continue
        words = singular if number == 1 else plural
        if noun == "row":
            subject, words = count(number, "row"), f"{words} of {details['run']}"
        else:
            subject = f"{count(number, 'hypothesis', 'hypotheses')} of {details['run']}"
        parts.append(f"{subject} {words} (first: {first[0]})")
    return parts + list(details["notes"])


def hypotheses(result: Result) -> str:
    details = result.details
    run = result.run
    manifest = result.manifest
    if result.reason == "not_compared":
        return f"Hypotheses of {run} on {manifest} were not compared with the transcripts of other rows."
    if result.reason == "ok":
        return f"Hypotheses of {run} on {manifest} belong to the rows they are assigned to, as far as transcripts show."
    rows = count(details["compared"], "row")
    share = percent(details["mismatched"] / details["compared"])
    text = (
        f"{details['mismatched']:,} of {rows} of {manifest} ({share}) have a hypothesis of "
        f"{details['mismatched_run']} that "
        f"fits the transcript of another row, while that of {details['other_run']} fits their own: "
        f"{mismatch_examples(details)}"
    )
    if details["offset"] is not None:
        text += f". {details['shifted']:,} of them belong {lines_away(details['offset'])}"
    return f"{text}."


def manifest(result: CauseResult) -> str:
    if result.check == "parity.hypotheses":
        return hypotheses(result)
    return other_utterances(result) if result.reason == "other_utterances" else settings_differ(result)


def manifest_remedy(result: CauseResult) -> str | None:
    if result.check != "parity.hypotheses":
        return None
    run = result.details["mismatched_run"]
    return f"Join the hypotheses of {run} with their rows by id instead of by position, and import them again."


def transcribe_again(result: CauseResult) -> str | None:
    """External transcripts have no settings in the configuration that could be removed."""
    if result.details["kind"] != "hypotheses":
        return None
    return f"Transcribe base or {result.run} again, with the settings of the other."


def _shown(value: Any) -> str:
    return "not set" if value is None else _short(str(value))


def _quoted(text: str) -> str:
    return f'"{_short(text)}"'


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "parity": criterion,
    "parity.settings": settings,
    "parity.ids": ids,
    "parity.hypotheses": hypotheses,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "parity.manifest": manifest,
    "parity.base_model": settings_differ,
    "parity.normalization": settings_differ,
    "parity.preprocessing": settings_differ,
    "parity.decode": settings_differ,
    "parity.padding": settings_differ,
    "parity.software": settings_differ,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "parity.manifest": manifest_remedy,
    "parity.decode": transcribe_again,
    "parity.preprocessing": transcribe_again,
}
