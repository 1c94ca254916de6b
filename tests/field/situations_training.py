"""What trainers leave behind: states, checkpoints, adapters of other tools."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from field_cases import Expected, field_case
from small_study import REPOSITORY, Study, make_study

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "asr"))
from tiny_families import make_wav2vec2
from tiny_models import make_whisper

COUNTS = {"train": 16, "domain": 6}
MODEL = "model"
CONFIG: dict[str, Any] = {
    "model": {"id": MODEL, "language": "en"},
    "manifests": {"heldout": None, "test": None},
    "roles": {"general": [], "domain": ["domain"]},
    "durations": {"thresholds": [5, 30], "min_train_samples": 8},
    "labels": {"sample": 2},
    "adapter": {"sample": 2},
    "headroom": {"harden": False},
    "decode": {"max_new_tokens": 8},
}
RANK = 4


@functools.cache
def healthy_study() -> Study:
    """A study of a tiny random Whisper with a sound adapter, computed once: cases copy it with all its state.

    The model's path is relative, so that a copy decodes nothing again of the base model.
    """
    folder = Path(tempfile.mkdtemp(prefix="field study "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    study = make_study(
        folder / "study", {**CONFIG, "candidates": {"lora": None, "theirs": {"adapter": "external"}}}, COUNTS
    )
    make_whisper(study.folder / MODEL)
    save_adapter(study.folder / "external")
    study.run()
    return study


def whisper_study(folder: Path, candidate: dict[str, Any]) -> Study:
    """A copy of the healthy study whose only candidate `theirs` was trained elsewhere."""
    study = healthy_study().copy(folder / "study")
    study.configure({"candidates": {"theirs": {"adapter": None, **candidate}}})
    return study


def save_adapter(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write an adapter of the tiny Whisper as peft saves it, with lora_B that is not zero; returns its tensors."""
    import torch
    from safetensors.torch import save_file

    groups = [("encoder", "self_attn"), ("decoder", "self_attn"), ("decoder", "encoder_attn")]
    modules = [
        f"{part}.layers.{layer}.{attention}.{name}"
        for part, attention in groups
        for layer in range(2)
        for name in ("q_proj", "v_proj")
    ]
    torch.manual_seed(0)
    tensors = {
        f"base_model.model.model.{module}.lora_{kind}.weight": torch.randn(*shape) * 0.1
        for module in modules
        for kind, shape in (("A", (RANK, 32)), ("B", (32, RANK)))
    }
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": "openai/whisper-tiny",
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": None,
        "bias": "none",
        "modules_to_save": None,
        "inference_mode": True,
        **changes,
    }
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "adapter_model.safetensors")
    return tensors


def change_tensors(folder: Path, change: Any) -> None:
    """Write the adapter's tensors again; `change` takes and returns all of them by name."""
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in change(load_file(path)).items()}, path)


def state(folder: Path, log: list[dict[str, Any]], **keys: Any) -> None:
    """Write trainer_state.json as the Trainer does, NaN included."""
    folder.mkdir(parents=True, exist_ok=True)
    last = log[-1]["step"]
    whole = {"global_step": last, "max_steps": last, "epoch": 1.0, "log_history": log, **keys}
    (folder / "trainer_state.json").write_text(json.dumps(whole))


def losses(values: list[float], every: int = 10, rates: list[float] | None = None) -> list[dict[str, Any]]:
    rates = rates or [1e-4 * (len(values) - n) for n in range(len(values))]
    return [
        {"step": every * n, "loss": loss, "grad_norm": 1.0, "learning_rate": rate}
        for n, (loss, rate) in enumerate(zip(values, rates, strict=True), 1)
    ]


def evaluations(values: list[tuple[int, float, float]]) -> list[dict[str, Any]]:
    return [{"step": step, "eval_loss": loss, "eval_wer": wer} for step, loss, wer in values]


