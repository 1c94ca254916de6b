"""Adapters and checkpoints of which a part was lost in saving: empty tensors, magnitudes, ranks, an unchanged model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from external_training import (
    FALLING,
    MODEL,
    change_tensors,
    losses,
    save_adapter,
    save_checkpoint,
    state,
    whisper_study,
    with_adapter,
)
from field_cases import Expected, field_case
from small_study import Study

GATHERED = "`stage3_gather_16bit_weights_on_model_save: true`"


@field_case(
    name="empty tensors of ZeRO-3",
    area="training",
    situation="DeepSpeed ZeRO-3 saved every LoRA matrix with the shape [0]",
    source="huggingface/peft#2500, deepspeedai/DeepSpeed#4295",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",),
        says=("24 of 24 tensors are empty", "ZeRO-3", GATHERED),
        silent_on=("expected a matrix",),
    ),
)
def zero3_empty(folder: Path) -> Study:
    import torch

    study = with_adapter(folder)
    change_tensors(folder / "external", lambda tensors: dict.fromkeys(tensors, torch.empty(0)))
    return study


@field_case(
    name="an adapter file without tensors",
    area="training",
    situation="adapter_model.safetensors of a ZeRO-3 training has 40 bytes and no tensor",
    source="huggingface/peft#2892, huggingface/trl#4416",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",), says=("contains no tensor", "ZeRO-3"), silent_on=("library version",)
    ),
)
def zero3_nothing(folder: Path) -> Study:
    study = with_adapter(folder)
    change_tensors(folder / "external", lambda _: {})
    return study


@field_case(
    name="an empty module to save",
    area="training",
    situation="`modules_to_save: [proj_out]` with ZeRO-3: LoRA matrices are whole, the output layer has the shape [0]",
    source="huggingface/peft#2450",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",), absent=("adapter.base_mismatch",), says=("1 of 25 tensors are empty", "ZeRO-3")
    ),
)
def zero3_module_to_save(folder: Path) -> Study:
    import torch

    study = with_adapter(folder, modules_to_save=["proj_out"])
    change_tensors(folder / "external", lambda tensors: tensors | {"base_model.model.proj_out.weight": torch.empty(0)})
    return study


def with_magnitudes(folder: Path, **changes: Any) -> Study:
    import torch
    from safetensors.torch import load_file

    study = with_adapter(folder, **changes)
    base = load_file(study.folder / MODEL / "model.safetensors")

    def add(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        modules = {name.split(".lora_")[0] for name in tensors}
        rows = {
            m: torch.linalg.vector_norm(base[f"{m.removeprefix('base_model.model.')}.weight"], dim=1) for m in modules
        }
        return tensors | {f"{m}.lora_magnitude_vector": norms for m, norms in rows.items()}

    change_tensors(folder / "external", add)
    return study


@field_case(
    name="DoRA forgotten in the configuration",
    area="training",
    situation="the file has the magnitudes of DoRA, adapter_config.json says nothing of it",
    source="relative of Comfy-Org/ComfyUI#3494",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",),
        says=("magnitudes of 12 modules", "Set `use_dora` to true"),
        silent_on=("library version",),
    ),
)
def dora_forgotten(folder: Path) -> Study:
    return with_magnitudes(folder)


@field_case(
    name="DoRA as saved",
    area="training",
    situation="the same file with `use_dora: true`",
    source="neighbour",
    command="study",
    expected=Expected(absent=("adapter.not_loaded", "adapter.base_mismatch", "adapter.excessive_delta")),
)
def dora_as_saved(folder: Path) -> Study:
    return with_magnitudes(folder, use_dora=True)


@field_case(
    name="magnitudes of DoRA lost",
    area="training",
    situation="`use_dora: true`, but the file has LoRA matrices alone",
    source="relative of Comfy-Org/ComfyUI#3494",
    command="study",
    expected=Expected(causes=("adapter.not_loaded",), says=("has no magnitudes", "set `use_dora` to false")),
)
def magnitudes_lost(folder: Path) -> Study:
    return with_adapter(folder, use_dora=True)


@field_case(
    name="rank of another training",
    area="training",
    situation="adapter_config.json of a run of rank 8 next to the matrices of a run of rank 4",
    source="huggingface/peft#460",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",), absent=("adapter.base_mismatch",), says=("another rank", "Set `r` in", "to 4")
    ),
)
def other_rank(folder: Path) -> Study:
    return with_adapter(folder, r=8)


@field_case(
    name="a merged model that is its base",
    area="training",
    situation="the result of `merge_and_unload()` was not kept: the folder that was saved equals the base model",
    source="huggingface/peft#2764, huggingface/peft#868",
    command="study",
    expected=Expected(causes=("adapter.zero_delta",), says=("saved after merging", "equal the base model's")),
)
def unchanged_checkpoint(folder: Path) -> Study:
    study = whisper_study(folder, {"checkpoint": "merged"})
    shutil.copytree(study.folder / MODEL, study.folder / "merged")
    return study


@field_case(
    name="a merged model in 8 bit",
    area="training",
    situation="the adapter was merged into a model loaded in 8 bit, and the quantised model was saved",
    source="relative of huggingface/peft#2321, artidoro/qlora#29",
    command="study",
    expected=Expected(
        causes=("adapter.not_loaded",), says=("numbers of the type I8", "Save the model without quantisation")
    ),
)
def quantised_checkpoint(folder: Path) -> Study:
    import torch
    from safetensors.torch import load_file, save_file

    study = whisper_study(folder, {"checkpoint": "merged"})
    merged = study.folder / "merged"
    save_checkpoint(merged, study.folder / MODEL)
    tensors = {
        name: (127 * t / t.abs().max()).to(torch.int8) if name.endswith("_proj.weight") else t
        for name, t in load_file(merged / "model.safetensors").items()
    }
    save_file(tensors, merged / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((merged / "config.json").read_text())
    quantised = {"quantization_config": {"load_in_8bit": True, "quant_method": "bitsandbytes"}}
    (merged / "config.json").write_text(json.dumps(config | quantised))
    return study


@field_case(
    name="targets by expression, for a seq2seq task",
    area="training",
    situation="`target_modules` is an expression, `task_type` SEQ_2_SEQ_LM, with keys of a newer peft",
    source="neighbour, huggingface/peft#1988",
    command="study",
    expected=Expected(absent=("adapter.not_loaded", "adapter.no_target_modules", "adapter.partial_targets")),
)
def targets_by_expression(folder: Path) -> Study:
    expression = r"model\.(encoder|decoder)\.layers\.\d+\.(self_attn|encoder_attn)\.(q_proj|v_proj)"
    return with_adapter(folder, target_modules=expression, task_type="SEQ_2_SEQ_LM", newer_key=None)


@field_case(
    name="a training that was resumed",
    area="training",
    situation="the log begins at step 410, where the run was resumed",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.steps_short", "training.lr_not_applied", "training.best_not_kept")),
)
def resumed(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-460")
    state(folder / "checkpoint-460", [{**entry, "step": 400 + entry["step"]} for entry in losses(FALLING)])
    return study


@field_case(
    name="a merged model with its adapter inside",
    area="training",
    situation="the folder of the merged model also has the adapter, which transformers would add again",
    source="huggingface/peft#1381",
    command="study",
    expected=Expected(absent=("adapter.base_mismatch", "adapter.not_loaded", "adapter.excessive_delta")),
)
def merged_with_adapter(folder: Path) -> Study:
    study = whisper_study(folder, {"checkpoint": "merged"})
    save_checkpoint(study.folder / "merged", study.folder / MODEL)
    save_adapter(folder / "adapter")
    shutil.copytree(folder / "adapter", study.folder / "merged", dirs_exist_ok=True)
    return study
