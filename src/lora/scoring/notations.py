"""The error rate in other notations of the same words: under other normalisers, and without regard to word division.

A WER can count how words are written: `english` reads "three one six" as the word 316 and "3, 1, 6" as three words, and
`basic` takes "20" and "twenty" for different words. A notation is fair if it treats both sides alike and none of the
words that it drops or joins was spoken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.scores import NotationScore, UtteranceErrors
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.reachable_errors import is_english, region_words, regions, same_spelling, spelling_forms

OTHERS = {
    "basic": ("english_digits", "english"),
    "english": ("english_digits", "basic"),
    "english_digits": ("basic", "english"),
}
SAMPLE = 500  # rows with errors that are looked at first: the English normaliser takes 0.3 ms a text
LEAST = 0.02  # share of these errors that a notation must remove to be counted in all rows


def notation_scores(
    rows: Sequence[Utterance],
    transcripts: Mapping[str, Transcript],
    words: Normalizer,
    scored: Sequence[UtteranceErrors],
) -> list[NotationScore]:
    """Errors in every other notation that removes at least 2 % of them.

    Args:
        rows: Rows within `max_seconds`.
        transcripts: Hypotheses by id.
        words: Normaliser of the study. For `none`, chosen to score case and punctuation, nothing is fairer.
        scored: Errors of these rows with that normaliser.
    """
    errors, total = _totals(scored)
    wrong = {entry.id for entry in scored if entry.errors}
    sample = [row for row in rows if row.id in wrong][:SAMPLE]
    looked_at = {row.id for row in sample}
    sampled_errors, sampled_words = _totals(entry for entry in scored if entry.id in looked_at)
    found = []
    for other in _fair_normalizers(words, sample, transcripts):
        fewer, of = _totals(utterance_errors(sample, transcripts, other))
        if fewer * sampled_words < (1 - LEAST) * sampled_errors * of:  # rates, of references that may all be empty
            found.append(_score(other.identity.name, *_totals(utterance_errors(rows, transcripts, other))))
    if words.identity.name in OTHERS:
        forms = spelling_forms(english=False)
        divided = sum(
            len(region)
            for entry in scored
            for region in regions(entry.edits)
            if same_spelling(*region_words(region), forms)
        )
        if divided > LEAST * errors:
            found.append(_score("word_division", errors - divided, total))
    return found


def _fair_normalizers(
    words: Normalizer, rows: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> Iterator[Normalizer]:
    """Yield the other normalisers that suit the language of these texts and are installed."""
    own = words.identity
    texts = [text for row in rows for text in (row.text, transcripts[row.id].hypothesis)]
    english = is_english(map(normalizer("basic", "words").words, texts))
    for name in OTHERS.get(own.name, ()):
        if name == "basic" or english:
            with suppress(UserError):  # the package is not installed
                yield normalizer(name, own.unit, own.strip)


def _totals(scored: Iterable[UtteranceErrors]) -> tuple[int, int]:
    """Errors and words."""
    entries = list(scored)
    return sum(entry.errors for entry in entries), sum(entry.words for entry in entries)


def _score(notation: str, errors: int, words: int) -> NotationScore:
    return NotationScore(notation=notation, errors=errors, words=words, wer=errors / words if words else None)
