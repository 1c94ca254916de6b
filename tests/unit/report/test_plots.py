"""Plots show the facts, say in words what is not there, and come out as the same bytes every time."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import example
import plot_durations as durations_command
import plot_loss as loss_command
import plot_retention as retention_command
import plot_weights as weights_command
import plot_wer as wer_command
import pytest

from lora.records.comparisons import PairedFacts
from lora.records.data import DurationDecision, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.scores import WerFacts
from lora.records.tuning import TrainFacts
from lora.report.plots import style
from lora.report.plots.durations import plot_durations
from lora.report.plots.loss import plot_loss
from lora.report.plots.retention import plot_retention
from lora.report.plots.weights import plot_weights
from lora.report.plots.wer import plot_wer

MANIFESTS = list(example.DELTA)
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
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Draws with letters kept as text, and returns them joined by blanks."""
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


def test_durations(words: Callable[..., str]) -> None:
    drawn = words(plot_durations, example.durations(), example.decision())
    assert "max_seconds = 10 leaves 218 rows to train on" in drawn
    assert "hatched: the 112 longer ones" in drawn
    assert "at least 200 asked for" in drawn
    for threshold, rows in (("5 s", "79"), ("8 s", "145"), ("10 s", "218"), ("15 s", "264"), ("20 s", "295")):
        assert threshold in drawn
        assert rows in drawn


def test_durations_without_rows(words: Callable[..., str]) -> None:
    nothing = DurationDecision.model_validate(
        {**example.decision().to_json(), "max_seconds": None, "status": "none_sufficient", "options": []}
    )
    assert "no usable training row" in words(plot_durations, [], nothing)
    assert "No duration threshold leaves a training row" in words(plot_durations, [30.0, 31.0], nothing)


def test_one_row_and_one_threshold(words: Callable[..., str]) -> None:
    decision = example.decision()
    one = decision.model_copy(update={"options": decision.options[2:3], "min_train_samples": 1})
    assert "218" in words(plot_durations, [4.0], one)


def retention(speakers: int | None = 24) -> RetentionFacts:
    """Rows of 1 to 25 s, as many in every second; speakers are all heard from 6 s on."""
    curve = [
        {"threshold": float(t), "rows": 4 * t, "hours": t * t / 400, "speakers": speakers and min(speakers, 4 * t),
         "words": 16 * t}
        for t in range(1, 26)
    ]  # fmt: skip
    everything = curve[-1] | {"threshold": None}
    return RetentionFacts.model_validate({"curve": [*curve, everything], "dropped": []})


def test_retention(words: Callable[..., str]) -> None:
    drawn = words(plot_retention, retention(), example.decision())
    assert "10 s leaves 40 of 100 rows, 0.25 of 1.56 hours, 24 of 24 speakers and 160 of 400 words." in drawn
    for named in ("5 s", "8 s", "10 s", "20 s", "max_seconds", "100 rows", "1.56 hours", "24 speakers", "400 words"):
        assert named in drawn
    assert "speakers" not in words(plot_retention, retention(None), example.decision())


def test_retention_without_a_limit_or_rows(words: Callable[..., str]) -> None:
    decision = example.decision().model_copy(update={"max_seconds": None})
    assert "No limit is set" in words(plot_retention, retention(), decision)
    nothing = {"threshold": None, "rows": 0, "hours": 0.0, "speakers": None, "words": 0}
    empty = RetentionFacts.model_validate({"curve": [nothing], "dropped": []})
    assert "no usable training row" in words(plot_retention, empty, decision)
    far = example.decision().model_copy(update={"max_seconds": 500.0})
    assert "500 s takes nothing away" in words(plot_retention, retention(), far)


def wers() -> list[WerFacts]:
    return [
        example.wer_facts(run, m, numbers)
        for run, table in (("base", example.BASELINE), ("lora", example.TUNED))
        for m, numbers in table.items()
    ]


def paired() -> list[PairedFacts]:
    return [example.paired_facts(m) for m in MANIFESTS]


def test_wer(words: Callable[..., str]) -> None:
    drawn = words(plot_wer, wers(), paired(), 0.05)
    for shown in ("domain (200 rows)", "31.2 %", "20.6 %", "-10.6  better", "+0.3  undecided", "headroom from 5 %"):
        assert " ".join(shown.split()) in drawn
    assert "Band: ±0.5 points" in drawn


def test_wer_of_a_baseline_alone(words: Callable[..., str]) -> None:
    drawn = words(plot_wer, wers()[:3], [], None)
    assert "31.2 %" in drawn
    assert "Change" not in drawn
    assert "headroom" not in drawn


def test_wer_that_is_not_known(words: Callable[..., str]) -> None:
    gone = {"within": None, "status": "impossible", "code": "adapter.not_loaded", "message": "no adapter to load"}
    known, broken = wers()[:3], [f.model_copy(update=gone) for f in wers()[3:]]
    lost = [f.model_copy(update=gone) for f in paired()]
    assert words(plot_wer, [*known, *broken], lost, 0.05).count("unknown") == 3
    assert "Not known: no adapter to load" in words(plot_wer, broken, [], 0.05)
    assert "no WER was measured" in words(plot_wer, [], [], 0.05)


def loss_log() -> list[dict[str, str]]:
    return list(csv.DictReader(example.loss_table().splitlines(), delimiter="\t"))


def test_loss(words: Callable[..., str]) -> None:
    drawn = words(plot_loss, loss_log(), example.train_facts())
    assert "Loss of lora" in drawn
    assert "best: step 80, kept" in drawn
    assert "validation 0.41" in drawn
    assert "100 of 100 steps, 218 training and 30 validation rows" in drawn


def test_loss_that_became_infinite(words: Callable[..., str]) -> None:
    log = [{"step": "1", "train_loss": "0.7"}, {"step": "2", "train_loss": "inf"}, {"step": "3", "train_loss": "nan"}]
    facts = TrainFacts(
        run="lora", status="impossible", code="training.diverged", message="loss not finite", non_finite_step=2
    )
    drawn = words(plot_loss, log, facts)
    assert "not finite at step 2" in drawn
    assert "Came to no adapter: loss not finite" in drawn
    assert "Not known: loss not finite" in words(plot_loss, [], facts)


def test_weights(words: Callable[..., str]) -> None:
    drawn = words(plot_weights, example.effect_facts())
    assert "44 adapted modules, one mark each" in drawn
    for shown in ("encoder", "decoder self", "cross", "mlp", "q_proj", "fc2", "median 0.045"):
        assert shown in drawn


def test_weights_that_are_zero_or_missing(words: Callable[..., str]) -> None:
    effect = example.effect_facts()
    zero = [m.model_copy(update={"delta_norm": 0.0, "relative_norm": 0.0}) for m in effect.weights or []]
    nothing = effect.model_copy(update={"weights": zero, "median_relative_norm": 0.0})
    assert "44 of them unchanged (crosses)" in words(plot_weights, nothing)
    impossible = EffectFacts(run="lora", status="impossible", code="adapter.not_finite", message="tensors hold NaN")
    assert "Not known: tensors hold NaN" in words(plot_weights, impossible)


def test_names_are_never_mathematics(words: Callable[..., str]) -> None:
    facts = example.train_facts().model_copy(update={"run": "$x^2$ <b>"})
    assert "Loss of $x^2$ &lt;b&gt;" in words(plot_loss, loss_log(), facts)
