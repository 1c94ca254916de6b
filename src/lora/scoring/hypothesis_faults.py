"""Hypotheses that are no transcript: empty, one token repeated, one sentence everywhere, another script or language.

Every hypothesis has at most one kind of fault, the first that applies in the order of `FaultKind`. Thresholds are
explained in docs/methods.md (Faulty hypotheses). Repetition loops are found by `lora.scoring.loops`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import TypeVar

from rapidfuzz.distance import Levenshtein

from lora.records.scores import FaultKind, HypothesisFault
from lora.scoring.alignment import ScoredPair, Words

T = TypeVar("T")

# Characters that repeat from the first to the last one; the unit is as long as a token may be.
REPEATED = re.compile(r"(.{1,6}?)\1{3,}.{0,5}", re.DOTALL)
MIN_REPEATS_OF_LETTERS = 8  # "aaaa" and "0000" may be transcripts; signs that repeat four times are not
UNRELATED = 0.65  # distance from which two texts are unrelated (see lora.scoring.transcript_mismatches)
MIN_WORDS = 3  # of both texts, to judge the language
# Words that texts have too many or too few at one end: three in a tenth of them, or one in half of them.
EDGES = ((3, 0.1), (1, 0.5))
MOST_ADDED = 40  # words that are looked at
SAMPLE = 1000  # texts from which their number is chosen
WHOLLY = 0.8  # share of the added words that must be errors too many
SHARED = 0.2  # share of the words of a hypothesis that an unrelated reference may contain by chance
KNOWN = 0.5  # share of its words that occur in any reference, above which the language is the same
USUAL_LENGTH = (0.4, 2.5)  # characters per character of the reference
OWN_SCRIPT = 0.8  # share of the letters that makes a script the script of a text
MIN_LETTERS = 4
EXAMPLE_LENGTH = 60


def hypothesis_faults(scored: Iterable[ScoredPair]) -> list[HypothesisFault]:
    """Faulty hypotheses of rows whose reference has words, by kind, the most frequent kind first."""
    pairs = [pair for pair in scored if pair.reference_words]
    repeated = _repeated_text(pairs)
    beginning = _added_words(pairs, at_end=False)
    ending = _added_words(pairs, at_end=True)
    added = {"prompt": " ".join(beginning), "ending": " ".join(ending)}

    @cache
    def vocabulary() -> frozenset[str]:
        """Words of all references, which most sets of hypotheses need not be compared with."""
        return frozenset(chain.from_iterable(pair.reference_words for pair in pairs))

    lost: dict[str, FaultKind] = dict.fromkeys(_lost_words(pairs, at_end=False), "no_beginning")
    lost |= dict.fromkeys(_lost_words(pairs, at_end=True), "no_end")
    found: defaultdict[FaultKind, list[ScoredPair]] = defaultdict(list)
    for pair in pairs:
        kind = _kind(pair, repeated, beginning, ending)
        if kind == "other_language" and _is_known(pair, vocabulary()):
            kind = "other_text"
        kind = kind or lost.get(pair.errors.id)
        if kind is not None:
            found[kind].append(pair)
    faults = [
        HypothesisFault(
            kind=kind,
            rows=len(faulty),
            ids=[pair.errors.id for pair in faulty],
            example=added.get(kind) or _example(faulty),
        )
        for kind, faulty in found.items()
    ]
    return sorted(faults, key=lambda fault: -fault.rows)


def _kind(pair: ScoredPair, repeated: Words, beginning: Words, ending: Words) -> FaultKind | None:
    """The kind of fault; `other_language` for other words than the reference's, whatever their language."""
    if _is_one_token(pair.hypothesis) and not _is_one_token(pair.reference):
        return "one_token"
    if not pair.hypothesis[:1].isalnum() and not any(character.isalnum() for character in pair.hypothesis):
        return "empty"
    if repeated and pair.hypothesis_words == repeated and _unrelated(pair):
        return "same_text"
    if _has_added(pair, beginning, at_end=False):
        return "prompt"
    if _has_added(pair, ending, at_end=True):
        return "ending"
    if _in_other_script(pair):
        return "other_script"
    return "other_language" if _has_other_words(pair) else None


def _is_known(pair: ScoredPair, vocabulary: frozenset[str]) -> bool:
    """Whether most words of a hypothesis occur in any reference."""
    return sum(word in vocabulary for word in pair.hypothesis_words) > KNOWN * len(pair.hypothesis_words)


def _unrelated(pair: ScoredPair) -> bool:
    """Without spaces, which would be half of a text whose words are single characters."""
    reference = "".join(pair.reference_words)
    return Levenshtein.normalized_distance(reference, "".join(pair.hypothesis_words)) >= UNRELATED


def _is_one_token(text: str) -> bool:
    """Whether a text is one character, or one unit without a space, again and again."""
    first, *rest = text.split(maxsplit=1) or [""]
    if rest and first[0] != (first + rest[0])[1]:
        return False  # nearly all texts
    words = text.split()
    compact = "".join(words)
    match = REPEATED.fullmatch(compact)
    if match is None or (len(match[1]) > 1 and len(words) > 1):
        return False
    is_word = any(character.isalnum() for character in match[1])
    return not is_word or len(compact) >= MIN_REPEATS_OF_LETTERS * len(match[1])


