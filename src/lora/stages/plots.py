"""Stages that draw plots, each as PNG and SVG: same facts, same bytes. Matplotlib is imported when one is drawn."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from lora.provenance.recording import recording
from lora.records.base import UserError, read_lines
from lora.records.comparisons import PairedFacts
from lora.records.durations import DurationDecision, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.manifests import Utterance
from lora.records.scores import WerFacts
from lora.records.sweep import SweepFacts
from lora.records.training import TrainFacts


def plot_durations(rows: Path, decision: Path, png: Path, svg: Path) -> None:
    """Plot the durations of the usable training rows, with thresholds and decision."""
    from lora.report.plots.durations import plot_durations as draw

    with recording(outputs=[png, svg]):
        durations = [row.duration for row in read_lines(rows, Utterance)]
        draw(durations, DurationDecision.read(decision), png, svg)


def plot_retention(retention: Path, decision: Path, png: Path, svg: Path) -> None:
    """Plot which rows, hours, speakers and words each duration limit keeps."""
    from lora.report.plots.retention import plot_retention as draw

    with recording(outputs=[png, svg]):
        draw(RetentionFacts.read(retention), DurationDecision.read(decision), png, svg)


def plot_wer(wer: Sequence[Path], paired: Sequence[Path], min_wer: float | None, png: Path, svg: Path) -> None:
    """Plot WER of baseline and runs per manifest, and the paired differences, in the order of the files.

    `min_wer` is the WER (a fraction) from which a manifest has headroom.
    """
    from lora.report.plots.wer import plot_wer as draw

    with recording(outputs=[png, svg]):
        scores = [WerFacts.read(path) for path in wer]
        draw(scores, [PairedFacts.read(path) for path in paired], min_wer, png, svg)


def plot_loss(loss: Path, train_facts: Path, png: Path, svg: Path) -> None:
    """Plot training and validation loss by optimiser step, with the best step."""
    from lora.report.plots.loss import plot_loss as draw

    with recording(outputs=[png, svg]):
        try:
            log = list(csv.DictReader(loss.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
        except FileNotFoundError:
            raise UserError(f"{loss}: no such file") from None
        draw(log, TrainFacts.read(train_facts), png, svg)


def plot_weights(effect: Path, png: Path, svg: Path) -> None:
    """Plot how far an adapter moves each module, relative to the base weight."""
    from lora.report.plots.weights import plot_weights as draw

    with recording(outputs=[png, svg]):
        draw(EffectFacts.read(effect), png, svg)


def plot_sweep(recipes: Path, levels: tuple[Path, Path], tradeoff: tuple[Path, Path], curve: tuple[Path, Path]) -> None:
    """Plot WER over the varied settings, domain gain against general loss, and the learning curve; PNG and SVG each."""
    from lora.report.plots.learning_curve import plot_learning_curve
    from lora.report.plots.sweep import plot_levels, plot_tradeoff

    with recording(outputs=[*levels, *tradeoff, *curve]):
        facts = SweepFacts.read(recipes)
        plot_levels(facts, *levels)
        plot_tradeoff(facts, *tradeoff)
        plot_learning_curve(facts, *curve)
