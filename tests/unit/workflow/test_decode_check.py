"""Arguments of `generate` in the configuration are checked before any work, with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lora.configuration.loading import load_configuration
from lora.records.base import UserError
from lora.workflow.decode_check import check_decode


def check(folder: Path, model_type: str | None, **changes: Any) -> None:
    """Check a study with these keys; without a type, its model is on the hub."""
    model = "someone/a-model"
    if model_type is not None:
        model = str(folder / "model")
        (folder / "model").mkdir()
        (folder / "model/config.json").write_text(json.dumps({"model_type": model_type}))
    for name in ("train", "domain"):
        (folder / f"{name}.jsonl").write_text("")
    manifests = {name: f"{name}.jsonl" for name in ("train", "domain")}
    given = {"model": {"id": model}, "manifests": manifests, "candidates": {"lora": {"train": {}}}, **changes}
    source = folder / "config.yaml"
    source.write_text(yaml.safe_dump(given, sort_keys=False))
    check_decode(load_configuration(given, source, folder), source)


@pytest.mark.parametrize(
    ("model_type", "decode", "message"),
    [
        ("moonshine", {"num_beamz": 2}, "moonshine models take no argument 'num_beamz'; did you mean num_beams?"),
        ("moonshine", {"language": "en"}, "moonshine models take no argument 'language'"),
        (None, {"num_beamz": 2}, "speech models take no argument 'num_beamz'; did you mean num_beams?"),
        ("whisper", {"num_beams": -1}, "decode.num_beams is -1; expected an integer of at least 1"),
        (
            "moonshine",
            {"num_beams": None},
            "decode.num_beams is None; expected an integer of at least 1 and at most 1000",
        ),
        (None, {"num_beams": 10**9}, "decode.num_beams is 1000000000; expected an integer of at least 1 and at most"),
        (None, {"do_sample": True}, "needs reproducible hypotheses"),
        ("wav2vec2", {"num_beams": 4}, "wav2vec2 models decode only greedily"),
    ],
)
def test_a_wrong_argument_is_named_with_its_line(
    tmp_path: Path, model_type: str | None, decode: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        check(tmp_path, model_type, decode=decode)
    assert str(caught.value).startswith(f"{tmp_path / 'config.yaml'}:10: decode.")
    assert message in str(caught.value)


@pytest.mark.parametrize("model_type", ["whisper", None])
def test_arguments_of_a_family_pass(tmp_path: Path, model_type: str | None) -> None:
    check(tmp_path, model_type, decode={"language": "de", "num_beams": 5, "max_new_tokens": None})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"candidates": {"lora": {"train": {}, "decode": {"num_beams": 0}}}}, 10),
        ({"candidates": {"lora": {"train": {"eval_decode": {"num_beams": 0}}}}}, 10),
        ({"sweep": {"rate": {"eval_decode": {"num_beams": 0}, "grid": {"seed": [1, 2]}}}}, 9),
    ],
)
def test_candidates_and_sweep_are_checked_too(tmp_path: Path, changes: dict[str, Any], line: int) -> None:
    with pytest.raises(UserError, match=rf"config\.yaml:{line}: decode\.num_beams is 0"):
        check(tmp_path, "moonshine", **changes)


def test_without_a_model_nothing_is_decoded(tmp_path: Path) -> None:
    transcripts = {"hypotheses": {"domain": "domain.jsonl"}}
    check(tmp_path, None, model=None, base=transcripts, candidates={"tuned": transcripts})
