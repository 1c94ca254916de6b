"""Names, files and flags that rules take from the configuration."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from lora.configuration.origin import Origin
from lora.configuration.schema import complete
from lora.configuration.study import StudyConfig
from lora.records.base import UserError
from lora.workflow import files, flags
from lora.workflow.study import Study, open_study

CONFIG: dict[str, Any] = {
    "model": {"id": "data/model", "revision": "abc", "language": "en", "cpu_threads": 3, "processes": 2},
    "manifests": {
        "train": "train.jsonl",
        "heldout": "heldout.jsonl",
        "domain": {"path": "domain.jsonl", "format": "jsonl", "channel": 0},
    },
    "roles": {"general": ["heldout"], "domain": ["domain"]},
    "durations": {"thresholds": [5, 10], "max_seconds": 7.5},
    "candidates": {
        "short": {"train": {"gradient_accumulation": 3, "modules_to_save": ["conv1", "proj_out"], "use_dora": True}},
        "external": {"adapter": "their-adapter", "decode": {"num_beams": 2}, "preprocess": {"target_rms": 0.1}},
        "tuned": {"checkpoint": "their-model", "normalizer": "english"},
        "theirs": {"hypotheses": {"domain": {"path": "d.out", "format": "ctm", "columns": {"id": "utt"}}}},
    },
    "sweep": {"low": {"rank": 4, "label_smoothing": 0.1}},
}


def study(**changes: Any) -> Study:
    return Study(StudyConfig.from_json(complete({**CONFIG, **changes})), packed_manifests=["domain"])


def test_runs_by_what_they_need() -> None:
    assert study().evaluations == ["heldout", "domain"]
    assert study().trained_runs == ["short", "low"]
    assert study().imported_runs == ["theirs"]
    assert study().transcribed_runs == ["base", "short", "external", "tuned", "low"]
    assert study().runs_with("adapter", "checkpoint") == ["external", "tuned"]
    imported = study(model=None, base={"hypotheses": {"domain": "d.jsonl"}}, candidates={}, sweep={})
    assert imported.imported_runs == ["base"]
    assert imported.transcribed_runs == []


def test_settings_of_a_run_replace_those_of_the_study() -> None:
    assert (study().decode("external"), study().decode("short")) == ({"num_beams": 2}, study().config.decode)
    assert (study().normalizer("tuned"), study().normalizer("base")) == ("english", "basic")
    assert (study().target_rms("external"), study().target_rms("low")) == (0.1, None)
    assert (study().model_id("tuned"), study().model_id("low")) == ("their-model", "data/model")
    low = study().training_settings("low")
    assert low is not None
    assert low.rank == 4
    assert study().training_settings("base") is None


def test_model_flags_name_a_revision_only_of_the_study_s_own_model() -> None:
    own = ["--model-id", "data/model", "--revision", "abc"]
    others = ["--language", "en", "--device", "auto", "--dtype", "auto", "--cpu-threads", 3, "--target-rms"]
    assert flags.model_flags(study(), "base") == [*own, *others, "none"]
    assert flags.model_flags(study(), "external") == [*own, *others, 0.1]
    assert flags.base_model_flags(study()) == own


@pytest.mark.parametrize(
    ("files_there", "expected"),
    [
        (["config.json", "tokenizer.json"], []),
        (["config.json"], ["--tokenizer-from", "data/model", "--tokenizer-revision", "abc"]),
        ([], ["--tokenizer-from", "data/model", "--tokenizer-revision", "abc"]),  # on the hub: unknown
    ],
)
def test_a_checkpoint_without_a_tokenizer_takes_that_of_the_configured_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_there: list[str], expected: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in files_there:
        Path("their-model").mkdir(exist_ok=True)
        Path("their-model", name).touch()
    given = flags.model_flags(study(), "tuned")
    assert given[: 2 + len(expected)] == ["--model-id", "their-model", *expected]
    assert given[2 + len(expected)] == "--language"


def test_training_flags_leave_out_what_is_false_or_empty() -> None:
    given = flags.training_flags(study(), "short")
    assert given[:4] == ["--max-steps", 100, "--learning-rate", 0.001]
    assert given[given.index("--alpha") + 1] == 16
    assert given[given.index("--modules-to-save") + 1] == "conv1,proj_out"
    assert given[given.index("--use-dora") + 1] == "--init-lora-weights"
    assert given[given.index("--eval-decode") + 1] == '{"do_sample": false, "num_beams": 1}'
    assert "--use-rslora" not in given
    assert "--modules-to-save" not in flags.training_flags(study(), "low")
    assert flags.training_flags(study(), "base") == []


def test_settings_of_shares_and_evaluations_name_the_files_that_they_need() -> None:
    more = {"data_share": 0.5, "replay_share": 0.2, "eval_rows": 4, "report_to": ["tensorboard", "wandb"]}
    mixed = study(manifests={**CONFIG["manifests"], "replay": "replay.jsonl"}, sweep={"mixed": more})
    given = flags.training_flags(mixed, "mixed")
    named = {flag: given[given.index(flag) + 1] for flag in ("--data-share", "--replay-share", "--eval-rows")}
    assert named == {"--data-share": 0.5, "--replay-share": 0.2, "--eval-rows": 4}
    assert given[given.index("--split-seed") + 1] == mixed.config.split.seed
    assert given[given.index("--replay-path") + 1] == "results/splits/replay.jsonl"
    assert given[-4:] == [
        "--manifest",
        "heldout=results/manifests/heldout.jsonl",
        "--manifest",
        "domain=results/manifests/domain.jsonl",
    ]
    assert flags.tracker_flags(mixed, "mixed") == "--report-to tensorboard,wandb"
    assert mixed.evaluations == ["heldout", "domain"]
    assert mixed.evaluated_runs == ["mixed"]
    assert files.replay_rows(mixed, "mixed") == ["results/splits/replay.jsonl"]
    assert files.in_run_rows(mixed, "mixed") == files.rows_of(["heldout", "domain"])


def test_without_such_settings_commands_are_as_before() -> None:
    given = flags.training_flags(study(), "short")
    new = {"--data-share", "--replay-share", "--eval-rows", "--wer-stop-threshold", "--report-to", "--split-seed"}
    assert not new & set(given)
    assert flags.tracker_flags(study(), "short") == ""
    assert files.replay_rows(study(), "short") == files.in_run_rows(study(), "short") == []


def test_loss_flags_name_each_combination_once() -> None:
    settings = [json.loads(value) for value in flags.loss_flags(study())[1::2]]
    assert settings == [
        {"gradient_accumulation": 2, "label_smoothing": 0.0},
        {"gradient_accumulation": 1, "label_smoothing": 0.1},
    ]


def test_adapter_of_a_run() -> None:
    folder = "results/adapters/short/best"
    record = "results/adapters/short/train.json"
    assert (files.adapter_folder(study(), "short"), files.adapter_files(study(), "short")) == ([folder], [record])
    assert flags.adapter_flags(study(), "short") == ["--adapter", folder, "--train-facts", record]
    assert flags.adapter_flags(study(), "external") == ["--adapter", "their-adapter"]
    assert files.adapter_files(study(), "base") == flags.adapter_flags(study(), "base") == []


def test_numbers_stay_as_written() -> None:
    assert study().duration_limits == [5, 7.5, 10]
    assert [str(limit) for limit in study().duration_limits] == ["5", "7.5", "10"]
    assert flags.duration_flags(study())[:3] == ["--thresholds", 5, 10]


def test_imported_transcripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.imported_hypotheses(study(), "theirs", "domain") == ["d.out"]
    assert files.imported_hypotheses(study(), "theirs", "heldout") == []
    assert files.imported_settings(study(), "theirs", "domain") == []
    (tmp_path / "d.settings.json").write_text("{}")
    assert files.imported_settings(study(), "theirs", "domain") == ["d.settings.json"]
    assert flags.import_flags(study(), "theirs", "domain") == ["--format", "ctm", "--columns", "id=utt"]


def test_hypotheses_of_the_base_model() -> None:
    assert files.base_hypotheses(study(), "train") == "results/labels.hypotheses.jsonl"
    assert files.base_hypotheses(study(), "domain") == "results/transcripts/base/domain.jsonl"


def test_manifests_whose_audio_is_inside_them() -> None:
    assert flags.reading_flags(study(), "heldout") == ["--manifest", "heldout.jsonl", "--silence"]
    assert flags.reading_flags(study(), "domain") == [
        *("--manifest", "domain.jsonl", "--format", "jsonl", "--channel", "0", "--silence"),
        *("--unpacked", "results/audio/domain"),
    ]


def test_only_files_that_are_read_belong_to_a_model_folder(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "README.md", "vocab.txt"):
        (tmp_path / name).write_text("")
    names = ["config.json", "model.safetensors", "vocab.txt"]
    assert files.folder_files(str(tmp_path)) == [str(tmp_path / name) for name in names]
    assert files.folder_files("an-owner/a-model-of-the-hub") == []


def test_max_seconds_before_and_after_the_choice(tmp_path: Path) -> None:
    assert study().max_seconds(tmp_path) == "undecided"
    (tmp_path / "max_seconds.json").write_text('{"max_seconds": 8.0}')
    assert study().max_seconds(tmp_path) == 8.0
    (tmp_path / "max_seconds.json").write_text('{"max_seconds": null}')
    assert study().max_seconds(tmp_path) == "none"
    no_training = study(model=None, manifests={"domain": "d"}, roles={"general": [], "domain": ["domain"]})
    assert no_training.max_seconds(tmp_path) == "none"


def test_gpus_and_threads_of_model_jobs() -> None:
    assert (study().model_threads, study().model_gpus, study().training_processes) == (3, 1, 2)
    on_cpu = study(model={"id": "data/model", "device": "cpu"})
    assert on_cpu.model_gpus == 0
    no_model = study(model=None)
    assert (no_model.model_threads, no_model.model_gpus, no_model.training_processes) == (1, 0, 1)


def test_wildcard_constraint_without_a_name_admits_nothing() -> None:
    assert files.any_of(["a", "b"]) == "a|b"
    assert files.any_of([]) == "(?!)"


def test_a_manifest_of_no_known_format_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("train", "heldout", "domain"):
        (tmp_path / f"{name}.jsonl").write_text('{"audio": "a.wav", "text": "a"}\n')
    opened = open_study(study().config)
    assert opened.manifest_files["train"] == ["train.jsonl"]
    assert opened.packed_manifests == []
    (tmp_path / "train.jsonl").unlink()
    (tmp_path / "train.jsonl").mkdir()
    with pytest.raises(UserError, match=r"^manifests\.train: "):
        open_study(study().config)
    Path("config.yaml").write_text("model: null\nmanifests:\n  train: train.jsonl\n")
    with pytest.raises(UserError, match=r"^config\.yaml:3: manifests\.train: "):
        open_study(study().config, Origin([Path("config.yaml")]))


def test_a_folder_that_cannot_be_searched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(folder: Path, pattern: str) -> None:
        raise OSError(errno.EINVAL, "Invalid argument", str(folder / "net"))

    monkeypatch.chdir(tmp_path)
    Path("train.jsonl").mkdir()
    monkeypatch.setattr(Path, "glob", search)
    with pytest.raises(UserError, match=r"^manifests\.train: .*Invalid argument: 'train\.jsonl/net'"):
        open_study(study().config)
