"""Runs that were scored with different normalisers, scored again from their raw texts with one and the same.

Two normalisers disagree about what a word is, so that neither their errors nor their reference words can be subtracted
from each other. The WERs under either of them can, and what the reported difference has beyond that is the
normaliser's.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache

from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.parity import Rescored, SameNormalizerScore
from lora.records.scores import NormalizerIdentity, UtteranceErrors, WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.normalizers import NAMES, Normalizer, normalizer

Transcripts = Mapping[str, Transcript]


def installed_normalizer(identity: NormalizerIdentity) -> Normalizer | None:
    """The normaliser that a record names, or null where this environment has not got it in that very version."""
    try:
        found = normalizer(identity.name)
    except UserError:
        return None
    return found if found.identity == identity else None


def common_normalizer(base: WerFacts, tuned: WerFacts) -> Normalizer | None:
    """One that both runs can be scored with: the baseline's (which is the study's), else the candidate's."""
    return installed_normalizer(base.normalizer) or installed_normalizer(tuned.normalizer)


def errors_with_normalizer(words: Normalizer, facts: WerFacts, transcripts: Transcripts) -> list[UtteranceErrors]:
    """Errors of every utterance of `facts`, in its order, from the raw texts; `transcripts` holds all of its ids."""
    rows = [
        Utterance(id=u.id, text=transcripts[u.id].reference, duration=u.duration, speaker_id=u.speaker_id)
        for u in facts.utterances
    ]
    return utterance_errors(rows, transcripts, words)


def rescored(
    base: WerFacts, tuned: WerFacts, before: Transcripts, after: Transcripts, within: Set[str]
) -> Rescored | None:
    """`within` are the ids that WER counts. Null where there is nothing to do (one normaliser) or nothing to do it with
    (a run that was not scored, other utterances).
    """
    ids = {u.id for u in base.utterances}
    scored = "impossible" not in {base.status, tuned.status} and ids == {u.id for u in tuned.utterances}
    if base.normalizer == tuned.normalizer or not scored or not ids <= set(before) or not ids <= set(after):
        return None
    alike = [_scored_alike(installed_normalizer(run.normalizer), base, before, after, within) for run in (base, tuned)]
    wers = [run.within.wer if run.within else None for run in (base, tuned)]
    reported = _minus(wers[1], wers[0])
    first = next((pair for pair in alike if pair is not None), None)
    return Rescored(
        manifest=base.manifest,
        baseline=base.normalizer,
        candidate=tuned.normalizer,
        utterances=len(within),
        reported_delta=reported,
        under_baseline=alike[0],
        under_candidate=alike[1],
        explained_by_normalizer=_minus(reported, first.delta if first else None),
    )


def _scored_alike(
    words: Normalizer | None, base: WerFacts, before: Transcripts, after: Transcripts, within: Set[str]
) -> SameNormalizerScore | None:
    if words is None:
        return None
    wers = []
    for transcripts in (before, after):
        scored = [u for u in errors_with_normalizer(words, base, transcripts) if u.id in within]
        total = sum(u.words for u in scored)
        wers.append(sum(u.errors for u in scored) / total if total else None)
    return SameNormalizerScore(baseline_wer=wers[0], tuned_wer=wers[1], delta=_minus(wers[1], wers[0]))


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def same_text(first: str, second: str) -> bool:
    """Whether two references are one text: equal as written, or as words under any of the normalisers.

    Other pipelines write references down normalised; such a text is not another one.
    """
    return first == second or any(words.words(first) == words.words(second) for words in every_normalizer())


@cache
def every_normalizer() -> tuple[Normalizer, ...]:
    return tuple(normalizer(name) for name in NAMES)
