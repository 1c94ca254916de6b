"""A label audit or effect ladder that runs again is copied, unless something changed that decides about its results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny_models import Train

from lora.asr import model_loading
from lora.asr.devices import Device
from lora.provenance import versions
from lora.provenance.versions import MODEL_PACKAGES
from lora.records.base import UserError
from lora.records.provenance import RunRecord
from lora.runners import audit, effect
from lora.runners.experiment import main


@dataclass
class Command:
    """A command that measures three rows, of which it leaves out the last one, and the files that it writes."""

    name: str
    arguments: list[str]
    rows: Path
    outputs: list[Path]

    def run(self, *more: str) -> int:
        """Exit code. The outputs are deleted before, as Snakemake does."""
        for path in self.outputs:
            path.unlink(missing_ok=True)
        return main([*self.arguments, *more])

    def record(self) -> RunRecord:
        return RunRecord.read(f"{self.outputs[0]}.run.json")

    def contents(self) -> list[bytes]:
        return [path.read_bytes() for path in self.outputs]


@contextmanager
def without_models() -> Iterator[None]:
    """Nothing can load a model: a command that needs one ends with exit code 2."""

    def refuse(*_: Any) -> None:
        raise UserError("a model was loaded")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_loading, "load_model", refuse)
        yield


@pytest.fixture(params=["audit", "effect"])
def command(
    request: pytest.FixtureRequest, train: Train, make_manifest: Callable[..., Path], tmp_path: Path
) -> Command:
    rows = make_manifest("rows", [0.5, 0.8, 1.1])
    rows.write_text(rows.read_text().replace("Some words 2.", "very " * 200))  # too long for a label
    arguments = [
        request.param, "--model-id", "model folder", "--dataset-path", str(rows), "--decode", '{"max_new_tokens": 4}',
        "--device", "cpu", "--cpu-threads", "1", "--work-dir", str(tmp_path / "kept"),
    ]  # fmt: skip
    outputs = [tmp_path / "facts.json"]
    if request.param == "audit":
        outputs.append(tmp_path / "hypotheses.jsonl")
        arguments += ["--hypotheses", str(outputs[1])]
    else:
        train("tuned", "--max-steps", "1")
        arguments += ["--run", "tuned", "--adapter", str(tmp_path / "adapters/tuned/best")]
    return Command(request.param, [*arguments, "--output", str(outputs[0])], rows, outputs)


def test_the_same_again_is_copied_without_a_model(command: Command) -> None:
    assert command.run() == 0
    first, contents = command.record(), command.contents()
    assert first.utterances_decoded
    with without_models():
        assert command.run() == 0
    again = command.record()
    assert (again.utterances_decoded, again.utterances_reused) == (0, first.utterances_decoded)
    assert (again.adjustments, again.device, again.dtype) == (first.adjustments, first.device, first.dtype)
    assert command.contents() == contents


def test_whatever_changes_results_is_measured_again(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.run() == 0
    installed = versions.version
    with without_models():
        for package in MODEL_PACKAGES:
            with monkeypatch.context() as patch:
                patch.setattr(
                    versions, "version", lambda name, other=package: "0" if name == other else installed(name)
                )
                assert command.run() == 2, package
        for options in (
            ["--decode", '{"max_new_tokens": 5}'],
            ["--target-rms", "0.1"],
            ["--cpu-threads", "2"],
            ["--sample", "1"],
            ["--batch-size", "1"],
        ):
            assert command.run(*options) == 2, options
        if command.name == "effect":
            assert command.run("--run", "another") == 2
            changed = Path(command.arguments[command.arguments.index("--adapter") + 1]) / "lora_provenance.json"
            recorded = changed.read_text()
            changed.write_text(json.dumps({"base_model_hash": "another"}))
            assert command.run() == 2
            changed.write_text(recorded)
        else:
            assert command.run("--train-settings", '{"gradient_accumulation": 2}') == 2
        assert command.run() == 0
        command.rows.write_text(command.rows.read_text().replace("words 0", "words"))
        assert command.run() == 2


def test_a_damaged_measurement_is_measured_again(command: Command, tmp_path: Path) -> None:
    assert command.run() == 0
    contents = command.contents()
    (kept,) = (tmp_path / "kept" / command.name).glob("*/kept")
    for path in kept.iterdir():
        path.write_bytes(path.read_bytes()[:-3])
        assert command.run() == 0
        assert command.record().utterances_decoded, path.name
        assert command.contents() == contents
    with without_models():
        assert command.run() == 0


def test_a_measurement_on_another_device_is_not_kept(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for runner in (audit, effect):
        monkeypatch.setattr(runner, "confirm_device", lambda device: Device("cpu", "float32", 2, ["no such GPU"]))
    assert command.run() == 0
    assert command.record().fallbacks == ["no such GPU"]
    with without_models():
        assert command.run() == 2


def test_a_folder_without_an_adapter_is_described_by_its_files(tmp_path: Path) -> None:
    from lora.asr.adapter.identity import adapter_content

    empty = adapter_content(tmp_path)
    (tmp_path / "adapter_model.bin").touch()
    assert adapter_content(tmp_path) != empty
    with pytest.raises(UserError, match="no such folder"):
        adapter_content(tmp_path / "none")
