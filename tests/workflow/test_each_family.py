"""The whole diagnosis on each family: a tiny random model of the real architecture, from its folder to the verdict.

Random weights recognise nothing, so the baseline is broken; labels, loss, adapter and parity must be judged right all
the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from small_study import REPOSITORY, Study, make_study

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "asr"))
from tiny_families import ASKED, MAKERS

COUNTS = {"train": 16, "domain": 6}
CTC = {"wav2vec2", "parakeet_ctc"}
CONFIG: dict[str, Any] = {
    "manifests": {"heldout": None, "test": None},
    "roles": {"general": [], "domain": ["domain"]},
    "durations": {"thresholds": [5, 30], "min_train_samples": 8},
    "labels": {"sample": 4},
    "adapter": {"sample": 2},
    "headroom": {"harden": False},
    "candidates": {"lora": {"train": {"max_steps": 2, "eval_steps": 1, "learning_rate": 0.05, "rank": 4}}},
}


# One family of each kind, encoder-decoder, speech LLM and CTC; the others are slow tests, and quick in tests/unit/asr.
OF_EACH_KIND = ("whisper", "voxtral", "wav2vec2")
FAMILIES = [pytest.param(name, marks=[] if name in OF_EACH_KIND else [pytest.mark.slow]) for name in MAKERS]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def study_of(family: str, folder: Path) -> Study:
    model = MAKERS[family](folder / "a model")
    changes = CONFIG | {"model": {"id": str(model), **ASKED.get(family, {})}}
    if family not in CTC:
        changes["decode"] = {"max_new_tokens": 16}
    return make_study(folder / "study", changes, COUNTS)


def test_the_whole_diagnosis(family: str, tmp_path: Path) -> None:
    study = study_of(family, tmp_path)
    work = study.run("results/verdict.json")
    assert work.steps == 2
    assert work.decoded["base"] == work.decoded["lora"] == 6
    checks = {check["id"]: check for check in study.verdict()["checks"] if check["manifest"] in (None, "train")}
    expected = dict.fromkeys(("adapter_change", "labels.structure", "labels.loss"), "pass")
    if "adapter.broken_hypotheses" in study.causes():
        # Random weights may write no word at all, with an adapter that works.
        expected["adapter_change"] = "fail"
    found = {name: (checks[name]["status"], checks[name]["summary"]) for name in expected}
    assert {name: status for name, (status, _) in found.items()} == expected, found
    assert checks["labels.greedy_hypotheses"]["status"] in {"pass", "unknown"}
    effect = json.loads((study.results / "effect/lora.json").read_text())
    assert effect["load"]["tensors_loaded"] == effect["load"]["tensors_in_file"] > 0
    assert effect["logits"]["off_equals_base"] is True
    assert effect["text"]["adapter_calls"] > 0 == effect["text"]["adapter_calls_off"]
    assert effect["text"]["generates"] is (family not in CTC)
    settings = json.loads((study.results / "transcripts/base/domain.settings.json").read_text())
    assert settings["model"]["family"] == family
    assert study.verdict()["ready_for_sweep"] is False
    assert "headroom.baseline_broken" in study.causes()
