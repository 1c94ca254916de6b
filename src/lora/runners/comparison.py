"""The stages of a study of transcripts alone, in one process: no model, and audio is not decoded."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora import layout
from lora.data.manifest import Manifest
from lora.data.manifest_rows import Rejected
from lora.data.source import Source
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.data.transcripts.reference_rows import UNKNOWN_DURATION, included_references, reference_rows
from lora.layout import BASE, TRAIN, ResultFile
from lora.provenance.recording import recording
from lora.records.base import UserError, write_text
from lora.records.durations import MaxSeconds
from lora.records.manifests import NO_DURATION
from lora.stages import durations, imports, manifests, parity, plots, scores, verdict

TUNED, EVALUATION, GENERAL = "tuned", "evaluation", "general"
FLAGS = {EVALUATION: "--manifest", TRAIN: "--train", GENERAL: "--general"}


@contextlib.contextmanager
def naming(flag: str, path: Path) -> Iterator[None]:
    """Begin the message of an error about a file with the flag that names it."""
    try:
        yield
    except UserError as error:
        message = str(error)
        raise UserError(f"{flag} {message}" if message.startswith(str(path)) else message) from None


class Comparison:
    """The stages of a study of transcripts alone, in one results folder."""

    def __init__(self, results: Path, config: dict[str, Any]) -> None:
        self.results = results
        self.config = config
        self.manifests: dict[str, str | dict[str, Any]] = config["manifests"]
        self.evaluations = [*config["roles"]["general"], *config["roles"]["domain"]]
        self.has_training = TRAIN in self.manifests
        self.hypotheses = {
            BASE: config["base"]["hypotheses"],
            TUNED: config["candidates"][TUNED]["hypotheses"],
        }

    def path(self, kind: ResultFile[Any], **wildcards: str) -> Path:
        return self.results / kind.path(**wildcards)

    def run(self) -> None:
        """From the configuration to verdict and summary."""
        config_path = self.path(layout.CONFIG)
        with recording(outputs=[config_path]):
            write_text(config_path, json.dumps(self.config, indent=2, ensure_ascii=False) + "\n")
        with_durations = [name for name in self.manifests if self._write_rows(name)]
        self._profile_durations(with_durations)
        if self.has_training:
            self._filter_training()
        for name in self.evaluations:
            for run in (BASE, TUNED):
                self._score(run, name)
            self._compare(name)
        self._compare_settings()
        decided = self.path(layout.VERDICT)
        verdict.decide_verdict(self.results, config_path, decided, self.path(layout.GATE))

    def _write_rows(self, name: str) -> bool:
        """Write the rows of a manifest; return whether every row has a duration.

        A training row without a duration is rejected: it is unknown whether the filter keeps it.
        """
        source = _source(self.manifests[name])
        path = source.path
        files = self.hypotheses[BASE].get(name)
        baseline = files if isinstance(files, dict) else {"path": files}
        has_references = baseline["path"] == str(path)
        rows = self.path(layout.ROWS, manifest=name)
        rejected = self.path(layout.REJECTED, manifest=name)
        facts = self.path(layout.MANIFEST_FACTS, manifest=name)
        with recording(outputs=[rows, rejected, facts]):
            with naming("--baseline" if has_references else FLAGS[name], path):
                manifest = (
                    included_references(path, baseline.get("format"), baseline.get("columns"), silence=name != TRAIN)
                    if has_references
                    else reference_rows(source, silence=name != TRAIN)
                )
            if name == TRAIN:
                manifest = _with_durations(manifest)
            if not manifest.rows and not manifest.rejected:
                raise UserError(f"{path}: contains no row")
            counted = manifests.write_rows([*manifest.rows, *manifest.rejected], manifest.folder, rows, rejected)
            manifests.manifest_facts(source, manifest, counted).write(facts)
        if not has_references:  # the account of the baseline says how its file was read
            manifests.print_notes(path, manifest.notes)
        unknown = sum(row.duration == UNKNOWN_DURATION for row in manifest.rows)
        if unknown and self.has_training:
            print(
                f"note: {unknown} of {len(manifest.rows)} rows of {path} have no duration and count as within "
                f"max_seconds"
            )
        return bool(manifest.rows) and not unknown

    def _profile_durations(self, names: Sequence[str]) -> None:
        tables = {name: self.path(layout.DURATIONS, manifest=name) for name in names}
        for name, table in tables.items():
            rows = self.path(layout.ROWS, manifest=name)
            durations.profile_durations(rows, name, self.config["durations"]["thresholds"], table)
        if tables:
            durations.summarise_durations(list(tables.values()), self.path(layout.DURATION_SUMMARY))

    def _filter_training(self) -> None:
        rows = self.path(layout.ROWS, manifest=TRAIN)
        settings = self.config["durations"]
        split = self.config["split"]
        how = {"val_fraction": split["val_fraction"], "by_speaker": split["by_speaker"], "split_seed": split["seed"]}
        configured = None if settings["max_seconds"] == "auto" else settings["max_seconds"]
        for name in self.evaluations:
            manifests.compare_training(
                manifest_name=name,
                train_rows=rows,
                rows=self.path(layout.ROWS, manifest=name),
                leakage=self.path(layout.LEAKAGE, manifest=name),
            )
        durations.choose_max_seconds(
            rows=rows,
            thresholds=settings["thresholds"],
            max_seconds=configured,
            min_train_samples=settings["min_train_samples"],
            max_held_out_speakers=self.config["integrity"]["max_held_out_speakers"],
            window=None,
            value=self.path(layout.MAX_SECONDS),
            decision=self.path(layout.DECISION),
            **how,
        )
        limits = sorted({*settings["thresholds"], *([] if configured is None else [configured])})
        durations.profile_retention(rows, limits, self.path(layout.RETENTION))
        durations.split_training(
            rows=rows,
            max_seconds=self._max_seconds(),
            train=self.path(layout.SPLIT_TRAIN),
            val=self.path(layout.SPLIT_VALIDATION),
            sizes=self.path(layout.SPLIT_SIZES),
            **how,
        )
        durations.try_split_seeds(
            rows=rows, max_seconds=self._max_seconds(), stability=self.path(layout.STABILITY), **how
        )

    def _max_seconds(self) -> float | None:
        """The chosen limit; None without a training manifest."""
        return MaxSeconds.read(self.path(layout.MAX_SECONDS)).max_seconds if self.has_training else None

    def _score(self, run: str, name: str) -> None:
        """Import, match and score the transcripts of one run on one manifest."""
        source = self.hypotheses[run][name]
        file = source if isinstance(source, dict) else {"path": source}
        recorded = adjacent_settings(Path(file["path"]))
        rows = self.path(layout.ROWS, manifest=name)
        transcripts = self.path(layout.TRANSCRIPTS, run=run, manifest=name)
        settings = self.path(layout.SETTINGS, run=run, manifest=name)
        statistics = self.config["statistics"]
        with naming(
            f"--{GENERAL}" if name == GENERAL else {BASE: "--baseline", TUNED: "--tuned"}[run], Path(file["path"])
        ):
            imports.import_transcripts(
                run=run,
                manifest_name=name,
                rows=rows,
                rejected=self.path(layout.REJECTED, manifest=name),
                hypotheses=Path(file["path"]),
                recorded=recorded if os.path.lexists(recorded) else None,
                format=file.get("format"),
                columns=file.get("columns"),
                transcripts=transcripts,
                settings=settings,
                account=self.path(layout.IMPORT, run=run, manifest=name),
            )
        mismatches = (
            self.path(layout.MISMATCHES, manifest=name)
            if run == BASE
            else self.path(layout.RUN_MISMATCHES, run=run, manifest=name)
        )
        scores.match_texts(name, rows, transcripts, mismatches)
        scores.score_run(
            run=run,
            manifest_name=name,
            rows=rows,
            transcripts=transcripts,
            settings=settings,
            max_seconds=self._max_seconds(),
            normalizer_name=self.config["normalizer"],
            unit=self.config["text"]["unit"],
            strip=self.config["text"]["strip"],
            confidence=statistics["confidence"],
            replicates=statistics["replicates"],
            assumed_shared_errors=statistics["assumed_shared_errors"],
            target_gain=statistics["target_gain"],
            wer=self.path(layout.WER, run=run, manifest=name),
        )

    def _compare(self, name: str) -> None:
        statistics = self.config["statistics"]
        baseline_wer = self.path(layout.WER, run=BASE, manifest=name)
        tuned_wer = self.path(layout.WER, run=TUNED, manifest=name)
        baseline_transcripts = self.path(layout.TRANSCRIPTS, run=BASE, manifest=name)
        tuned_transcripts = self.path(layout.TRANSCRIPTS, run=TUNED, manifest=name)
        scores.compare_runs(
            run=TUNED,
            manifest_name=name,
            baseline_wer=baseline_wer,
            tuned_wer=tuned_wer,
            baseline_transcripts=baseline_transcripts,
            tuned_transcripts=tuned_transcripts,
            margin=statistics["equivalence_margin"],
            confidence=statistics["confidence"],
            replicates=statistics["replicates"],
            paired=self.path(layout.PAIRED, run=TUNED, manifest=name),
        )
        scores.split_errors(
            manifest_name=name,
            rows=self.path(layout.ROWS, manifest=name),
            baseline_wer=baseline_wer,
            baseline_transcripts=baseline_transcripts,
            candidate=[(TUNED, tuned_transcripts)],
            candidate_wer=[(TUNED, tuned_wer)],
            train=self.path(layout.SPLIT_TRAIN) if self.has_training else None,
            reachable=self.path(layout.REACHABLE, manifest=name),
        )

    def _compare_settings(self) -> None:
        def each(kind: ResultFile[Any], run: str) -> list[Path]:
            return [self.path(kind, run=run, manifest=name) for name in self.evaluations]

        parity.compare_settings(
            run=TUNED,
            baseline_settings=each(layout.SETTINGS, BASE),
            tuned_settings=each(layout.SETTINGS, TUNED),
            baseline_wer=each(layout.WER, BASE),
            tuned_wer=each(layout.WER, TUNED),
            baseline_transcripts=each(layout.TRANSCRIPTS, BASE),
            tuned_transcripts=each(layout.TRANSCRIPTS, TUNED),
            parity=self.path(layout.PARITY, run=TUNED),
        )

    def draw(self) -> None:
        """Draw the plots, and write the report."""

        def files(kind: ResultFile[Any]) -> dict[str, Path]:
            return {format: self.path(kind, format=format) for format in layout.PLOT_FORMATS}

        if self.has_training:
            decision = self.path(layout.DECISION)
            plots.plot_durations(self.path(layout.ROWS, manifest=TRAIN), decision, **files(layout.DURATION_PLOT))
            plots.plot_retention(self.path(layout.RETENTION), decision, **files(layout.RETENTION_PLOT))
        plots.plot_wer(
            wer=[self.path(layout.WER, run=run, manifest=name) for run in (BASE, TUNED) for name in self.evaluations],
            paired=[self.path(layout.PAIRED, run=TUNED, manifest=name) for name in self.evaluations],
            min_wer=self.config["headroom"]["min_wer"],
            **files(layout.WER_PLOT),
        )
        report, landing = self.path(layout.REPORT), self.path(layout.LANDING)
        verdict.render_report(self.results, self.path(layout.CONFIG), report, landing)


def _source(entry: str | dict[str, Any]) -> Source:
    """The manifest of a complete configuration; its format may also be one of transcripts."""
    return Source(Path(entry)) if isinstance(entry, str) else Source(**{**entry, "path": Path(entry["path"])})


def _with_durations(manifest: Manifest) -> Manifest:
    reason = f"{NO_DURATION}, and there is no file to read it from"
    rejected = [Rejected(row.line or 0, row.id, reason) for row in manifest.rows if row.duration == UNKNOWN_DURATION]
    kept = [row for row in manifest.rows if row.duration != UNKNOWN_DURATION]
    return replace(manifest, rows=kept, rejected=sorted([*manifest.rejected, *rejected], key=lambda entry: entry.line))
