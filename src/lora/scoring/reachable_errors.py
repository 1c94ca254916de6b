"""How much of a baseline's errors tuning could reach: its word errors, split by what stands behind them.

Every error falls into the first of four parts that it fits: `style` (only another spelling), `unheard` (the reference
word never occurs in training), `agreed` (every independent candidate writes the very same thing), and the rest.

Agreement alone proves nothing about the reference, because candidates come from the same base and hard audio stays
hard. A place is *doubtful* only where the words around it are right, and in it all runs wrote a word that occurs in
other texts and is spelled nothing like the reference: mishearings sound alike and mostly look alike, a wrong
transcript does not.

Whether two runs of words are the same words in another spelling, beyond what the study's normaliser takes as equal.

Two forms are compared, without the blanks between words: the words without hyphens and apostrophes (`ice cream`,
`icecream`; `dont`, `don't`), and for English texts what the normaliser of the Whisper paper makes of them (numbers as
digits, contractions written out, American spelling, no fillers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from rapidfuzz.distance import Levenshtein

from lora.records.reachable import CandidateChange, ReachableFacts, Respelling, SuspectedReference, WordCount
from lora.records.scores import Edit, UtteranceErrors
from lora.scoring.alignment import word_edits
from lora.scoring.normalizers import basic, normalizer

Words = tuple[str, ...]
K = TypeVar("K", str, tuple[str, str])

SHOWN = 30  # words, spellings and places that facts list
ADJACENT = 2  # words of a doubtful place
SHORT, LONG = 3, 4  # letters: both words have the first, one of them the second; articles and pronouns prove nothing
ALIKE = 0.4  # similarity of spelling from which on a word may be a mishearing
REST_RIGHT = 0.6  # share of an utterance's (other) words that must be right; below it, it is clearly misheard
STUBBORN = 2  # clearly misheard hypotheses that an independent candidate may leave as they are, or half of them


@dataclass(frozen=True)
class ComparedUtterance:
    """The baseline's errors and both sides' words of one utterance, and the words that candidates wrote, by run."""

    errors: UtteranceErrors
    reference: Words
    hypothesis: Words
    tuned: Mapping[str, Words]


def regions(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Edits without a right word between them, together."""
    found: list[list[Edit]] = []
    end = -1
    for edit in edits:
        if found and edit.at <= end:
            found[-1].append(edit)
        else:
            found.append([edit])
        end = edit.at + (edit.reference is not None)
    return found


def split_errors(
    manifest: str, heard: Sequence[ComparedUtterance], runs: Sequence[str], vocabulary: frozenset[str] | None
) -> ReachableFacts:
    """`heard` holds the rows within max_seconds; `vocabulary` the training texts' words, null where there is none."""
    english = is_english([one.reference for one in heard])
    forms = spelling_forms(english)
    real = (vocabulary or frozenset()).union(*(one.reference for one in heard))
    suspected = (
        [] if vocabulary is None else [(one, region) for one in heard for region in suspected_regions(one, real)]
    )
    candidates = [candidate_change(run, [one for one in heard if run in one.tuned]) for run in runs]
    independent = [candidate.run for candidate in candidates if candidate.independent]
    agreeing = {one.errors.id: agreed_edits(one, independent) for one in heard} if independent else {}
    parts, respelled, unheard = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    for one in heard:
        left = Counter(agreeing.get(one.errors.id, {}))
        for region in regions(one.errors.edits):
            said, wrote = region_words(region)
            if same_spelling(said, wrote, forms):
                parts["style"] += len(region)
                respelled[" ".join(said), " ".join(wrote)] += len(region)
                continue
            for edit in region:
                if vocabulary is not None and edit.reference is not None and edit.reference not in vocabulary:
                    parts["out_of_vocabulary"] += 1
                    unheard[edit.reference] += 1
                elif left[edit] > 0:
                    left[edit] -= 1
                    parts["agreed"] += 1
                else:
                    parts["rest"] += 1
    places = [
        SuspectedReference(id=one.errors.id, at=region[0].at, reference=" ".join(said), hypothesis=" ".join(wrote))
        for one, region in suspected
        if independent and all(agreeing[one.errors.id][edit] for edit in region)
        for said, wrote in [region_words(region)]
    ]
    known = bool(independent) and vocabulary is not None
    return ReachableFacts(
        manifest=manifest,
        utterances=len(heard),
        words=sum(one.errors.words for one in heard),
        errors=sum(one.errors.errors for one in heard),
        english=english,
        style=parts["style"],
        respelled=[Respelling(reference=a, hypothesis=b, errors=n) for (a, b), n in _most(respelled)],
        training_words=None if vocabulary is None else len(vocabulary),
        out_of_vocabulary=None if vocabulary is None else parts["out_of_vocabulary"],
        out_of_vocabulary_words=[WordCount(word=word, count=n) for word, n in _most(unheard)],
        out_of_vocabulary_word_count=len(unheard),
        candidates=candidates,
        agreed=parts["agreed"] if independent else None,
        rest=parts["rest"],
        suspected_errors=sum(len(place.reference.split()) for place in places) if known else None,
        suspected_rows=len({place.id for place in places}) if known else None,
        suspected_references=places[:SHOWN],
        questionable_places=len(suspected) if known else None,
        confirmed_places=len(places) if known else None,
        repeated_share=repeated_share(heard, suspected, agreeing) if known else None,
    )


