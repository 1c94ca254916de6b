"""The transcribe subcommand on noise: what it decodes, what it reuses, and its messages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lora.asr.families import speech_model as families
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.records.base import read_lines
from lora.records.provenance import RunRecord
from lora.records.settings import RunSettings
from lora.records.training import TrainFacts
from lora.records.transcripts import Transcript
from lora.runners.experiment import main

SECONDS = [1.4, 0.6, 2.2, 1.7, 0.9, 1.2]
Run = Callable[..., RunRecord]


@pytest.fixture
def run(tmp_path: Path, moonshine_folder: Path) -> Run:
    """Runs the subcommand over manifests NAME.jsonl of the test's folder."""

    def transcribe(*names: str, output: str = "out", work: str = "work", options: tuple[str, ...] = ()) -> RunRecord:
        chosen = [f"--manifest={name}={tmp_path / name}.jsonl" for name in names]
        model = () if "--model-id" in options else ("--model-id", str(moonshine_folder))
        arguments = ["transcribe", "--run", "base", *chosen, "--output-dir", str(tmp_path / output)]
        arguments += ["--work-dir", str(tmp_path / work), "--cpu-threads", "1", "--device", "cpu", *model, *options]
        assert main(arguments) == 0
        return RunRecord.read(tmp_path / output / "transcribe.run.json")

    return transcribe


def texts(folder: Path, name: str) -> list[Transcript]:
    return list(read_lines(folder / f"{name}.jsonl", Transcript))


def test_a_second_run_decodes_nothing(run: Run, make_manifest: Callable[..., Path], tmp_path: Path) -> None:
    make_manifest("domain", SECONDS)
    first = run("domain")
    assert (first.utterances_decoded, first.utterances_reused) == (6, 0)
    rows = texts(tmp_path / "out", "domain")
    assert [row.id for row in rows] == [f"domain-{number}" for number in range(6)]
    assert rows[2].duration == 2.2
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    second = run("domain")
    assert (second.utterances_decoded, second.utterances_reused) == (0, 6)
    for name, content in written.items():
        if not name.endswith(".run.json"):
            assert (tmp_path / "out" / name).read_bytes() == content


def test_one_new_row_costs_one_decode(run: Run, make_manifest: Callable[..., Path]) -> None:
    make_manifest("domain", SECONDS)
    run("domain")
    make_manifest("domain", [*SECONDS, 1.1])
    assert run("domain").utterances_decoded == 1


def test_the_same_audio_in_two_manifests_is_decoded_once(run: Run, make_manifest: Callable[..., Path]) -> None:
    make_manifest("domain", SECONDS)
    make_manifest("other", SECONDS[:4])
    record = run("domain", "other")
    assert (record.utterances_decoded, record.utterances_reused) == (6, 4)


