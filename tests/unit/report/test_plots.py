"""Plots show the facts, say in words what is not there, and come out as the same bytes every time."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import example_facts
import plot_durations as durations_command
import plot_loss as loss_command
import plot_retention as retention_command
import plot_weights as weights_command
import plot_wer as wer_command
import pytest
from small_study import REPOSITORY

from lora.records.comparisons import PairedFacts
from lora.records.durations import DurationDecision, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.scores import WerFacts
from lora.records.training import TrainFacts
from lora.report.plots import style
from lora.report.plots.durations import plot_durations
from lora.report.plots.loss import plot_loss
from lora.report.plots.retention import plot_retention
from lora.report.plots.weights import plot_weights
from lora.report.plots.wer import plot_wer

MANIFESTS = list(example_facts.DELTA)
COMMANDS = {
    "durations": (
        durations_command.main,
        ["--rows", "results/manifests/train.jsonl", "--decision", "results/durations/decision.json"],
    ),
    "retention": (
        retention_command.main,
        ["--retention", "results/durations/retention.json", "--decision", "results/durations/decision.json"],
    ),
    "wer": (
        wer_command.main,
        [
            *("--wer", *(f"results/wer/{run}/{m}.json" for run in ("base", "lora") for m in MANIFESTS)),
            *("--paired", *(f"results/paired/lora/{m}.json" for m in MANIFESTS)),
            *("--min-wer", "0.05"),
        ],
    ),
    "loss": (
        loss_command.main,
        ["--loss", "results/adapters/lora/loss.tsv", "--train-facts", "results/adapters/lora/train.json"],
    ),
    "weights": (weights_command.main, ["--effect", "results/effect/lora.json"]),
}


@pytest.fixture
def texts_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Plot with text kept as text, and return all of it, joined by spaces."""
    monkeypatch.setitem(style.SETTINGS, "svg.fonttype", "none")

    def draw(plot: Callable[..., None], *facts: object) -> str:
        plot(*facts, tmp_path / "p.png", tmp_path / "p.svg")
        svg = (tmp_path / "p.svg").read_text(encoding="utf-8")
        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
        return " ".join(" ".join(re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)).split())

    return draw


@pytest.mark.parametrize("name", COMMANDS)
def test_same_facts_same_bytes(name: str, folder: Path) -> None:
    main, arguments = COMMANDS[name]
    for where in ("one", "two"):
        assert main([*arguments, "--png", f"{where}/{name}.png", "--svg", f"{where}/{name}.svg"]) == 0
    for kind in ("png", "svg"):
        one, two = (Path(where, f"{name}.{kind}").read_bytes() for where in ("one", "two"))
        assert one == two
        assert b"Matplotlib" not in one.replace(b"Created with matplotlib", b"")
        assert b"<dc:date>" not in one
    assert Path(f"one/{name}.png.run.json").exists()


def test_durations(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_durations, example_facts.durations(), example_facts.decision())
    assert "max_seconds = 10 leaves 218 rows to train on" in texts
    assert "hatched: 112 longer rows" in texts
    assert "at least 200 needed" in texts
    for threshold, rows in (("5 s", "79"), ("8 s", "145"), ("10 s", "218"), ("15 s", "264"), ("20 s", "295")):
        assert threshold in texts
        assert rows in texts


def test_many_durations_are_drawn_as_no_more_steps_than_can_be_seen(
    texts_of: Callable[..., str], tmp_path: Path
) -> None:
    texts_of(plot_durations, [0.001 * n for n in range(1, 30_001)], example_facts.decision())
    assert (tmp_path / "p.svg").stat().st_size < 600_000
    curve = re.findall(r"L ([\d.]+) ([\d.]+)", (tmp_path / "p.svg").read_text(encoding="utf-8"))
    assert len(curve) > 2_000


def test_durations_without_rows(texts_of: Callable[..., str]) -> None:
    nothing = DurationDecision.model_validate(
        {**example_facts.decision().to_json(), "max_seconds": None, "status": "none_sufficient", "options": []}
    )
    assert "no usable training row" in texts_of(plot_durations, [], nothing)
    assert "No duration threshold leaves a training row" in texts_of(plot_durations, [30.0, 31.0], nothing)


def test_one_row_and_one_threshold(texts_of: Callable[..., str]) -> None:
    decision = example_facts.decision()
    one = decision.model_copy(update={"options": decision.options[2:3], "min_train_samples": 1})
    assert "218" in texts_of(plot_durations, [4.0], one)


def retention(speakers: int | None = 24) -> RetentionFacts:
    """Equally many rows of every duration from 1 to 25 s; all speakers occur from 6 s on."""
    curve = [
        {
            "threshold": float(t),
            "rows": 4 * t,
            "hours": t * t / 400,
            "speakers": speakers and min(speakers, 4 * t),
            "words": 16 * t,
        }
        for t in range(1, 26)
    ]
    everything = curve[-1] | {"threshold": None}
    return RetentionFacts.model_validate({"curve": [*curve, everything], "dropped": []})


def test_retention(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_retention, retention(), example_facts.decision())
    assert "10 s leaves 40 rows, 15 min, 24 speakers and 160 distinct words." in texts
    for named in (
        "5 s",
        "8 s",
        "10 s",
        "20 s",
        "max_seconds",
        "100 rows",
        "1.6 h of speech",
        "24 speakers",
        "400 distinct words",
    ):
        assert named in texts
    assert "speakers" not in texts_of(plot_retention, retention(None), example_facts.decision())


