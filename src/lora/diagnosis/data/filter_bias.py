"""D1: does the duration filter only make training smaller, or does it take a kind of speech away?

Judged against a lottery: rare words and speakers of few rows go missing in any smaller set, whatever it is cut by.
"""

from __future__ import annotations

import math

from lora.diagnosis.causes import cause
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.formatting import count, listed, percent, seconds
from lora.records.data import Dropped

ENOUGH_ROWS = 20  # dropped rows from which on their rate of words says something
SIGMAS = 3.0  # standard deviations (Poisson) above what a lottery would lose
UNLIKELY = 0.001  # odds that a lottery takes all rows of any one speaker


def filter_bias(facts: StudyFacts) -> Findings:
    """Silent without a limit; unknown where the facts do not hold the limit that was decided."""
    limit = facts.max_seconds
    if limit is None:
        return Findings()
    evidence = [facts.at("durations", "retention.json")]
    known = facts.retention.dropped if facts.retention else []
    dropped = next((entry for entry in known if entry.threshold == limit), None)
    if dropped is None:
        answer = Answer("unknown", f"Who and what a limit of {seconds(limit)} takes away is not known.")
        return found("data.filter_bias", answer, evidence, manifest=TRAIN)
    signs = _signs(facts, dropped)
    if not signs:
        gone = f"{count(len(dropped.lost_speakers), 'speaker')} and {count(dropped.lost_word_count, 'word')}"
        summary = (
            f"The {count(dropped.rows, 'row')} longer than {seconds(limit)} are like the rest: with them go {gone}, "
            f"{percent(dropped.lost_word_share)} of what is said, about as many as by lot."
        )
        return found("data.filter_bias", Answer("pass", summary, len(dropped.lost_speakers)), evidence, manifest=TRAIN)
    because = f"Training without rows longer than {seconds(limit)} {'; it '.join(signs)}."
    remedy = f"Cut the {count(dropped.rows, 'row')} longer than {seconds(limit)} into shorter ones with their own texts"
    remedy += ", or add shorter rows of the same kind."
    biased = cause("data.filter_biased", because, evidence, manifest=TRAIN, remedy=remedy)
    answer = Answer("fail", because, len(dropped.lost_speakers), facts.config.integrity.max_lost_speakers, biased)
    return found("data.filter_bias", answer, evidence, manifest=TRAIN)


def _signs(facts: StudyFacts, dropped: Dropped) -> list[str]:
    """In what the dropped part differs, in words that follow "training"."""
    rules, signs = facts.config.integrity, []
    people = facts.retention.curve[-1].speakers if facts.retention else None
    lost, by_lot = len(dropped.lost_speakers), dropped.expected_lost_speakers
    if people and (lost - by_lot) / people > rules.max_lost_speakers and _beyond_chance(lost, by_lot):
        names = listed(dropped.lost_speakers, most=5)
        signs.append(f"never hears {lost} of {count(people, 'speaker')} ({names}; {by_lot:.1f} by lot)")
    elif people:
        # Many speakers of a row or two hide one who would hardly ever vanish by chance.
        odds = zip(dropped.lost_speakers, dropped.lost_speaker_probabilities, strict=False)
        singled_out = [name for name, by_chance in odds if by_chance * people < UNLIKELY]
        if len(singled_out) > rules.max_lost_speakers * people:
            names = listed(singled_out, most=5)
            signs.append(f"never hears {names} of {count(people, 'speaker')}, all of whose many rows are long")
    excess = dropped.lost_word_share - dropped.expected_lost_word_share
    if excess > rules.max_lost_words and _beyond_chance(dropped.lost_word_count, dropped.expected_lost_word_count):
        share, by_lot = percent(dropped.lost_word_share), dropped.expected_lost_word_share
        names = listed(dropped.lost_words, most=5) if dropped.lost_words else "none"
        signs.append(
            f"never reads {count(dropped.lost_word_count, 'word')} that make up {share} of what is said "
            f"({names}; {percent(by_lot)} by lot)"
        )
    kept, away = dropped.kept_words_per_second, dropped.dropped_words_per_second
    if kept and away is not None and dropped.rows >= ENOUGH_ROWS and abs(away / kept - 1) > rules.max_rate_difference:
        manner = "slower" if away < kept else "faster"
        signs.append(f"loses {manner} speech ({away:.2f} words a second against {kept:.2f} in what stays)")
    return signs


def _beyond_chance(lost: int, expected: float) -> bool:
    return lost - expected > SIGMAS * math.sqrt(expected)
