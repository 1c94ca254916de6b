"""Adapters and checkpoints as other tools and machines leave them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from external_training import (
    CONFIG,
    COUNTS,
    FALLING,
    MODEL,
    RANK,
    TOKENIZER,
    change_tensors,
    evaluations,
    losses,
    save_adapter,
    save_checkpoint,
    state,
    whisper_study,
    with_adapter,
)
from field_cases import Expected, field_case
from small_study import Study, make_study
from tiny_families import make_wav2vec2


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
