"""The score of one run on one manifest: every fact about its transcripts that needs no other run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lora.data.durations import survives
from lora.records.manifests import Utterance
from lora.records.markup import MarkupCount, MarkupFacts
from lora.records.scores import Loop, UnitSetting, UtteranceErrors, WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.alignment import ScoredPair, scored_pair
from lora.scoring.copied_texts import copied_texts
from lora.scoring.corpus_wer import wer_score
from lora.scoring.hypothesis_faults import hypothesis_faults
from lora.scoring.loops import longest_loop
from lora.scoring.markup import CERTAIN, REMOVABLE, count_markup
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.notations import notation_scores
from lora.scoring.power import forecast_power
from lora.scoring.transcripts import ids_message
from lora.scoring.units import counted_unit


class Statistics(NamedTuple):
    """`statistics` of the configuration, as far as it concerns a score."""

    confidence: float
    replicates: int
    assumed_shared_errors: float
    target_gain: float


def run_score(
    empty: WerFacts, rows: Iterable[Utterance], texts: Mapping[str, Transcript], statistics: Statistics
) -> WerFacts:
    """All scores of a run; impossible where its transcripts and the rows have different ids.

    Args:
        empty: names, normaliser and `max_seconds` of the facts.
        rows: with the references.
        texts: transcripts by row id.
        statistics: settings of intervals and power.
    """
    identity = empty.normalizer
    words = normalizer(identity.name, identity.unit, identity.strip)
    pairs: list[ScoredPair] = []
    missing = []
    for row in rows:
        if row.id in texts:
            pairs.append(scored_pair(row, texts[row.id].hypothesis, words))
        else:
            missing.append(row.id)
    extra = set(texts) - {pair.errors.id for pair in pairs}
    if missing or extra:
        message = ids_message(sorted(missing), sorted(extra), "the transcripts", "the manifest")
        return empty.model_copy(update={"status": "impossible", "code": "parity.manifest", "message": message})
    return _score_of(empty, pairs, words, texts, statistics)


def _score_of(
    empty: WerFacts,
    pairs: Sequence[ScoredPair],
    words: Normalizer,
    texts: Mapping[str, Transcript],
    statistics: Statistics,
) -> WerFacts:
    confidence, replicates, assumed_shared_errors, target_gain = statistics
    unit = empty.normalizer.unit
    scored = [pair.errors for pair in pairs]
    within_pairs = [pair for pair in pairs if survives(pair.errors.duration, empty.max_seconds)]
    within = [pair.errors for pair in within_pairs]
    primary = wer_score(within, texts, confidence, replicates)
    power = forecast_power(within, assumed_shared_errors, target_gain, confidence)
    if len(within) == len(scored):
        all_rows, power_all = primary, power
    else:
        all_rows = wer_score(scored, texts, confidence, replicates)
        power_all = forecast_power(scored, assumed_shared_errors, target_gain, confidence)
    if all(pair.plain for pair in within_pairs):
        raw = primary
    else:
        raw = wer_score(_errors_as_written(within_pairs, unit), texts, confidence, replicates)
    references = count_markup(pair.reference for pair in within_pairs)
    hypotheses = count_markup(pair.hypothesis for pair in within_pairs)
    marked = bool(references or hypotheses)
    spoken = _without_markup(words) if marked else words
    spoken_pairs = [pair.with_normalizer(spoken) for pair in within_pairs] if marked else within_pairs
    return empty.model_copy(
        update={
            "unit": counted_unit((pair.reference_words for pair in pairs), unit),
            "within": primary,
            "all": all_rows,
            "raw": raw,
            "loops": _loops(within_pairs),
            "faults": hypothesis_faults(within_pairs),
            "copied": copied_texts((pair.reference, pair.hypothesis) for pair in within_pairs),
            "power": power,
            "power_all": power_all,
            "markup": _markup(references, hypotheses, spoken_pairs) if marked else None,
            "notations": notation_scores(spoken_pairs, spoken),
            "utterances": scored,
        }
    )


def _errors_as_written(pairs: Sequence[ScoredPair], unit: UnitSetting) -> list[UtteranceErrors]:
    """Errors of the texts without a normaliser; those that the study's leaves as they are need no second alignment."""
    none = normalizer("none", unit)
    return [pair.errors if pair.plain else pair.with_normalizer(none).errors for pair in pairs]


def _loops(pairs: Sequence[ScoredPair]) -> list[Loop]:
    """Looping hypotheses, in the order of rows."""
    found = (longest_loop(pair.errors.id, pair.reference_words, pair.hypothesis_words) for pair in pairs)
    return [loop for loop in found if loop is not None]


def _without_markup(words: Normalizer) -> Normalizer:
    """The same normaliser, which removes all markup but `fragments` too."""
    identity = words.identity
    strip = [kind for kind in REMOVABLE if kind in {*CERTAIN, *identity.strip}]
    return normalizer(identity.name, identity.unit, strip)


def _markup(references: list[MarkupCount], hypotheses: list[MarkupCount], scored: Sequence[ScoredPair]) -> MarkupFacts:
    """Markup on both sides, and the errors `scored` without it."""
    errors = sum(pair.errors.errors for pair in scored)
    total = sum(pair.errors.words for pair in scored)
    return MarkupFacts(
        references=references,
        hypotheses=hypotheses,
        errors=errors,
        words=total,
        wer=errors / total if total else None,
    )
