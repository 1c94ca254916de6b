"""Score runs with different normalisers again from their raw texts, with the same normaliser.

Two normalisers disagree about words, so that neither errors nor reference words of the two runs can be subtracted. WERs
under the same normaliser can; the rest of the reported difference is due to the normaliser.
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
    """The normaliser of a record; None where this environment does not have that exact version."""
    try:
        candidate = normalizer(identity.name, identity.unit, identity.strip)
    except UserError:
        return None
    return candidate if candidate.identity == identity else None


def common_normalizer(base: WerFacts, tuned: WerFacts) -> Normalizer | None:
    """A normaliser for both runs: the baseline's (which is the study's), else the candidate's, else None."""
    return installed_normalizer(base.normalizer) or installed_normalizer(tuned.normalizer)


def errors_with_normalizer(words: Normalizer, facts: WerFacts, transcripts: Transcripts) -> list[UtteranceErrors]:
    """Errors of every utterance of `facts`, in its order, from raw texts; `transcripts` needs all of its ids."""
    rows = [
        Utterance(id=u.id, text=transcripts[u.id].reference, duration=u.duration, speaker_id=u.speaker_id)
        for u in facts.utterances
    ]
    return utterance_errors(rows, transcripts, words)


def rescored(
    base: WerFacts, tuned: WerFacts, before: Transcripts, after: Transcripts, within: Set[str]
) -> Rescored | None:
    """The difference of two runs under each of their normalisers.

    None where both used the same normaliser, a run was not scored, or their utterances differ.

    Args:
        base: scores of the baseline.
        tuned: scores of the candidate.
        before: transcripts of the baseline by id.
        after: transcripts of the candidate by id.
        within: ids that the WER counts.
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
    """Whether two references are the same text: equal as written, or as words under any of the normalisers.

    Other tools may write references in normalised form, which is not a different text.
    """
    return first == second or any(words.words(first) == words.words(second) for words in every_normalizer())


@cache
def every_normalizer() -> tuple[Normalizer, ...]:
    return tuple(normalizer(name) for name in NAMES)