@pytest.mark.parametrize("family", ["moonshine", "whisper"])
def test_batch_size_and_order_do_not_change_a_byte(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path, family: str, request: pytest.FixtureRequest
) -> None:
    model = ("--model-id", str(request.getfixturevalue(f"{family}_folder")))
    manifest = make_manifest("domain", [1.1 + 0.11 * number for number in range(9)])
    run("domain", output="one", work="w1", options=(*model, "--batch-size", "1"))
    run("domain", output="many", work="w2", options=(*model, "--batch-size", "4"))
    for name in ("domain.jsonl", "domain.settings.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
    manifest.write_text("".join(reversed(manifest.read_text().splitlines(keepends=True))))
    run("domain", output="reversed", work="w3", options=(*model, "--batch-size", "2"))
    assert texts(tmp_path / "reversed", "domain")[::-1] == texts(tmp_path / "one", "domain")


def test_relevant_settings_change_the_cache(run: Run, make_manifest: Callable[..., Path], tmp_path: Path) -> None:
    make_manifest("domain", SECONDS[:2])
    run("domain")
    for options in (("--decode", '{"num_beams": 2}'), ("--target-rms", "0.1"), ("--dtype", "bfloat16")):
        assert run("domain", options=options).utterances_decoded == 2
    assert run("domain", options=("--batch-size", "1")).utterances_decoded == 0
    assert len(list((tmp_path / "work" / "transcripts").iterdir())) == 4
    settings = RunSettings.read(tmp_path / "out" / "domain.settings.json")
    assert settings.manifest is not None
    assert settings.fingerprint in {path.name for path in (tmp_path / "work" / "transcripts").iterdir()}


def test_loudness_does_not_change_the_manifest_identity(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    make_manifest("domain", SECONDS[:2])
    run("domain", output="plain")
    run("domain", output="loud", options=("--target-rms", "0.2"))
    plain, loud = (RunSettings.read(tmp_path / folder / "domain.settings.json") for folder in ("plain", "loud"))
    assert plain.manifest == loud.manifest
    assert (loud.preprocess or {})["target_rms"] == 0.2


def test_moving_everything_decodes_nothing(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path
) -> None:
    make_manifest("domain", SECONDS[:3])
    run("domain")
    moved = tmp_path / "else where"
    shutil.copytree(moonshine_folder, moved / "model")
    shutil.copytree(tmp_path / "work", moved / "work")
    record = run("domain", work="else where/work", options=("--model-id", str(moved / "model")))
    assert record.utterances_decoded == 0


def test_a_killed_run_resumes_at_the_utterance(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_manifest("domain", SECONDS)
    run("domain", output="whole", work="w1")
    calls = 0
    original = families.SpeechModel.generate

    def dying(self: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(families.SpeechModel, "generate", dying)
        with pytest.raises(AssertionError):
            run("domain", work="w2", options=("--batch-size", "1"))
    assert not (tmp_path / "out").exists()
    (cache,) = (tmp_path / "w2" / "transcripts").glob("*/cache.jsonl")
    cache.write_bytes(cache.read_bytes() + b'{"key": "torn')
    record = run("domain", work="w2")
    assert (record.utterances_decoded, record.utterances_reused) == (4, 2)
    for name in ("domain.jsonl", "domain.settings.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_out_of_memory_halves_the_batch_and_reports_it(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_manifest("domain", [1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7])
    run("domain", output="whole", work="w1")
    original = families.SpeechModel.generate
    sizes = []

    def small(self: Any, inputs: Any, *args: Any) -> Any:
        sizes.append(len(inputs["input_values"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, inputs, *args)

    monkeypatch.setattr(families.SpeechModel, "generate", small)
    record = run("domain", work="w2")
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    assert len(record.adjustments) == 2
    assert "out of memory with 7 utterances per batch: continuing with at most 3" in record.adjustments[0]
    assert (tmp_path / "out" / "domain.jsonl").read_bytes() == (tmp_path / "whole" / "domain.jsonl").read_bytes()


def test_rejected_rows_are_reported(run: Run, make_manifest: Callable[..., Path]) -> None:
    manifest = make_manifest("domain", SECONDS[:2])
    manifest.write_text(manifest.read_text() + '{"id": "x", "audio": "gone.wav", "text": "Gone."}\n')
    record = run("domain")
    assert record.utterances_decoded == 2
    assert "domain.jsonl:3" in record.adjustments[0]


def test_a_failed_training_gives_empty_transcripts_with_its_cause(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    make_manifest("domain", SECONDS[:2])
    facts = tmp_path / "train.json"
    TrainFacts(run="r8", status="impossible", code="training.diverged", message="loss not finite at step 3").write(
        facts
    )
    record = run("domain", options=("--train-facts", str(facts), "--adapter", str(tmp_path / "no adapter")))
    assert record.utterances_decoded == 0
    assert texts(tmp_path / "out", "domain") == []
    settings = RunSettings.read(tmp_path / "out" / "domain.settings.json")
    assert (settings.status, settings.code, settings.fingerprint) == ("impossible", "training.diverged", None)
    assert settings.model is not None


def test_an_adapter_without_effect_has_its_own_transcripts(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    speech = load_model(describe_model(str(moonshine_folder)))
    get_peft_model(speech.model, LoraConfig(r=2, target_modules=["q_proj", "fc1"])).save_pretrained(tmp_path / "zero")
    make_manifest("domain", SECONDS[:3])
    run("domain", output="base")
    record = run("domain", output="tuned", options=("--adapter", str(tmp_path / "zero")))
    assert record.utterances_decoded == 3
    assert run("domain", output="tuned", options=("--adapter", str(tmp_path / "zero"))).utterances_decoded == 0
    assert texts(tmp_path / "tuned", "domain") == texts(tmp_path / "base", "domain")
    base, tuned = (RunSettings.read(tmp_path / folder / "domain.settings.json") for folder in ("base", "tuned"))
    assert base.software == tuned.software  # or parity would find a difference that is none
    assert base.fingerprint != tuned.fingerprint


def test_an_adapter_without_weights_is_recorded_with_its_cause(
    run: Run, make_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    make_manifest("domain", SECONDS[:2])
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    run("domain", options=("--adapter", str(tmp_path / "adapter")))
    assert RunSettings.read(tmp_path / "out" / "domain.settings.json").code == "adapter.not_loaded"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", '{"model_type": "moonshine"', "config.json cannot be read"),
        ("model.safetensors", "torn", "not a safetensors file"),
    ],
)
def test_a_damaged_checkpoint_is_recorded_for_a_candidate_and_an_error_for_the_base(
    run: Run,
    make_manifest: Callable[..., Path],
    tmp_path: Path,
    moonshine_folder: Path,
    name: str,
    text: str,
    message: str,
) -> None:
    manifest = make_manifest("domain", SECONDS[:2])
    torn = shutil.copytree(moonshine_folder, tmp_path / "torn")
    (torn / name).write_text(text)
    run("domain", options=("--model-id", str(torn), "--run", "full"))
    settings = RunSettings.read(tmp_path / "out" / "domain.settings.json")
    assert (settings.run, settings.status, settings.code) == ("full", "impossible", "adapter.not_loaded")
    assert message in (settings.message or "")
    assert texts(tmp_path / "out", "domain") == []
    arguments = ["transcribe", "--run", "base", f"--manifest=domain={manifest}", "--model-id", str(torn)]
    assert main([*arguments, "--output-dir", str(tmp_path / "other"), "--work-dir", str(tmp_path / "work")]) == 2


def _command(repository: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, which finally prints whether torch was imported."""
    code = (
        "import sys; from lora.runners.experiment import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print('torch' in sys.modules); sys.exit(code)"
    )
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    return subprocess.run(
        [sys.executable, "-c", code, *options], capture_output=True, text=True, cwd=tmp_path, env=environment
    )


def test_torch_is_imported_only_to_decode(
    make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path, repository: Path
) -> None:
    make_manifest("domain", SECONDS[:2])
    options = ["transcribe", "--run", "base", "--manifest", "domain=domain.jsonl", "--model-id", str(moonshine_folder)]
    options += ["--output-dir", "out", "--cpu-threads", "1"]
    cold, warm = _command(repository, tmp_path, *options), _command(repository, tmp_path, *options)
    assert (cold.returncode, cold.stdout) == (0, "True\n"), cold.stderr
    assert (warm.returncode, warm.stdout) == (0, "False\n"), warm.stderr
    for quick in (
        ["--help"],
        ["transcribe", "--help"],
        [*options, "--decode", '{"num_beam": 2}'],
        [*options, "--frob"],
    ):
        assert _command(repository, tmp_path, *quick).stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--decode", '{"num_beam": 2}'], "did you mean num_beams"),
        (["--decode", "[1]"], "not a JSON object"),
        (["--manifest", "domain=other.jsonl"], "the name 'domain' is"),
        (["--model-id", "nowhere"], "no such folder"),
        (["--adapter", "nowhere"], "adapter nowhere: no such folder"),
        (["--cpu-threads", "0"], "at least 1"),
    ],
)
def test_user_errors_are_one_line_with_exit_code_2(
    make_manifest: Callable[..., Path],
    tmp_path: Path,
    moonshine_folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    manifest = make_manifest("domain", SECONDS[:1])
    arguments = ["transcribe", "--run", "base", f"--manifest=domain={manifest}", "--model-id", str(moonshine_folder)]
    arguments += ["--output-dir", str(tmp_path / "out"), "--work-dir", str(tmp_path / "work"), *options]
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "out").exists()


def test_unreadable_audio_names_row_and_file(
    make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = make_manifest("domain", SECONDS[:2])
    audio = tmp_path / json.loads(manifest.read_text().splitlines()[1])["audio"]
    audio.write_bytes(b"this is no sound")
    arguments = ["transcribe", "--run", "base", f"--manifest=domain={manifest}", "--model-id", str(moonshine_folder)]
    assert main([*arguments, "--output-dir", str(tmp_path / "out"), "--work-dir", str(tmp_path / "work")]) == 2
    assert "row domain-1: cannot read audio" in capsys.readouterr().err
