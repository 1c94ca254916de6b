"""A tuned checkpoint, and a copy of the base that was taken for one, through the workflow."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from small_study import DATA, make_study


def test_a_checkpoint_is_held_against_its_base(tmp_path: Path) -> None:
    study = make_study(
        tmp_path / "whole models",
        {
            "candidates": {"lora": None, "full": {"checkpoint": "full"}, "copy": {"checkpoint": "copy"}},
            "manifests": {"test": None},
            "roles": {"general": ["heldout"], "domain": ["domain"]},
            "headroom": {"harden": False},
        },
        counts={"train": 40, "heldout": 3, "domain": 10},
    )
    for name in ("full", "copy"):
        shutil.copytree(DATA / "model", study.folder / name)
    weights = study.folder / "full" / "model.safetensors"
    tensors = load_file(weights)
    moved = {
        name: tensor * 1.05 if ".decoder." in name and "_proj" in name else tensor for name, tensor in tensors.items()
    }
    save_file(moved, weights, metadata={"format": "pt"})
    study.run()
    verdict = study.verdict()
    loads = {c["run"]: c for c in verdict["checks"] if c["id"] == "adapter.weights"}
    assert (loads["full"]["status"], loads["copy"]["status"]) == ("pass", "fail")
    assert abs(loads["full"]["value"] - 0.05) < 0.002
    assert "nothing was tuned" in loads["copy"]["summary"]
    assert {(c["code"], c["run"]) for c in verdict["causes"] if c["code"].startswith("adapter.zero")} == {
        ("adapter.zero_delta", "copy")
    }
    report = (study.results / "report/index.html").read_text(encoding="utf-8")
    assert "<strong>none of them differs</strong>" in report
    assert (study.results / "plots/weights.full.png").is_file()
