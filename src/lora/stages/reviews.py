"""Stages that read what listeners found: judgements from review files, and the scores of one manifest with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lora.data.durations import survives
from lora.data.manifest import read_rows
from lora.data.merged_reviews import merge_reviews
from lora.data.review_files import Judged, read_review_file
from lora.data.tables import write_table
from lora.provenance.recording import recording
from lora.records.base import read_lines, write_lines
from lora.records.manifests import Utterance
from lora.records.reachable import ReachableFacts
from lora.records.reviews import RejectedJudgement, ReviewedRow, ReviewFacts
from lora.records.scores import WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.normalizers import normalizer
from lora.scoring.reviewed_references import (
    Claims,
    count_judgements,
    errors_of_references,
    judged_changes,
    judged_suspicion,
    reference_noise,
    reviewed_scores,
    run_errors,
)
from lora.scoring.transcripts import read_transcripts


def read_reviews(reviews: Sequence[Path], rows: Sequence[tuple[str, Path]], judgements: Path, rejected: Path) -> None:
    """Merge the judgements of all review files, and list every line that cannot be used.

    Args:
        reviews: Review files; their order decides whose corrected text is taken among equal ones.
        rows: Name and canonical rows of each manifest.
        judgements: File to write, one line per judged row.
        rejected: Table to write.
    """
    with recording(outputs=[judgements, rejected]):
        references = {name: {row.id: row.text for row in read_rows(path)} for name, path in rows}
        judged: list[Judged] = []
        refused: list[RejectedJudgement] = []
        for path in reviews:
            usable, unusable = read_review_file(path, references)
            judged += usable
            refused += unusable
        merged = merge_reviews(judged, normalizer("basic", "words").words)
        write_lines(judgements, merged)
        write_table(rejected, tuple(RejectedJudgement.model_fields), (entry.to_json() for entry in refused))
    print(f"{len(merged)} rows judged, {len(refused)} lines rejected")
    for entry in refused:
        print(f"rejected: {entry.file}:{entry.line}: {entry.reason}")


def score_reviews(
    manifest_name: str,
    rows: Path,
    judgements: Path,
    baseline_wer: Path,
    baseline_transcripts: Path,
    candidate: Sequence[tuple[str, Path]],
    suspected: Path,
    all_rows: bool,
    margin: float,
    confidence: float,
    target_gain: float,
    review: Path,
) -> ReviewFacts:
    """Score the baseline and every candidate on one manifest with what listeners found about its references.

    Args:
        manifest_name: Name that the facts carry.
        rows: Canonical rows.
        judgements: Output of `read_reviews`.
        baseline_wer, baseline_transcripts: Facts and transcripts of the baseline.
        candidate: Name and transcripts of each candidate; those with other rows than the baseline are left out.
        suspected: Facts on suspected reference errors.
        all_rows: Score all rows (`headroom.rows: all`) instead of those within `max_seconds`.
        margin: Equivalence margin, WER as a fraction.
        confidence: Of the intervals, 0 to 1.
        target_gain: WER difference worth showing, a fraction.
        review: File to write.
    """
    with recording(outputs=[review]):
        base = WerFacts.read(baseline_wer)
        facts = ReviewFacts(manifest=manifest_name)
        if base.status == "impossible":
            impossible = {"status": "impossible", "code": base.code, "message": base.message}
            facts = facts.model_copy(update=impossible)
        else:
            judged = [row for row in read_lines(judgements, ReviewedRow) if row.manifest == manifest_name]
            texts = read_transcripts(baseline_transcripts)
            candidates = {name: read_transcripts(path) for name, path in candidate}
            places = ReachableFacts.read(suspected).suspected_references
            facts = _facts(
                manifest_name,
                base if not all_rows else base.model_copy(update={"max_seconds": None}),
                read_rows(rows),
                judged,
                texts,
                candidates,
                {place.id for place in places},
                Claims(confidence=confidence, margin=margin, target_gain=target_gain),
            )
        facts.write(review)
    print(f"{manifest_name}: {facts.counts.judged} rows judged, {facts.counts.reference_wrong} references wrong")
    return facts


def _facts(
    manifest_name: str,
    base_wer: WerFacts,
    rows: Sequence[Utterance],
    judged: Sequence[ReviewedRow],
    texts: Mapping[str, Transcript],
    candidates: Mapping[str, Mapping[str, Transcript]],
    suspected: set[str],
    claims: Claims,
) -> ReviewFacts:
    limit = base_wer.max_seconds
    scored = [row for row in rows if survives(row.duration, limit)]
    ids = {row.id for row in scored}
    here = [row for row in judged if row.id in ids]
    by_id = {row.id: row for row in here}
    words = normalizer(base_wer.normalizer.name, base_wer.normalizer.unit, base_wer.normalizer.strip)
    base = run_errors(scored, by_id, texts, words)
    same_rows = {name: own for name, own in candidates.items() if set(own) == set(texts)}
    runs = {name: run_errors(scored, by_id, own, words) for name, own in same_rows.items()}
    return ReviewFacts(
        manifest=manifest_name,
        max_seconds=limit,
        normalizer=words.identity,
        rows=len(scored),
        counts=count_judgements(here),
        beyond_limit=len(judged) - len(here),
        disagreements=[row.id for row in judged if row.disagreement],
        different_texts=[row.id for row in judged if row.texts_differ],
        noise=reference_noise(here, base, claims.confidence),
        errors=errors_of_references(here, base),
        suspicion=judged_suspicion(here, suspected, claims.confidence),
        changes=[judged_changes(name, here, base, run) for name, run in runs.items()],
        scores=reviewed_scores(here, base, runs, claims),
        left_out=[name for name in candidates if name not in runs],
    )
