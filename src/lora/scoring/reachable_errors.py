"""How many of a baseline's errors tuning could remove: its word errors, split by their probable reason.

Every error belongs to the first of four parts that applies: `style` (only another spelling), `out_of_vocabulary` (the
reference word never occurs in training), `agreed` (every independent candidate makes the same error), and the rest.

Agreement alone is no evidence against the reference, because candidates come from the same base model and difficult
audio stays difficult. A reference is suspected only where the words around it are right, and all runs wrote a word that
occurs in other texts and is spelled unlike the reference: misrecognised words sound alike and mostly look alike, wrong
transcripts do not.

Spellings are compared beyond the study's normaliser, without the spaces between words, in two forms: without hyphens
and apostrophes (`ice cream`, `icecream`; `dont`, `don't`), and for English texts as the normaliser of the Whisper paper
writes them (numbers as digits, contractions expanded, American spelling, no fillers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from rapidfuzz.distance import Levenshtein

from lora.records.reachable import CandidateChange, ReachableFacts, Respelling, SuspectedReference, WordCount
from lora.records.scores import Edit, UtteranceErrors
from lora.scoring.normalizers import basic, normalizer

EditsById = Mapping[str, Sequence[Edit]]
K = TypeVar("K", str, tuple[str, str])

SHOWN = 30  # words and spellings listed in the result
ADJACENT = 2  # words of a suspected reference, at most, and words around it, at least
SHORT, LONG = 3, 4  # letters that both words need, and that one of them needs; leaves out articles and pronouns
ALIKE = 0.4  # similarity of spelling from which a word may be misrecognised
REST_RIGHT = 0.6  # share of the (other) words of an utterance that must be right; below it the hypothesis is poor
UNCHANGED = 2  # poor hypotheses that an independent candidate may leave unchanged, or half of them if more


def regions(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Groups of edits without a right word between them."""
    groups: list[list[Edit]] = []
    end = -1
    for edit in edits:
        at, reference, _ = edit
        if groups and at <= end:
            groups[-1].append(edit)
        else:
            groups.append([edit])
        end = at + (reference is not None)
    return groups


def split_errors(
    manifest: str,
    utterances: Sequence[UtteranceErrors],
    word_counts: Counter[str],
    tuned: Mapping[str, EditsById],
    runs: Sequence[str],
    vocabulary: frozenset[str] | None,
) -> ReachableFacts:
    """Split the baseline's errors by their probable reason.

    Args:
        manifest: name of the manifest.
        utterances: the baseline's errors in its rows within max_seconds.
        word_counts: how often each word occurs in their references; without a vocabulary those of some are enough.
        tuned: edits of candidates with the same rows.
        runs: all candidates.
        vocabulary: words of the training transcripts; None without a training manifest.
    """
    english = is_english(word_counts)
    forms = spelling_forms(english)
    suspected: list[tuple[UtteranceErrors, list[Edit]]] = []
    if vocabulary is not None:
        written = vocabulary.union(word_counts)
        for utterance in utterances:
            suspected += [(utterance, region) for region in suspected_regions(utterance, written)]
    candidates = [candidate_change(run, utterances if run in tuned else [], tuned.get(run, {})) for run in runs]
    independent = [tuned[candidate.run] for candidate in candidates if candidate.independent]
    agreeing = agreed_edits(utterances, independent)
    parts = Counter[str]()
    respelled = Counter[tuple[str, str]]()
    out_of_vocabulary = Counter[str]()
    for utterance in utterances:
        remaining = Counter(agreeing[utterance.id]) if utterance.id in agreeing else Counter[Edit]()
        for region in regions(utterance.edits):
            texts = region_texts(region)
            if same_spelling(*texts, forms):
                parts["style"] += len(region)
                respelled[texts] += len(region)
                continue
            for edit in region:
                if vocabulary is not None and edit.reference is not None and edit.reference not in vocabulary:
                    parts["out_of_vocabulary"] += 1
                    out_of_vocabulary[edit.reference] += 1
                elif remaining[edit] > 0:
                    remaining[edit] -= 1
                    parts["agreed"] += 1
                else:
                    parts["rest"] += 1
    places = [
        SuspectedReference(
            id=utterance.id,
            at=region[0].at,
            reference=reference,
            hypothesis=hypothesis,
        )
        for utterance, region in suspected
        if utterance.id in agreeing and all(agreeing[utterance.id][edit] for edit in region)
        for reference, hypothesis in [region_texts(region)]
    ]
    known = bool(independent) and vocabulary is not None
    return ReachableFacts(
        manifest=manifest,
        utterances=len(utterances),
        words=sum(utterance.words for utterance in utterances),
        errors=sum(utterance.errors for utterance in utterances),
        english=english,
        style=parts["style"],
        respelled=[Respelling(reference=a, hypothesis=b, errors=n) for (a, b), n in _most(respelled)],
        training_words=None if vocabulary is None else len(vocabulary),
        out_of_vocabulary=None if vocabulary is None else parts["out_of_vocabulary"],
        out_of_vocabulary_words=[WordCount(word=word, count=n) for word, n in _most(out_of_vocabulary)],
        out_of_vocabulary_word_count=len(out_of_vocabulary),
        candidates=candidates,
        agreed=parts["agreed"] if independent else None,
        rest=parts["rest"],
        suspected_errors=sum(len(place.reference.split()) for place in places) if known else None,
        suspected_rows=len({place.id for place in places}) if known else None,
        suspected_references=places,
        questionable_places=len(suspected) if known else None,
        confirmed_places=len(places) if known else None,
        repeated_share=repeated_share(utterances, suspected, agreeing) if known else None,
    )


