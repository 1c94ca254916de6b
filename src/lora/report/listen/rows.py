"""What the listening page shows of one manifest: rows, hypotheses and errors of each run, and why to look at a row.

Errors are those of the WER facts. Texts are aligned again only where a fact cannot be shown as it is: a run that was
scored with another normaliser, or against another of a reference's alternatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lora import layout
from lora.data.durations import survives
from lora.data.manifest import read_rows
from lora.layout import BASE, TRAIN
from lora.provenance.hashes import content_hash
from lora.records.integrity import MismatchedTranscript
from lora.records.manifests import Utterance
from lora.records.reachable import SuspectedReference
from lora.records.scores import Edit, Loop, Unit, UtteranceErrors, WerFacts
from lora.records.transcripts import Transcript
from lora.report.study import Study
from lora.scoring.alignment import utterance_errors, word_edits
from lora.scoring.markup import chosen_kinds
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.rescoring import installed_normalizer
from lora.scoring.transcripts import read_transcripts

R = TypeVar("R", Loop, MismatchedTranscript)

SAMPLE = 50  # rows that are judged for an estimate of reference errors


@dataclass(frozen=True)
class RunRows:
    """What one run wrote for each row, in the order of rows; None where it has no hypothesis.

    Attributes:
        edits: Word errors against the page's reference of the row.
        errors: Number of word errors, as the WER counts them.
        loops: Looping hypotheses by row.
        mismatched: Rows whose audio fits the transcript of another row, by this run's hypotheses.
    """

    name: str
    hypotheses: list[str | None]
    edits: list[Sequence[Edit] | None]
    errors: list[int | None]
    truncated: list[int] = field(default_factory=list)
    loops: dict[int, Loop] = field(default_factory=dict)
    mismatched: dict[int, MismatchedTranscript] = field(default_factory=dict)


@dataclass(frozen=True)
class ManifestRows:
    """One manifest: its rows, the reference of each in words, and its runs, the baseline first.

    Attributes:
        folder: Where relative audio paths of rows start.
        within: Rows within `max_seconds`.
        sample: The random sample among them, in random order.
        suspected: Suspected reference errors by row.
        unseen: Indices of the reference words that training never saw, by row; None without a training manifest.
        other_texts: Texts of the rows whose transcript fits the audio of another row, by id.
    """

    name: str
    folder: Path
    rows: list[Utterance]
    references: list[tuple[str, ...]]
    runs: list[RunRows]
    max_seconds: float | None
    unit: Unit
    within: frozenset[int]
    sample: list[int]
    suspected: dict[int, list[SuspectedReference]]
    unseen: dict[int, list[int]] | None
    other_texts: dict[str, str]

    @property
    def flagged(self) -> set[int]:
        """Rows to listen to first: suspected references, mismatched transcripts, loops, the random sample."""
        found = {*self.suspected, *self.sample}
        return found.union(*(set(run.loops) | set(run.mismatched) for run in self.runs))

    @property
    def changed(self) -> set[int]:
        """Rows whose words any run changed."""
        base, *others = self.runs
        return {
            i for run in others for i, edits in enumerate(run.edits) if edits is not None and edits != base.edits[i]
        }


def manifest_rows(study: Study, manifest: str, vocabulary: frozenset[str] | None) -> ManifestRows:
    """Gather one manifest of a study; facts that are missing or impossible leave their part empty."""
    path = study.results / layout.ROWS.path(manifest=manifest)
    rows = read_rows(path)
    texts = {row.id: row.text for row in rows}
    base = _transcripts(study, BASE, manifest)
    if manifest == TRAIN:
        rows = [row for row in rows if row.id in base]
    index = {row.id: number for number, row in enumerate(rows)}
    facts = study.wer(BASE, manifest)
    words = words_of(study, facts.value)
    max_seconds = _max_seconds(study, facts.value)
    references = []
    for row in rows:
        spoken = words.words(base[row.id].hypothesis) if row.id in base else ()
        references.append(words.words(words.reference(row.text, spoken)))
    within = frozenset(i for i, row in enumerate(rows) if survives(row.duration, max_seconds))
    names = [BASE] if manifest == TRAIN else [BASE, *study.candidates]
    runs = [_run_rows(study, run, manifest, rows, references, words, index) for run in names]
    suspected: dict[int, list[SuspectedReference]] = {}
    reachable = study.reachable(manifest).value
    for place in reachable.suspected_references if reachable is not None else []:
        if place.id in index:
            suspected.setdefault(index[place.id], []).append(place)
    return ManifestRows(
        name=manifest,
        folder=path.parent,
        rows=rows,
        references=references,
        runs=runs,
        max_seconds=max_seconds,
        unit=facts.value.unit if facts.value is not None else "words",
        within=within,
        sample=random_sample(manifest, rows, within),
        suspected=suspected,
        unseen=None if vocabulary is None or manifest == TRAIN else _unseen(references, within, vocabulary),
        other_texts={one.other_id: texts.get(one.other_id, "") for run in runs for one in run.mismatched.values()},
    )


def random_sample(manifest: str, rows: Sequence[Utterance], within: frozenset[int]) -> list[int]:
    """Rows drawn by the hash of their ids: no run and no other row changes who is drawn before whom."""
    return sorted(within, key=lambda i: content_hash("sample", manifest, rows[i].id))[:SAMPLE]


def words_of(study: Study, facts: WerFacts | None) -> Normalizer:
    """The normaliser of the baseline's score, else that of the configuration."""
    if facts is not None:
        identity = facts.normalizer
        return installed_normalizer(identity) or normalizer(identity.name, identity.unit, identity.strip)
    strip = chosen_kinds(study.setting("text", "strip") or [])
    return normalizer(study.setting("normalizer") or "basic", study.setting("text", "unit") or "auto", strip)