def test_retention_without_a_limit_or_rows(texts_of: Callable[..., str]) -> None:
    decision = example_facts.decision().model_copy(update={"max_seconds": None})
    assert "No limit is set" in texts_of(plot_retention, retention(), decision)
    nothing = {"threshold": None, "rows": 0, "hours": 0.0, "speakers": None, "words": 0}
    empty = RetentionFacts.model_validate({"curve": [nothing], "dropped": []})
    assert "no usable training row" in texts_of(plot_retention, empty, decision)
    far = example_facts.decision().model_copy(update={"max_seconds": 500.0})
    assert "500 s removes nothing" in texts_of(plot_retention, retention(), far)


def wers() -> list[WerFacts]:
    return [
        example_facts.wer_facts(run, m, numbers)
        for run, table in (("base", example_facts.BASELINE), ("lora", example_facts.TUNED))
        for m, numbers in table.items()
    ]


def paired() -> list[PairedFacts]:
    return [example_facts.paired_facts(m) for m in MANIFESTS]


def test_wer(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_wer, wers(), paired(), 0.05)
    for shown in (
        "domain (200 rows)",
        "31.2 %",
        "20.6 %",
        "-10.60 points  better",
        "+0.30 points  inconclusive",
        "Rows of at most 10 s.",
        "headroom from 5 %",
    ):
        assert " ".join(shown.split()) in texts
    assert "Band: ±0.5 points" in texts


def test_wer_of_a_baseline_alone(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_wer, wers()[:3], [], None)
    assert "31.2 %" in texts
    assert "Change" not in texts
    assert "headroom" not in texts


def test_an_unknown_wer(texts_of: Callable[..., str]) -> None:
    gone = {"within": None, "status": "impossible", "code": "adapter.not_loaded", "message": "no adapter to load"}
    known, broken = wers()[:3], [f.model_copy(update=gone) for f in wers()[3:]]
    lost = [f.model_copy(update=gone) for f in paired()]
    assert texts_of(plot_wer, [*known, *broken], lost, 0.05).count("unknown") == 3
    assert "Unknown: no adapter to load" in texts_of(plot_wer, broken, [], 0.05)
    assert "no WER was measured" in texts_of(plot_wer, [], [], 0.05)


def loss_log() -> list[dict[str, str]]:
    return list(csv.DictReader(example_facts.loss_table().splitlines(), delimiter="\t"))


def test_loss(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_loss, loss_log(), example_facts.train_facts())
    assert "The training loss of lora fell from 0.74 to 0.31" in texts
    assert "best: step 80, kept" in texts
    assert "validation 0.41" in texts
    assert "100 of 100 steps, 218 training and 30 validation rows" in texts


def test_loss_that_becomes_infinite(texts_of: Callable[..., str]) -> None:
    log = [{"step": "1", "train_loss": "0.7"}, {"step": "2", "train_loss": "inf"}, {"step": "3", "train_loss": "nan"}]
    facts = TrainFacts(
        run="lora", status="impossible", code="training.diverged", message="loss not finite", non_finite_step=2
    )
    texts = texts_of(plot_loss, log, facts)
    assert "not finite at step 2" in texts
    assert "Training produced no adapter: loss not finite" in texts
    assert "Unknown: loss not finite" in texts_of(plot_loss, [], facts)


def test_weights(texts_of: Callable[..., str]) -> None:
    texts = texts_of(plot_weights, example_facts.effect_facts())
    assert "44 adapted modules, one mark each" in texts
    for shown in (
        "encoder",
        "decoder self-attention",
        "cross-attention",
        "decoder MLP",
        "q_proj",
        "fc2",
        "median 4.5 %",
    ):
        assert shown in texts


def test_weights_that_are_zero_or_missing(texts_of: Callable[..., str]) -> None:
    effect = example_facts.effect_facts()
    zero = [m.model_copy(update={"delta_norm": 0.0, "relative_norm": 0.0}) for m in effect.weights or []]
    nothing = effect.model_copy(update={"weights": zero, "median_relative_norm": 0.0})
    assert "44 of them unchanged (crosses)" in texts_of(plot_weights, nothing)
    impossible = EffectFacts(run="lora", status="impossible", code="adapter.not_finite", message="tensors hold NaN")
    assert "Unknown: tensors hold NaN" in texts_of(plot_weights, impossible)


def test_names_are_never_mathematics(texts_of: Callable[..., str]) -> None:
    facts = example_facts.train_facts().model_copy(update={"run": "$x^2$ <b>"})
    assert "The training loss of $x^2$ &lt;b&gt; fell from 0.74 to 0.31" in texts_of(plot_loss, loss_log(), facts)


@pytest.mark.parametrize("backend", ["Qt4Agg", "module://matplotlib_inline.backend_inline"])
def test_a_backend_that_matplotlib_does_not_know_is_no_obstacle(backend: str) -> None:
    environment = {**os.environ, "MPLBACKEND": backend}
    for name in ("durations", "learning_curve", "loss", "retention", "sweep", "weights", "wer"):
        command = [sys.executable, "-c", f"import lora.report.plots.{name}"]
        assert subprocess.run(command, env=environment, cwd=REPOSITORY).returncode == 0


def test_plots_leave_the_backend_of_a_program_alone() -> None:
    code = "import matplotlib; matplotlib.use('svg'); import lora.report.plots.wer; print(matplotlib.get_backend())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout == "svg\n"
