"""Stages that score transcripts: a run, a candidate against the baseline, error sources, mismatched transcripts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from lora.data.durations import survives
from lora.data.manifest import iterate_rows, read_rows
from lora.provenance.recording import recording
from lora.records.base import Fact, UserError
from lora.records.comparisons import PairedFacts, PairedScore
from lora.records.integrity import MismatchFacts
from lora.records.kept import keep
from lora.records.reachable import ReachableFacts
from lora.records.scores import Power, UnitSetting, UtteranceErrors, WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript
from lora.scoring.alignment import word_edits
from lora.scoring.budget import error_budget
from lora.scoring.markup import chosen_kinds
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.paired import paired_score
from lora.scoring.reachable_errors import split_errors as split_by_source
from lora.scoring.rescoring import common_normalizer, errors_with_normalizer, same_text
from lora.scoring.transcript_mismatches import mismatches as find_mismatches
from lora.scoring.transcripts import ids_message, read_transcripts
from lora.stages.run_score import Statistics, run_score

F = TypeVar("F", bound=Fact)

LANGUAGE_SAMPLE = 5_000  # rows whose references show the language of all
NORMALIZERS_DIFFER = "the two runs were scored with different normalisers, and neither is installed in that version"


def score_run(
    run: str,
    manifest_name: str,
    rows: Path,
    transcripts: Path,
    max_seconds: float | None,
    normalizer_name: str,
    unit: UnitSetting,
    confidence: float,
    replicates: int,
    assumed_shared_errors: float,
    target_gain: float,
    wer: Path,
    settings: Path | None = None,
    strip: Sequence[str] = (),
) -> WerFacts:
    """Score the transcripts of one run on one manifest: errors of each utterance, corpus WER and CER, power.

    Args:
        run, manifest_name: Names that the facts carry.
        rows: Canonical rows; the references are theirs.
        transcripts: Raw transcripts of the run.
        max_seconds: Limit of the primary score in seconds; None for all rows.
        normalizer_name: Text normaliser (`lora.scoring.normalizers.NAMES`).
        unit: Unit of the error rate (`lora.scoring.units`).
        confidence: Of the intervals, 0 to 1.
        replicates: Of the bootstrap; 0 leaves it out.
        assumed_shared_errors: Share of errors that a tuned run is assumed to share, for the power.
        target_gain: WER difference worth showing, a fraction.
        wer: File to write.
        settings: Settings of the run: where they are impossible, the score is impossible for the same cause.
        strip: Kinds of markup to remove from both sides first (`text.strip`; `all` for every kind).

    Returns:
        The facts; impossible where transcripts and rows have different ids.
    """
    with recording(outputs=[wer]):
        identity = normalizer(normalizer_name, unit, chosen_kinds(strip)).identity
        facts = WerFacts(run=run, manifest=manifest_name, normalizer=identity, max_seconds=max_seconds)
        recorded = RunSettings.read(settings) if settings is not None else None
        if recorded is not None and recorded.status == "impossible":
            facts = _impossible(facts, recorded.code, recorded.message)
        else:
            statistics = Statistics(confidence, replicates, assumed_shared_errors, target_gain)
            facts = run_score(facts, iterate_rows(rows), read_transcripts(transcripts), statistics)
        facts.write(wer)
        keep(wer, facts)
    rate = facts.within.wer if facts.within else None
    reason = f"impossible: {facts.message}" if facts.status == "impossible" else "no reference word"
    print(f"{run} on {manifest_name}: " + (reason if rate is None else f"WER {100 * rate:.2f} %"))
    return facts


def _impossible(facts: F, code: str | None, message: str | None) -> F:
    return facts.model_copy(update={"status": "impossible", "code": code, "message": message})


def compare_runs(
    run: str,
    manifest_name: str,
    baseline_wer: Path,
    tuned_wer: Path,
    baseline_transcripts: Path,
    tuned_transcripts: Path,
    margin: float,
    confidence: float,
    replicates: int,
    paired: Path,
) -> PairedFacts:
    """Compare a candidate with the baseline on one manifest: paired WER difference, interval, outcome, error budget.

    Utterances are matched by id. A missing or extra id, or another reference, makes the facts impossible
    (`parity.manifest`): the two runs are never compared on a silent intersection.

    Args:
        run, manifest_name: Names that the facts carry.
        baseline_wer, tuned_wer: WER facts of both runs.
        baseline_transcripts, tuned_transcripts: Raw transcripts of both runs.
        margin: Equivalence margin, WER as a fraction.
        confidence: Of the intervals, 0 to 1.
        replicates: Of the bootstrap; 0 leaves it out.
        paired: File to write.

    Raises:
        UserError: If the two runs were scored with different `max_seconds`.
    """
    with recording(outputs=[paired]):
        base = WerFacts.read(baseline_wer)
        tuned = WerFacts.read(tuned_wer)
        if base.max_seconds != tuned.max_seconds:
            raise UserError(
                f"{tuned_wer}: scored with max_seconds {tuned.max_seconds}, the baseline with {base.max_seconds}; "
                "score both again"
            )
        empty = PairedFacts(run=run, manifest=manifest_name, max_seconds=base.max_seconds, equivalence_margin=margin)
        before = read_transcripts(baseline_transcripts)
        after = read_transcripts(tuned_transcripts)
        facts = _paired_facts(empty, base, tuned, before, after, confidence, replicates)
        facts.write(paired)
    outcome = f"impossible: {facts.message}" if facts.within is None else facts.within.outcome
    print(f"{run} on {manifest_name}: {outcome}")
    return facts


def _paired_facts(
    empty: PairedFacts,
    base: WerFacts,
    tuned: WerFacts,
    before: Mapping[str, Transcript],
    after: Mapping[str, Transcript],
    confidence: float,
    replicates: int,
) -> PairedFacts:
    mismatch = _differing_rows(before, after)
    for side in (base, tuned):
        if side.status == "impossible":
            ids = mismatch if side.code == "parity.manifest" else {}
            return _impossible(empty.model_copy(update=ids), side.code, f"{side.run}: {side.message}")
    if mismatch:
        return _impossible(empty.model_copy(update=mismatch), "parity.manifest", mismatch["message"])
    if base.normalizer != tuned.normalizer:
        words = common_normalizer(base, tuned)
        if words is None:
            return _impossible(empty, "parity.normalization", NORMALIZERS_DIFFER)
        base = _scored_with(words, base, before)
        tuned = _scored_with(words, tuned, after)
    errors = {entry.id: entry for entry in tuned.utterances}
    changed = {name for name in before if before[name].hypothesis != after[name].hypothesis}
    within = [entry for entry in base.utterances if survives(entry.duration, base.max_seconds)]

    def score(entries: Sequence[UtteranceErrors]) -> PairedScore:
        return _paired_score(entries, errors, changed, base.power, empty.equivalence_margin, confidence, replicates)

    primary = score(within)
    return empty.model_copy(
        update={
            "normalizer": base.normalizer,
            "within": primary,
            "all": primary if len(within) == len(base.utterances) else score(base.utterances),
            "budget": error_budget(within, [errors[entry.id] for entry in within]),
        }
    )


def _scored_with(words: Normalizer, facts: WerFacts, texts: Mapping[str, Transcript]) -> WerFacts:
    utterances = errors_with_normalizer(words, facts, texts)
    return facts.model_copy(update={"normalizer": words.identity, "utterances": utterances})


def _differing_rows(before: Mapping[str, Transcript], after: Mapping[str, Transcript]) -> dict[str, Any]:
    """Ids that only one side has, or references that differ, with a message; empty if the rows are the same."""
    missing = sorted(name for name in before if name not in after)
    extra = sorted(name for name in after if name not in before)
    if missing or extra:
        message = ids_message(missing, extra, "the tuned run", "the baseline")
        return {"missing_ids": missing, "extra_ids": extra, "message": message}
    different = sorted(name for name in before if not same_text(before[name].run_reference, after[name].run_reference))
    if different:
        return {"message": f"{len(different)} references differ between the runs, first that of {different[0]}"}
    return {}


def _paired_score(
    base: Sequence[UtteranceErrors],
    tuned: Mapping[str, UtteranceErrors],
    changed: Set[str],
    power: Power | None,
    margin: float,
    confidence: float,
    replicates: int,
) -> PairedScore:
    count = sum(entry.id in changed for entry in base)
    target_gain = power.target_gain if power else None
    return paired_score(base, [tuned[entry.id] for entry in base], count, margin, confidence, replicates, target_gain)


def split_errors(
    manifest_name: str,
    rows: Path,
    baseline_wer: Path,
    baseline_transcripts: Path,
    candidate: Sequence[tuple[str, Path]],
    candidate_wer: Sequence[tuple[str, Path]],
    train: Path | None,
    reachable: Path,
) -> ReachableFacts:
    """Split the baseline's errors on one manifest by source: spelling, out-of-vocabulary words, agreement, the rest.

    Args:
        manifest_name: Name that the facts carry.
        rows: Canonical rows.
        baseline_wer, baseline_transcripts: Facts and transcripts of the baseline.
        candidate: Name and transcripts of each candidate; those with other rows than the baseline are left out.
        candidate_wer: Name and WER facts of each candidate, whose edits count where its normaliser is the baseline's.
        train: Rows of the training split, whose words are the vocabulary; None without a training manifest.
        reachable: File to write.
    """
    with recording(outputs=[reachable]):
        base = WerFacts.read(baseline_wer)
        if base.status == "impossible":
            facts = _impossible(ReachableFacts(manifest=manifest_name), base.code, base.message)
        else:
            words = normalizer(base.normalizer.name, base.normalizer.unit, base.normalizer.strip)
            vocabulary = frozenset(
                word for row in ([] if train is None else iterate_rows(train)) for word in words.words(row.text)
            )
            baseline = read_transcripts(baseline_transcripts)
            candidates = {name: read_transcripts(path) for name, path in candidate}
            same_rows = {name: texts for name, texts in candidates.items() if set(texts) == set(baseline)}
            scored = {name: WerFacts.read(path) for name, path in candidate_wer if name in same_rows}
            alike = {name for name, wer in scored.items() if wer.status == "ok" and wer.normalizer == base.normalizer}
            edits = {name: {errors.id: errors.edits for errors in scored[name].utterances} for name in alike}
            references = {row.id: row.text for row in iterate_rows(rows)}
            utterances = [entry for entry in base.utterances if survives(entry.duration, base.max_seconds)]

            def reference_words(id: str) -> tuple[str, ...]:
                """With the alternatives that the baseline's hypothesis is nearest to."""
                text = references[id]
                chosen_by = words.words(baseline[id].hypothesis) if "{" in text else ()
                return words.words(words.reference(text, chosen_by))

            for name, texts in same_rows.items():
                known = edits.setdefault(name, {})
                for entry in utterances:
                    if name not in alike or "{" in references[entry.id]:
                        known[entry.id] = word_edits(reference_words(entry.id), words.words(texts[entry.id].hypothesis))
            counted = utterances
            if not vocabulary:  # the words then show nothing but the language
                counted = utterances[:: math.ceil(len(utterances) / LANGUAGE_SAMPLE) or 1]
            word_counts = Counter(chain.from_iterable(reference_words(entry.id) for entry in counted))
            runs = [name for name, _ in candidate]
            facts = split_by_source(manifest_name, utterances, word_counts, edits, runs, vocabulary or None)
        facts.write(reachable)
    return facts


def match_texts(manifest_name: str, rows: Path, transcripts: Path, mismatches: Path) -> MismatchFacts:
    """Compare each hypothesis with the text of its own row and with the texts of all other rows.

    Texts are compared without case and punctuation. `transcripts` may cover only some of the rows.
    """
    with recording(outputs=[mismatches]):
        texts = read_transcripts(transcripts)
        facts = find_mismatches(manifest_name, read_rows(rows), texts)
        facts.write(mismatches)
    print(f"{manifest_name}: {facts.compared} rows compared, {len(facts.mismatched)} match the text of another row")
    return facts