FALLING = [2.0, 1.4, 1.1, 0.9, 0.8, 0.75]
EARLY = {
    "EarlyStoppingCallback": {
        "args": {"early_stopping_patience": 3, "early_stopping_threshold": 0.0},
        "attributes": {"early_stopping_patience_counter": 3},
    }
}


def with_adapter(folder: Path, name: str = "external", **changes: Any) -> Study:
    """A study whose candidate is the adapter in `name`."""
    save_adapter(folder / name, **changes)
    return whisper_study(folder, {"adapter": str(folder / name)})


@field_case(
    name="early stopping",
    area="training",
    situation="the Trainer stopped after three evaluations without improvement; WER (in percent) rose from 18 to 28",
    source="ByErenOzer/Whisper_Finetune",
    command="study",
    expected=Expected(
        causes=("training.overfit",), absent=("training.steps_short",), says=("step 10", "18.0 %", "28.0 %")
    ),
)
def early_stopping(folder: Path) -> Study:
    study = with_adapter(folder)
    log = losses([1.0, 0.5, 0.3, 0.2]) + evaluations(
        [(10, 0.2, 18.0), (20, 0.4, 29.0), (30, 0.4, 31.0), (40, 0.4, 28.0)]
    )
    state(folder / "external", log, max_steps=4000, best_global_step=10, stateful_callbacks=EARLY)
    return study


@field_case(
    name="stopped by hand",
    area="training",
    situation="the same log without early stopping: somebody ended the run at 40 of 4,000 steps",
    source="neighbour",
    command="study",
    expected=Expected(causes=("training.steps_short",)),
)
def stopped_by_hand(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses([1.0, 0.5, 0.3, 0.2]), max_steps=4000)
    return study


@field_case(
    name="validation loss rises, WER falls",
    area="training",
    situation="the usual course of a Whisper fine-tuning: the loss rises from its minimum while WER still falls",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.overfit", "training.best_not_kept", "training.diverged")),
)
def loss_rises_wer_falls(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    log = losses(FALLING) + evaluations([(20, 0.30, 0.22), (40, 0.36, 0.20), (60, 0.45, 0.18)])
    state(folder / "checkpoint-60", log)
    return study


@field_case(
    name="hidden NaN",
    area="training",
    situation="a learning rate of 0.003: the logged loss is exactly 0 from step 30 on and the validation loss is NaN",
    source="vasistalodagala/whisper-finetune#11",
    command="study",
    expected=Expected(causes=("training.diverged",), says=("exactly 0",)),
)
def hidden_nan(folder: Path) -> Study:
    study = with_adapter(folder)
    log = [{k: v for k, v in entry.items() if k != "grad_norm"} for entry in losses([1.2, 2.4, 0.0, 0.0])]
    state(folder / "external", log + evaluations([(40, float("nan"), 100.0)]))
    return study


@field_case(
    name="a loss of 0 that is real",
    area="training",
    situation="few rows learnt by heart: the loss falls to 0.0000 and the validation loss is finite",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.diverged",)),
)
def real_zero(folder: Path) -> Study:
    study = with_adapter(folder)
    log = losses([1.2, 0.1, 0.01, 0.001, 0.0, 0.0]) + evaluations([(20, 0.3, 0.2), (60, 0.31, 0.2)])
    state(folder / "external", log)
    return study


@field_case(
    name="rising loss",
    area="training",
    situation="a dropout of 0.99: the training loss rises by a third, in all of 60 steps",
    source="embedded study",
    command="study",
    expected=Expected(causes=("training.diverged",)),
)
def rising_loss(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses([1.16, 1.2, 1.3, 1.35, 1.45, 1.5]))
    return study


@field_case(
    name="warm-up longer than the run",
    area="training",
    situation="the learning rate still rose at the last of all planned steps",
    source="x2q.net, a Danish LoRA post-mortem",
    command="study",
    expected=Expected(causes=("training.lr_not_applied",), says=("still rising",)),
)
def endless_warmup(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING, rates=[1e-6 * n for n in range(1, 7)]))
    return study