def repeated_share(
    utterances: Sequence[UtteranceErrors],
    suspected: Sequence[tuple[UtteranceErrors, list[Edit]]],
    agreeing: Mapping[str, Counter[Edit]],
) -> float:
    """Share of the baseline's edits outside suspected regions that all independent candidates make as well."""
    suspected_edits = Counter((utterance.id, edit) for utterance, region in suspected for edit in region)
    shared = Counter((id, edit) for id, edits in agreeing.items() for edit in edits.elements())
    others = sum(len(utterance.edits) for utterance in utterances) - suspected_edits.total()
    again = shared.total() - (shared & suspected_edits).total()
    return again / others if others else 0.0


def region_texts(region: Sequence[Edit]) -> tuple[str, str]:
    """Words of the reference and of the hypothesis."""
    if len(region) == 1:  # most regions
        _, reference, hypothesis = region[0]
        return reference or "", hypothesis or ""
    return (
        " ".join(word for _, word, _ in region if word is not None),
        " ".join(word for _, _, word in region if word is not None),
    )


def suspected_regions(errors: UtteranceErrors, written: frozenset[str]) -> list[list[Edit]]:
    """Regions whose reference is suspected from the baseline alone; `written` are words that occur in any text."""
    suspected: list[list[Edit]] = []
    for region in regions(errors.edits):
        substitutions = [(first, second) for _, first, second in region if first is not None and second is not None]
        others = errors.words - len(region)
        if len(substitutions) < len(region) or len(region) > ADJACENT or others < ADJACENT:
            continue
        if errors.errors - len(region) > (1 - REST_RIGHT) * others:
            continue
        if all(second in written and _unlike(first, second) for first, second in substitutions):
            suspected.append(region)
    return suspected


def candidate_change(run: str, utterances: Sequence[UtteranceErrors], tuned: EditsById) -> CandidateChange:
    """Whether a candidate differs enough from the baseline for its agreement to be informative (`independent`).

    It must have changed a hypothesis, and at least half (or all but two) of the baseline's poor hypotheses.
    """
    poor = [utterance for utterance in utterances if utterance.hits < REST_RIGHT * utterance.words]
    # Edits turn the common reference into a hypothesis, so that equal edits mean equal words.
    changed = sum(tuned[utterance.id] != utterance.edits for utterance in utterances)
    poor_changed = sum(tuned[utterance.id] != utterance.edits for utterance in poor)
    independent = changed > 0 and len(poor) - poor_changed <= max(UNCHANGED, len(poor) // 2)
    return CandidateChange(
        run=run,
        utterances=len(utterances),
        changed=changed,
        poor_hypotheses=len(poor),
        poor_changed=poor_changed,
        independent=independent,
    )


def agreed_edits(utterances: Sequence[UtteranceErrors], runs: Sequence[EditsById]) -> dict[str, Counter[Edit]]:
    """The baseline's edits that all of these runs (at least one) make at the same place, of utterances with any."""
    agreed: dict[str, Counter[Edit]] = {}
    for utterance in utterances if runs else ():
        edits = set(utterance.edits)
        if all(not edits.isdisjoint(run[utterance.id]) for run in runs):
            shared = Counter(utterance.edits)
            for run in runs:
                shared &= Counter(run[utterance.id])
            if shared:
                agreed[utterance.id] = shared
    return agreed


def _unlike(first: str, second: str) -> bool:
    lengths = sorted((len(first), len(second)))
    if lengths[0] < SHORT or lengths[1] < LONG or any(c.isdigit() for c in first + second):
        return False
    return Levenshtein.normalized_similarity(first, second) < ALIKE


def _most(counted: Mapping[K, int]) -> list[tuple[K, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


# About a fifth of the words of English texts, and digits; almost none of them is a word of other languages.
ENGLISH = frozenset({"the", "and", "of", "to", "that", "it", "is", "was"})
ENGLISH |= {"one", "two", "three", "five", "seven", "eight", "nine"}
ENGLISH_SHARE = 0.06

CACHED_FORMS = 50_000  # texts, of the few words of an error, many of which occur often

Form = Callable[[str], str]


def is_english(words: Counter[str]) -> bool:
    """Whether texts are English, by the share of its most common words among theirs (in lower case)."""
    return sum(words[word] for word in ENGLISH) > ENGLISH_SHARE * words.total()


def spelling_forms(english: bool) -> list[Form]:
    """Functions that map spellings of the same text to the same string."""
    forms: list[Form] = [lambda text: "".join(basic(text).replace("'", "").split())]
    if english:
        words = normalizer("english").words
        forms.append(lambda text: "".join(words(text)))
    return [lru_cache(maxsize=CACHED_FORMS)(form) for form in forms]


def same_spelling(reference: str, hypothesis: str, forms: Sequence[Form]) -> bool:
    """Whether two texts differ in spelling only, or in words that a form drops (fillers)."""
    for form in forms:  # noqa: SIM110 (`any` takes as long again, for every error of a corpus)
        if form(reference) == form(hypothesis):
            return True
    return False
