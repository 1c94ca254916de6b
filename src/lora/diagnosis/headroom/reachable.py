"""How much of the baseline's WER tuning could mend, and whether the references themselves are to be doubted."""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import baseline
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent, points, round_percent, round_points
from lora.records.reachable import ReachableFacts

TINY = 1e-12  # a share of nothing, whose logarithm is a number
CHANCE = 0.01  # odds above which that many repeated places are no sign of wrong references
FEWEST = 3  # rows: what one or two say may be an accident, however small the manifest


def judge_reachable(facts: StudyFacts, manifest: str) -> Findings:
    split = facts.reachable.get(manifest)
    return style_only(facts, manifest, split).add(
        references(facts, manifest, split), within_reach(facts, manifest, split)
    )


def style_only(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """Whether what looks like headroom is another spelling: then no word is left to be learnt."""
    id, floor = "headroom.style", facts.config.headroom.min_wer
    evidence = _evidence(facts, manifest)
    if split is None or split.status == "impossible" or not split.words:
        answer = Answer("unknown", f"How many errors on {manifest} are only spelling is not known.", None, floor)
        return found(id, answer, evidence, BASE, manifest)
    left = (split.errors - split.style) / split.words
    told = f"{split.style:,} of {count(split.errors, 'word error')} on {manifest} are only spelling{_respelled(split)}"
    told += f"; without them WER is {percent(left)}"
    if split.errors <= floor * split.words or left > floor or manifest in facts.config.general:
        return found(id, Answer("pass", f"{told}.", left, floor), evidence, BASE, manifest)
    because = f"{told}, not above the floor of {round_percent(floor)}: what looks like headroom is spelling."
    remedy = f"Write the references of {manifest} as the model spells, or evaluate on a harder manifest."
    spelling = cause("headroom.saturated", because, evidence, BASE, manifest, remedy, severity="warns")
    return found(id, Answer("warn", because, left, floor, spelling), evidence, BASE, manifest)


def references(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """Places where all runs agree on a word that is nothing like the reference, in rows heard well."""
    id, most, evidence = (
        "headroom.references",
        facts.config.headroom.max_reference_errors,
        _evidence(facts, manifest),
    )
    if split is None or split.suspected_errors is None or split.suspected_rows is None:
        answer = Answer(
            "unknown", f"Whether references of {manifest} are wrong is not known: {_why(split)}.", None, most
        )
        return found(id, answer, evidence, BASE, manifest)
    share = split.suspected_rows / max(split.utterances, 1)
    told = f"{split.suspected_rows:,} of {count(split.utterances, 'row')} of {manifest} ({percent(share)})"
    if split.suspected_rows < FEWEST or share <= most:
        summary = f"{told} hold a doubtful reference; {round_percent(most)} may."
        return found(id, Answer("pass", summary, share, most), evidence, BASE, manifest)
    if has_many_mismatches(facts, manifest):
        summary = f"{told} hold a doubtful reference, as is to be expected where texts stand in the wrong rows."
        return found(id, Answer("warn", summary, share, most), evidence, BASE, manifest)
    if _by_itself(split):
        summary = (
            f"{told} hold a place where all runs contradict the reference, no more than is to be expected: of the "
            f"baseline's other errors they repeat {percent(split.repeated_share or 0.0)} as well."
        )
        return found(id, Answer("pass", summary, share, most), evidence, BASE, manifest)
    runs = [BASE, *(candidate.run for candidate in split.candidates if candidate.independent)]
    places = [f'{p.id}: "{p.reference}" heard as "{p.hypothesis}"' for p in split.suspected_references]
    because = (
        f"In {told} the reference is contradicted by {listed(runs, 5)} alike: they hear the words around it as they "
        f"are written, and in its place another word that is nothing like it ({listed(places)}). At least "
        f"{points(split.suspected_errors / split.words)} of WER are out of the reach of any tuning."
    )
    remedy = f"Listen to the rows listed in {evidence[0]} and correct their transcripts."
    doubted = cause("headroom.reference_noise", because, evidence, BASE, manifest, remedy)
    return found(id, Answer("warn", because, share, most, doubted), evidence, BASE, manifest)


def _by_itself(split: ReachableFacts) -> bool:
    """Whether so many suspected places might be repeated by chance, as often as other errors are (binomial tail)."""
    n, found, share = split.questionable_places, split.confirmed_places, split.repeated_share
    if n is None or found is None or share is None:
        return False
    yes, no = math.log(max(share, TINY)), math.log(max(1 - share, TINY))
    ways = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no
            for k in range(found, n + 1))  # fmt: skip
    return sum(map(math.exp, ways)) > CHANCE


def within_reach(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """An upper bound of what tuning could gain, beside the gain that is hoped for."""
    id, target, evidence = "headroom.reachable", facts.config.statistics.target_gain, _evidence(facts, manifest)
    base = baseline(facts, manifest)
    if manifest in facts.config.general:
        return Findings()
    if split is None or split.status == "impossible" or base is None or not split.words:
        answer = Answer("unknown", f"How much of the WER on {manifest} tuning could mend is not known.", None, target)
        return found(id, answer, evidence, BASE, manifest)
    most = reach(split)
    taught = most - (split.out_of_vocabulary or 0) / split.words
    told = f"The target gain of {round_points(target)} is {'within' if most >= target else 'out of'} reach"
    if taught < target <= most:
        told += f" only with words that training never holds; without them {points(max(taught, 0))} are left"
    told += f". Of the baseline's {percent(base.wer)} on {manifest} tuning could mend at most {points(most)}"
    told += f": {_parts(split)}"
    return found(id, Answer("pass" if taught >= target else "warn", f"{told}.", most, target), evidence, BASE, manifest)


def reach(split: ReachableFacts) -> float:
    """WER (fraction) without errors of style and without doubtful places; no tuning can mend more."""
    return max(0, split.errors - split.style - (split.suspected_errors or 0)) / split.words


def _parts(split: ReachableFacts) -> str:
    def size(errors: int) -> str:
        return points(errors / split.words)

    parts = [f"{size(split.style)} are only spelling"]
    if split.suspected_errors is None:
        parts.append("doubtful references are not known")
    else:
        parts.append(f"{size(split.suspected_errors)} stand in doubtful references")
    if split.out_of_vocabulary is None:
        parts.append("words never heard in training are not known")
    else:
        words = [f"{one.word} ({one.count})" for one in split.out_of_vocabulary_words]
        named = f" ({listed(words)})" if words else ""
        parts.append(f"{size(split.out_of_vocabulary)} are words that training never holds{named}")
    if split.agreed is not None:
        parts.append(f"in {size(split.agreed)} every candidate still writes what the baseline writes")
    return "; ".join(parts)


def _respelled(split: ReachableFacts) -> str:
    shown = [f'"{one.reference}" as "{one.hypothesis}"' for one in split.respelled]
    return f" ({listed(shown)})" if shown else ""


def _why(split: ReachableFacts | None) -> str:
    if split is None or split.status == "impossible":
        return "the baseline's errors could not be split"
    if split.training_words is None:
        return "there is no training text to compare words with"
    if not split.candidates:
        return "there is no candidate whose agreement could tell"
    return "no candidate differs enough from the baseline for its agreement to tell"


def _evidence(facts: StudyFacts, manifest: str) -> list[str]:
    return [facts.path(layout.REACHABLE, manifest=manifest)]
