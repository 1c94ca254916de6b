"""LoRA adapters in a model: which modules they adapt, and fresh ones made from settings.

`AdapterProblem` is a condition with a cause code (see the verdict's cause codes), not a failure of the command.
Imports torch.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import check_target_module_exists
from torch import nn

from lora.asr.adapter.choices import PARTS, takes_from_base
from lora.asr.adapter.files import AdapterProblem
from lora.asr.adapter.modules_to_save import find_modules_to_save
from lora.asr.families.speech_model import SpeechModel, first_line
from lora.records.base import UserError

# Last names of attention projections and MLP layers: encoder-decoders, language models, conformers, wav2vec 2.0.
ATTENTION_AND_MLP = (
    "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "fc1", "fc2", "gate_proj", "up_proj", "down_proj",
    "to_q", "to_kv", "to_out", "linear1", "linear2", "linear_q", "linear_k", "linear_v", "linear_out",
    "intermediate_dense", "output_dense",
)  # fmt: skip
# Attention that takes the weights out of its projections and never calls them: an adapter there would change nothing.
NEVER_CALLED = {"wavlm": ("q_proj", "k_proj", "v_proj", "out_proj")}
ADAPTER = "default"
INITIALISATIONS: dict[str, bool] = {"true": True, "false": False}  # all others are peft's names


def target_modules(model: nn.Module, setting: str, parts: Sequence[str] = PARTS) -> list[str] | str:
    """What `--target-modules` means for a model: `auto`, `all-linear`, names with commas, or a regular expression.

    `auto` is every attention projection and both MLP layers, by the names the model has: last names where all parts
    are wanted, else full names of those in `parts`.
    """
    if setting == "auto":
        left_out = NEVER_CALLED.get(getattr(getattr(model, "config", None), "model_type", ""), ())
        wanted = set(ATTENTION_AND_MLP) - set(left_out)
        names = [name for name, _ in linear_layers(model) if name.rpartition(".")[2] in wanted]
        if set(parts) == set(PARTS):
            return sorted({name.rpartition(".")[2] for name in names})
        return sorted(name for name in names if part_of(name) in parts)
    if setting == "all-linear" or re.search(r"[*+?()\[\]{}|^$\\]", setting):
        return setting
    return sorted({name.strip() for name in setting.split(",") if name.strip()})


def linear_layers(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear))


def lora_config(model: nn.Module, settings: Mapping[str, Any], model_id: str) -> LoraConfig:
    """The peft configuration of training settings (keys as the runner's flags).

    No task type: the one for sequence-to-sequence models renames inputs to `input_ids`, which speech models lack.
    Raises AdapterProblem `adapter.no_target_modules`, saying what the model offers.
    """
    setting, parts = str(settings["target_modules"]), settings["target_parts"]
    initialisation: Any = str(settings["init_lora_weights"])
    whole = find_modules_to_save(model, settings["modules_to_save"])
    config = LoraConfig(
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        lora_dropout=settings["dropout"],
        target_modules=target_modules(model, setting, parts),
        use_dora=settings["use_dora"],
        use_rslora=settings["use_rslora"],
        init_lora_weights=INITIALISATIONS.get(initialisation.lower(), initialisation),
        modules_to_save=whole.names or None,
        ensure_weight_tying=whole.tied,
        bias=settings["bias"],
        base_model_name_or_path=model_id,
    )
    offered = _offered(model)
    if setting == "auto" and set(parts) != set(PARTS):
        setting = f"auto of {', '.join(parts)}"
    if setting != "all-linear":
        try:
            matched = any(check_target_module_exists(config, name) for name, _ in model.named_modules() if name)
        except re.error as error:
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} is not a regular expression ({error}); the model offers {offered}",
            ) from None
        if not matched:
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} match no module of the model, which offers {offered}",
            )
    _check_rank(model, config)
    return config


def attach(speech: SpeechModel, config: PeftConfig) -> PeftModel:
    """Put a fresh adapter into the model (trainable), in place; `speech.model` becomes the wrapped model."""
    try:
        with quiet():
            model = get_peft_model(speech.model, config)
    except ValueError as error:  # modules peft cannot adapt, such as a normalisation
        message = f"{first_line(error)} The model offers {_offered(speech.model)}"
        raise AdapterProblem("adapter.no_target_modules", message) from None
    speech.model = model
    return model


def train_in_full_precision(model: nn.Module) -> None:
    """Trainable weights as float32 in a model of half precision, where small steps would round to nothing.

    peft does so for the LoRA matrices; this does it for modules trained whole and biases.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _check_rank(model: nn.Module, config: LoraConfig) -> None:
    """An initialisation that takes `r` directions out of each weight needs as many to be there, and plain matrices."""
    initialisation = f"init_lora_weights {config.init_lora_weights}"
    if not takes_from_base(str(config.init_lora_weights)):
        return
    linear = config.target_modules == "all-linear"
    for name, module in linear_layers(model) if linear else model.named_modules():
        if not linear and not check_target_module_exists(config, name):
            continue
        if not isinstance(module, nn.Linear):
            kind = type(module).__name__
            raise UserError(f"{initialisation} is for linear layers and {name} is a {kind}; use true, or other targets")
        if config.r > min(module.weight.shape):
            raise UserError(
                f"{initialisation}: rank {config.r} is more than the {min(module.weight.shape)} directions of {name}; "
                "lower the rank or use true"
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Without two warnings that tell a person nothing: peft using what transformers will remove, and renaming the base
    model in its configuration to where it was read from (what is written names it as the person did).
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
        warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path`")
        yield


def _offered(model: nn.Module) -> str:
    """Last names of the linear layers, each once."""
    return ", ".join(sorted({name.rpartition(".")[2] for name, _ in linear_layers(model)} - {"base_layer"}))


def adapted_modules(model: nn.Module) -> dict[str, Any]:
    """Adapted layers by their name in the base model, sorted by name."""
    layers = {
        name.removeprefix("base_model.model."): module
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and hasattr(module, "base_layer")
    }
    return dict(sorted(layers.items()))


def part_of(name: str) -> str:
    """Part of a model a module belongs to: encoder, decoder_self, cross, mlp (decoder's) or other.

    The decoder of a speech language model is the language model.
    """
    path = f".{name}."
    if re.search(r"\.(projector|multi_modal_projector|qformer)\.", path):
        return "other"
    if re.search(r"\.(encoder|audio_tower)\.", path):
        return "encoder"
    if not re.search(r"\.(decoder|language_model)\.", path):
        return "other"
    if re.search(r"\.(encoder_attn|cross_attn|encoder_decoder_attention)\.", path):
        return "cross"
    if re.search(r"\.(self_attn|self_attention)\.", path):
        return "decoder_self"
    return "mlp" if re.search(r"\.(mlp|ffn|feed_forward|fc\d)\.", path) else "other"


def adapted_by_part(model: nn.Module) -> dict[str, dict[str, int]]:
    """How many modules of each last name are adapted, by part, in the order of parts."""
    counts = Counter((part_of(name), name.rpartition(".")[2]) for name in adapted_modules(model))
    found = {part: {last: n for (p, last), n in sorted(counts.items()) if p == part} for part in PARTS}
    return {part: names for part, names in found.items() if names}


def modules_by_group(model: nn.Module) -> dict[str, int]:
    return dict(sorted(Counter(part_of(name) for name in adapted_modules(model)).items()))


__all__ = [
    "ADAPTER", "AdapterProblem", "adapted_by_part", "adapted_modules", "attach", "linear_layers", "lora_config",
    "modules_by_group", "part_of", "quiet", "target_modules", "train_in_full_precision",
]  # fmt: skip