@field_case(
    name="constant learning rate",
    area="training",
    situation="a constant rate after a short warm-up",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.lr_not_applied",)),
)
def constant_rate(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING, rates=[5e-5, *[1e-4] * 5]))
    return study


@field_case(
    name="encoder without gradients",
    area="training",
    situation="gradient checkpointing without input gradients: lora_B of the encoder stayed zero",
    source="open-unlearning#178, huggingface/peft#617, huggingface/transformers#42489",
    command="study",
    expected=Expected(
        causes=("training.no_gradient",), absent=("adapter.partial_targets",), says=("enable_input_require_grads",)
    ),
)
def encoder_without_gradients(folder: Path) -> Study:
    study = with_adapter(folder)
    change_tensors(
        folder / "external",
        lambda tensors: {n: t * 0 if "encoder.layers" in n and "lora_B" in n else t for n, t in tensors.items()},
    )
    return study


@field_case(
    name="added tokens",
    area="training",
    situation="three tokens added to the vocabulary, embedding and output layer saved whole",
    source="huggingface/peft#334, huggingface/peft#2898, huggingface/transformers#14416",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",),
        absent=("adapter.base_mismatch",),
        says=("3 tokens more", "resize_token_embeddings"),
    ),
)
def added_tokens(folder: Path) -> Study:
    import torch

    study = with_adapter(folder, modules_to_save=["embed_tokens", "proj_out"])
    rows = 266 + 3
    change_tensors(
        folder / "external",
        lambda tensors: (
            tensors
            | {
                "base_model.model.model.decoder.embed_tokens.weight": torch.randn(rows, 32),
                "base_model.model.proj_out.weight": torch.randn(rows, 32),
            }
        ),
    )
    return study


@field_case(
    name="adapter names another base",
    area="training",
    situation="the adapter's configuration names whisper-large-v2, the model folder is whisper-large-v3",
    source="adapters of whisper-large-v2 used on v3",
    command="study",
    expected=Expected(says=("openai/whisper-large-v2", "whisper-large-v3"), absent=("adapter.base_mismatch",)),
)
def other_base_named(folder: Path) -> Study:
    study = with_adapter(folder, base_model_name_or_path="openai/whisper-large-v2")
    shutil.move(study.folder / MODEL, study.folder / "whisper-large-v3")
    study.configure({"model": {"id": "whisper-large-v3"}})
    return study


@field_case(
    name="adapter in adapter_model/",
    area="training",
    situation="SavePeftModelCallback saved the adapter into checkpoint-60/adapter_model; the checkpoint is given",
    source="huggingface/peft#163",
    command="study",
    expected=Expected(absent=("adapter.not_loaded", "training.steps_short"), says=("of 60 planned",)),
)
def nested_adapter(folder: Path) -> Study:
    save_adapter(folder / "run/checkpoint-60/adapter_model")
    state(folder / "run/checkpoint-60", losses(FALLING))
    return whisper_study(folder, {"adapter": str(folder / "run/checkpoint-60")})


@field_case(
    name="best checkpoint of a run that went on",
    area="training",
    situation="checkpoint-10 of an early-stopped run is given; checkpoint-40 next to it has the whole log",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.steps_short", "training.best_not_kept")),
)
def best_of_run(folder: Path) -> Study:
    save_adapter(folder / "run/checkpoint-10")
    first = [*losses([1.0]), *evaluations([(10, 0.2, 0.18)])]
    later = [*losses([1.0, 0.5, 0.3, 0.2])[1:], *evaluations([(20, 0.4, 0.29), (30, 0.4, 0.31), (40, 0.4, 0.28)])]
    state(folder / "run/checkpoint-10", first, max_steps=4000)
    state(
        folder / "run/checkpoint-40", first + later, max_steps=4000, global_step=40, best_global_step=10,
        stateful_callbacks=EARLY,
    )  # fmt: skip
    return whisper_study(folder, {"adapter": str(folder / "run/checkpoint-10")})