def repeated_share(
    heard: Sequence[ComparedUtterance],
    suspected: Sequence[tuple[ComparedUtterance, list[Edit]]],
    agreeing: Mapping[str, Counter[Edit]],
) -> float:
    """Share of the baseline's edits outside suspected places that all independent candidates make again."""
    doubted_edits = Counter((one.errors.id, edit) for one, region in suspected for edit in region)
    shared = Counter((id, edit) for id, edits in agreeing.items() for edit in edits.elements())
    others = sum(len(one.errors.edits) for one in heard) - doubted_edits.total()
    again = shared.total() - (shared & doubted_edits).total()
    return again / others if others else 0.0


def region_words(region: Sequence[Edit]) -> tuple[list[str], list[str]]:
    """Words of the reference and of the hypothesis."""
    said = [edit.reference for edit in region if edit.reference is not None]
    return said, [edit.hypothesis for edit in region if edit.hypothesis is not None]


def suspected_regions(one: ComparedUtterance, real: frozenset[str]) -> list[list[Edit]]:
    """Places whose reference the baseline alone gives reason to doubt; `real` are words that occur in texts."""
    errors = one.errors
    found = []
    for region in regions(errors.edits):
        said, wrote = region_words(region)
        others = errors.words - len(said)
        if len(region) > ADJACENT or not len(said) == len(wrote) == len(region) or others < ADJACENT:
            continue
        if errors.errors - len(region) > (1 - REST_RIGHT) * others or not real.issuperset(wrote):
            continue
        if all(_unlike(a, b) for a, b in zip(said, wrote, strict=True)):
            found.append(region)
    return found


def candidate_change(run: str, heard: Sequence[ComparedUtterance]) -> CandidateChange:
    """Whether a candidate differs enough from the baseline for its agreement to mean something.

    It must have changed something, and at least half (or all but two) of the hypotheses that the baseline clearly
    misheard. Where it misheard none, there is nothing that a candidate could have left as it was.
    """
    misheard = [one for one in heard if one.errors.hits < REST_RIGHT * one.errors.words]
    changed = sum(one.tuned[run] != one.hypothesis for one in heard)
    moved = sum(one.tuned[run] != one.hypothesis for one in misheard)
    independent = changed > 0 and len(misheard) - moved <= max(STUBBORN, len(misheard) // 2)
    return CandidateChange(
        run=run, utterances=len(heard), changed=changed, poor_hypotheses=len(misheard), poor_changed=moved,
        independent=independent,
    )  # fmt: skip


def agreed_edits(one: ComparedUtterance, runs: Sequence[str]) -> Counter[Edit]:
    """The baseline's edits that every one of these runs makes at the same place."""
    shared = Counter(one.errors.edits)
    for run in runs:
        shared &= Counter(word_edits(one.reference, one.tuned[run]))
    return shared


def _unlike(first: str, second: str) -> bool:
    lengths = sorted((len(first), len(second)))
    if lengths[0] < SHORT or lengths[1] < LONG or any(c.isdigit() for c in first + second):
        return False
    return Levenshtein.normalized_similarity(first, second) < ALIKE


def _most(counted: Mapping[K, int]) -> list[tuple[K, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


# About a fifth of running English; almost none of them is a word elsewhere.
ENGLISH = frozenset({"the", "and", "of", "to", "that", "it", "is", "was"})
ENGLISH_SHARE = 0.06

Form = Callable[[str], str]


def is_english(texts: Iterable[Sequence[str]]) -> bool:
    """Whether texts (as words in lower case) are English, by the share of its commonest words."""
    words = list(chain.from_iterable(texts))
    return sum(word in ENGLISH for word in words) > ENGLISH_SHARE * len(words)


def spelling_forms(english: bool) -> list[Form]:
    """What makes one string of a text, whichever way it is spelled."""
    forms: list[Form] = [lambda text: "".join(basic(text).replace("'", "").split())]
    if english:
        words = normalizer("english").words
        forms.append(lambda text: "".join(words(text)))
    return forms


def same_spelling(reference: Sequence[str], hypothesis: Sequence[str], forms: Sequence[Form]) -> bool:
    """Also where one side is nothing but what a form drops (a filler)."""
    first, second = " ".join(reference), " ".join(hypothesis)
    return any(form(first) == form(second) for form in forms)