def _repeated_text(pairs: Sequence[ScoredPair]) -> Words:
    """The text that most hypotheses of unrelated references have; empty where fewer than three have one."""
    counts = Counter(pair.hypothesis_words for pair in pairs if pair.hypothesis_words)
    candidates = [text for text, count in counts.most_common(3) if count > 2]
    by_text = {
        text: len({p.reference_words for p in pairs if p.hypothesis_words == text and _unrelated(p)})
        for text in candidates
    }
    best = max(by_text, key=by_text.__getitem__, default=())
    return best if by_text.get(best, 0) > 2 else ()


def _added_words(pairs: Sequence[ScoredPair], *, at_end: bool) -> Words:
    """The words that many hypotheses have at their beginning, or their end, in addition to those of their references.

    Text in angle brackets is markup and not judged here.
    """
    texts = [
        (_directed(p.reference_words, at_end), _directed(p.hypothesis_words, at_end))
        for p in pairs
        if p.errors.insertions and "<" not in p.hypothesis
    ]
    for least, share in EDGES:
        counts = Counter(hypothesis[:least] for _, hypothesis in texts if len(hypothesis) > least)
        words, _ = next(iter(counts.most_common(1)), ((), 0))
        alike = [(r, h) for r, h in texts if len(h) > least and h[:least] == words and r[:least] != words]
        if len(alike) <= max(2, share * len(pairs)) or len(set(words)) < least:
            continue
        alike = alike[:SAMPLE]
        saved = {n: _saved(alike, n) for n in range(least, _common_length([h for _, h in alike]) + 1)}
        length = max(saved, key=saved.__getitem__)
        words = alike[0][1][:length]
        letters = sum(len("".join(h)) - len("".join(r)) for r, h in alike)  # none where words are divided otherwise
        if saved[length] > WHOLLY * length * len(alike) and 2 * letters > len("".join(words)) * len(alike):
            return _directed(words, at_end)
    return ()


def _common_length(texts: Sequence[Words]) -> int:
    """Number of words with which all texts begin; each has more."""
    least = min(min(map(len, texts)) - 1, MOST_ADDED)
    return next((n for n in range(least) if len({text[n] for text in texts}) > 1), least)


def _saved(pairs: Sequence[tuple[Words, Words]], length: int) -> int:
    """Errors that vanish without the first words of the hypotheses."""
    return sum(Levenshtein.distance(r, h) - Levenshtein.distance(r, h[length:]) for r, h in pairs)


def _directed(items: tuple[T, ...], at_end: bool) -> tuple[T, ...]:
    return items[::-1] if at_end else items


def _has_added(pair: ScoredPair, words: Words, *, at_end: bool) -> bool:
    """Whether a hypothesis begins, or ends, with these words and its reference does not."""
    part = slice(-len(words), None) if at_end else slice(len(words))
    return bool(words) and pair.hypothesis_words[part] == words and pair.reference_words[part] != words


def _lost_words(pairs: Sequence[ScoredPair], *, at_end: bool) -> frozenset[str]:
    """Ids of hypotheses that lack the words at the beginning, or the end, of their references; empty where few do."""
    lost = {p.errors.id: _lost(p, at_end) for p in pairs if p.errors.deletions and p.hypothesis_words}
    for least, share in EDGES:
        ids = frozenset(id for id, number in lost.items() if number >= least)
        if len(ids) > max(2, share * len(pairs)):
            return ids
    return frozenset()


def _lost(pair: ScoredPair, at_end: bool) -> int:
    """Number of words of the reference that are missing in a row at one end of the hypothesis."""
    number = 0
    for edit in _directed(tuple(pair.errors.edits), at_end):
        if edit.hypothesis is not None or edit.at != (len(pair.reference_words) - 1 - number if at_end else number):
            break
        number += 1
    return number


def _in_other_script(pair: ScoredPair) -> bool:
    if pair.hypothesis.isascii() and pair.reference.isascii():
        return False
    reference = _scripts(pair.reference)
    own = _scripts(pair.hypothesis)
    if min(reference.total(), own.total()) < MIN_LETTERS:
        return False
    script, letters = own.most_common(1)[0]
    return letters >= OWN_SCRIPT * own.total() and reference[script] <= (1 - OWN_SCRIPT) * reference.total()


def _scripts(text: str) -> Counter[str]:
    letters = Counter[str]()
    for character, count in Counter(text).items():
        if character.isalpha():
            letters[script_of(character)] += count
    return letters


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """The script of a letter by its Unicode name; the scripts of Chinese and Japanese are one."""
    name = unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH", "IDEOGRAPHIC"} else name


def _has_other_words(pair: ScoredPair) -> bool:
    """Whether a hypothesis of usual length shares hardly a word with its reference, nor resembles it by characters."""
    words, reference = pair.hypothesis_words, pair.reference_words
    if min(len(words), len(reference)) < MIN_WORDS:
        return False
    most = SHARED * len(words)
    if pair.errors.hits > most:  # nearly all pairs; words that are right are shared
        return False
    length = sum(map(len, words)) / sum(map(len, reference))
    if not USUAL_LENGTH[0] <= length <= USUAL_LENGTH[1]:
        return False
    return (Counter(words) & Counter(reference)).total() <= most and _unrelated(pair)


def _example(faulty: Sequence[ScoredPair]) -> str:
    text, _ = Counter(pair.hypothesis.strip() for pair in faulty).most_common(1)[0]
    return text if len(text) <= EXAMPLE_LENGTH else f"{text[: EXAMPLE_LENGTH - 3]}..."