@field_case(
    name="CTC model, target_modules auto",
    area="training",
    situation="a LoRA short run on a CTC model with the default target modules",
    source="huggingface/peft#128",
    command="study",
    expected=Expected(absent=("adapter.partial_targets",), says=("the model has no decoder",)),
)
def ctc_targets(folder: Path) -> Study:
    model = make_wav2vec2(folder / "model")
    training = {"max_steps": 2, "eval_steps": 1, "learning_rate": 0.05, "rank": RANK}
    changes = {**CONFIG, "model": {"id": str(model)}, "candidates": {"lora": {"train": training}}, "decode": {}}
    return make_study(folder / "study", changes, COUNTS)


@field_case(
    name="AdaLoRA",
    area="training",
    situation="an adapter of a type that is not supported",
    source="huggingface/peft, AdaLoRA examples",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), says=("ADALORA", "merge_and_unload")),
)
def adalora(folder: Path) -> Study:
    return with_adapter(folder, peft_type="ADALORA")


@field_case(
    name="empty adapter file",
    area="training",
    situation="the disk was full: adapter_model.safetensors has 0 bytes",
    source="huggingface/peft#286",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), says=("0 bytes", "Copy the file again")),
)
def empty_file(folder: Path) -> Study:
    study = with_adapter(folder)
    (folder / "external/adapter_model.safetensors").write_bytes(b"")
    return study


@field_case(
    name="alpha 0",
    area="training",
    situation="lora_alpha was set to 0 in adapter_config.json; the matrices are trained",
    source="embedded study",
    command="study",
    expected=Expected(causes=("adapter.zero_delta",), says=("Set `lora_alpha`",), silent_on=("check the gradients",)),
)
def alpha_zero(folder: Path) -> Study:
    return with_adapter(folder, lora_alpha=0)


@field_case(
    name="promised tensors missing",
    area="training",
    situation="the configuration names k_proj too, whose tensors are not in the file",
    source="embedded study",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), silent_on=("library version",), says=("save_pretrained",)),
)
def promised_missing(folder: Path) -> Study:
    return with_adapter(folder, target_modules=["q_proj", "v_proj", "k_proj"])


@field_case(
    name="wrapped twice",
    area="training",
    situation="every tensor name begins with `base_model.model.` twice",
    source="embedded study",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), says=("twice", "unwrapped model")),
)
def wrapped_twice(folder: Path) -> Study:
    study = with_adapter(folder)
    change_tensors(folder / "external", lambda tensors: {f"base_model.model.{n}": t for n, t in tensors.items()})
    return study


@field_case(
    name="overflow in float16",
    area="training",
    situation="a value above 65,504 became infinite when the adapter was saved as float16",
    source="embedded study",
    command="study",
    expected=Expected(causes=("adapter.not_finite",), says=("65,504", "float32 or bfloat16")),
)
def overflow(folder: Path) -> Study:
    study = with_adapter(folder)

    def halved(tensors: dict[str, Any]) -> dict[str, Any]:
        first = min(tensors)
        return {n: (t * 1e7 if n == first else t).half() for n, t in tensors.items()}

    change_tensors(folder / "external", halved)
    return study


@field_case(
    name="damaged trainer_state.json",
    area="training",
    situation="trainer_state.json ends in the middle of a line: the disk was full",
    source="huggingface/transformers, checkpoints written while a disk filled up",
    command="study",
    expected=Expected(
        absent=("training.steps_short", "training.diverged"), says=("trainer_state.json: not readable as JSON",)
    ),
)
def damaged_state(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING))
    path = folder / "external/trainer_state.json"
    path.write_text(path.read_text()[:200])
    return study