def _max_seconds(study: Study, facts: WerFacts | None) -> float | None:
    if facts is not None:
        return facts.max_seconds
    chosen = study.find(layout.MAX_SECONDS).value
    return None if chosen is None else chosen.max_seconds


def _transcripts(study: Study, run: str, manifest: str) -> Mapping[str, Transcript]:
    """Transcripts by row id; of the training manifest, those of the label audit's sample."""
    kind = layout.LABEL_HYPOTHESES if manifest == TRAIN else layout.TRANSCRIPTS
    path = study.results / (kind.path() if manifest == TRAIN else kind.path(run=run, manifest=manifest))
    return read_transcripts(path) if path.is_file() else {}


def _run_rows(
    study: Study,
    run: str,
    manifest: str,
    rows: Sequence[Utterance],
    references: Sequence[tuple[str, ...]],
    words: Normalizer,
    index: Mapping[str, int],
) -> RunRows:
    texts = _transcripts(study, run, manifest)
    facts = study.wer(run, manifest).value
    scored = _errors(facts, rows, texts, words)
    edits: list[Sequence[Edit] | None] = []
    errors: list[int | None] = []
    for row, reference in zip(rows, references, strict=True):
        own = scored.get(row.id)
        errors.append(None if own is None else own.errors)
        if own is None:
            edits.append(None)
        elif "{" in row.text:  # the run may have been scored against another alternative of the reference
            edits.append(word_edits(reference, words.words(texts[row.id].hypothesis)))
        else:
            edits.append(own.edits)
    kind = layout.MISMATCHES if run == BASE else layout.RUN_MISMATCHES
    mismatches = study.find(kind, **({"manifest": manifest} if run == BASE else {"run": run, "manifest": manifest}))
    return RunRows(
        name=run,
        hypotheses=[texts[row.id].hypothesis if row.id in texts else None for row in rows],
        edits=edits,
        errors=errors,
        truncated=[i for i, row in enumerate(rows) if row.id in texts and texts[row.id].truncated],
        loops=_by_row(facts.loops if facts is not None else [], index),
        mismatched=_by_row(mismatches.value.mismatched if mismatches.value is not None else [], index),
    )


def _by_row(records: Sequence[R], index: Mapping[str, int]) -> dict[int, R]:
    return {index[record.id]: record for record in records if record.id in index}


def _errors(
    facts: WerFacts | None, rows: Sequence[Utterance], texts: Mapping[str, Transcript], words: Normalizer
) -> dict[str, UtteranceErrors]:
    """Errors by row id: those of the facts, or counted here where these use another normaliser or do not exist."""
    if facts is not None and facts.utterances and facts.normalizer == words.identity:
        return {own.id: own for own in facts.utterances if own.id in texts}
    return {own.id: own for own in utterance_errors([row for row in rows if row.id in texts], texts, words)}


def _unseen(
    references: Sequence[tuple[str, ...]], within: frozenset[int], vocabulary: frozenset[str]
) -> dict[int, list[int]]:
    places = {i: [at for at, word in enumerate(references[i]) if word not in vocabulary] for i in sorted(within)}
    return {i: found for i, found in places.items() if found}
