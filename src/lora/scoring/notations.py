"""The error rate in other notations of the same words: other normalisers, other letters, other word division.

A WER can count how words are written: `english` reads "three one six" as the word 316 and "3, 1, 6" as three words, and
`basic` takes "20" and "twenty" for different words. One side may lack a letter that the other writes
(`lora.scoring.letter_variants`). A notation is fair if it treats both sides alike and none of the
words that it drops or joins was spoken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice

from lora.records.base import UserError
from lora.records.scores import NotationScore
from lora.scoring.alignment import ScoredPair
from lora.scoring.letter_variants import letter_variants
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.reachable_errors import Form, is_english, region_texts, regions, same_spelling, spelling_forms

OTHERS = {
    "basic": ("english_digits", "english"),
    "english": ("english_digits", "basic"),
    "english_digits": ("basic", "english"),
}
SAMPLE = 500  # rows with errors that are looked at first: the English normaliser takes 0.3 ms a text
LEAST = 0.02  # share of these errors that a notation must remove to be counted in all rows


def notation_scores(scored: Sequence[ScoredPair], words: Normalizer) -> list[NotationScore]:
    """Errors in every other notation that removes at least 2 % of them.

    Args:
        scored: Rows within `max_seconds`, scored with `words`.
        words: Normaliser of the study. For `none`, chosen to score case and punctuation, nothing is fairer.
    """
    errors, total = _totals(scored)
    sample = list(islice((pair for pair in scored if pair.errors.edits), SAMPLE))
    sampled_errors, sampled_words = _totals(sample)
    found = []
    for other in _fair_normalizers(words, sample):
        fewer, of = _totals(pair.with_normalizer(other) for pair in sample)
        if fewer * sampled_words < (1 - LEAST) * sampled_errors * of:  # rates, of references that may all be empty
            found.append(_score(other.identity.name, *_totals(pair.with_normalizer(other) for pair in scored)))
    if words.identity.name in OTHERS:
        if (letters := _other_letters(scored, words)) is not None:
            found.append(letters)
        forms = spelling_forms(english=False)
        divided = sum(_errors_of_division(pair, forms) for pair in scored if pair.errors.edits)
        if divided > LEAST * errors:
            found.append(_score("word_division", errors - divided, total))
    return found


def _errors_of_division(pair: ScoredPair, forms: Sequence[Form]) -> int:
    """Errors of words that are divided otherwise, in the whole text or between right words."""
    if "".join(pair.reference_words) == "".join(pair.hypothesis_words):
        return pair.errors.errors
    return sum(len(region) for region in regions(pair.errors.edits) if same_spelling(*region_texts(region), forms))


def _other_letters(scored: Sequence[ScoredPair], words: Normalizer) -> NotationScore | None:
    """Errors where letters that only one side writes are those of the other; None where that makes no difference."""
    variants = letter_variants(scored)
    if not variants:
        return None
    table = str.maketrans(variants)
    alike = words.followed_by(lambda text: text.translate(table))
    errors, total = _totals(scored)
    fewer, of = _totals(pair.with_normalizer(alike) for pair in scored)
    if fewer * total >= (1 - LEAST) * errors * of:
        return None
    return _score("letters", fewer, of).model_copy(update={"letters": variants})


def _fair_normalizers(words: Normalizer, sample: Sequence[ScoredPair]) -> Iterator[Normalizer]:
    """Yield the other normalisers that suit the language of these texts and are installed."""
    own = words.identity
    texts = (text for pair in sample for text in (pair.reference, pair.hypothesis))
    english = is_english(Counter(chain.from_iterable(map(normalizer("basic", "words").words, texts))))
    for name in OTHERS.get(own.name, ()):
        if name == "basic" or english:
            with suppress(UserError):  # the package is not installed
                yield normalizer(name, own.unit, own.strip)


def _totals(scored: Iterable[ScoredPair]) -> tuple[int, int]:
    """Errors and words."""
    errors = words = 0
    for pair in scored:
        errors += pair.errors.errors
        words += pair.errors.words
    return errors, words


def _score(notation: str, errors: int, words: int) -> NotationScore:
    return NotationScore(notation=notation, errors=errors, words=words, wer=errors / words if words else None)