def save_checkpoint(folder: Path, base: Path, without: tuple[str, ...] = ()) -> None:
    """A tuned copy of the base model, with every matrix of the decoder 5 % larger and without some files."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, folder)
    tensors = load_file(folder / "model.safetensors")
    tuned = {name: tensor * 1.05 if ".decoder." in name else tensor for name, tensor in tensors.items()}
    save_file(tuned, folder / "model.safetensors", metadata={"format": "pt"})
    for name in without:
        (folder / name).unlink(missing_ok=True)


TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json",
             "added_tokens.json", "normalizer.json", "processor_config.json")  # fmt: skip


@field_case(
    name="checkpoint without a tokenizer",
    area="training",
    situation="checkpoint-40 of a full fine-tuning has no tokenizer; its state names step 20 as the best",
    source="huggingface/blog fine-tune-whisper, huggingface/community-events#197",
    command="study",
    expected=Expected(
        causes=("training.best_not_kept",),
        absent=("adapter.not_loaded", "adapter.base_mismatch"),
        says=("saved without a tokenizer, so the base model's is used", "Step 20 of theirs", "of step 40"),
    ),
)
def bare_checkpoint(folder: Path) -> Study:
    study = whisper_study(folder, {"checkpoint": "checkpoint-40"})
    checkpoint = study.folder / "checkpoint-40"
    save_checkpoint(checkpoint, study.folder / MODEL, without=TOKENIZER)
    log = losses(FALLING[:4]) + evaluations([(20, 0.3, 30.1), (40, 0.45, 33.0)])
    state(checkpoint, log, best_model_checkpoint="out/checkpoint-20")
    return study


@field_case(
    name="damaged checkpoint",
    area="training",
    situation="config.json of the checkpoint was copied in part; everything else of the study is sound",
    source="neighbour of a checkpoint without a tokenizer",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), says=("config.json cannot be read", "Copy the checkpoint again")),
)
def damaged_checkpoint(folder: Path) -> Study:
    study = whisper_study(folder, {"checkpoint": "checkpoint-40"})
    save_checkpoint(study.folder / "checkpoint-40", study.folder / MODEL)
    path = study.folder / "checkpoint-40/config.json"
    path.write_text(path.read_text()[:100])
    return study


@field_case(
    name="alpha of some modules 0",
    area="training",
    situation="`alpha_pattern` sets the alpha of the encoder to 0; its matrices are trained",
    source="neighbour of alpha 0",
    command="study",
    expected=Expected(
        causes=("adapter.partial_targets",), absent=("adapter.zero_delta",), says=("4 of 12 adapted modules", "by 0")
    ),
)
def alpha_partly_zero(folder: Path) -> Study:
    return with_adapter(folder, alpha_pattern={r"encoder\.layers\.\d\.self_attn\.(q|v)_proj": 0})


@field_case(
    name="validation WER of a few percent",
    area="training",
    situation="the Trainer logged `eval_wer` as 2.8 and 2.4, a percentage, at a validation loss of 0.05",
    source="neighbour of early stopping",
    command="study",
    expected=Expected(
        absent=("training.overfit", "training.best_not_kept"), says=("2.4 %", "was taken as a percentage")
    ),
)
def low_wer_in_percent(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    state(folder / "checkpoint-60", losses(FALLING) + evaluations([(30, 0.06, 2.8), (60, 0.05, 2.4)]))
    return study


@field_case(
    name="added tokens, layers saved whole",
    area="training",
    situation="the same resized vocabulary under the names `modules_to_save` and `original_module`",
    source="huggingface/peft#2898",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), absent=("adapter.base_mismatch",), says=("3 tokens more",)),
)
def added_tokens_saved_whole(folder: Path) -> Study:
    import torch

    study = with_adapter(folder, modules_to_save=["embed_tokens"])
    name = "base_model.model.model.decoder.embed_tokens"
    whole = {f"{name}.{kind}.weight": torch.randn(266 + 3, 32) for kind in ("modules_to_save", "original_module")}
    change_tensors(folder / "external", lambda tensors: tensors | whole)
    return study
