"""Sentences about adapter files, loading them into the base model, and the adapted module groups."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import listed_examples
from lora.formatting import count, listed, number

Result = CheckResult | CauseResult

BASE_KNOWN_BY = {
    "hash": "the base model is the one it was trained on, by its hash",
    "revision": "the base model is the one it was trained on, by its revision",
    "shape": "its tensors fit the base model by shape",
}
BASE_NOT_RECORDED = {
    "shape": "the base model it was trained on is not recorded, but its tensors fit by shape",
    None: "the base model it was trained on is not recorded",
}
BASE_DIFFERS_BY = {
    "hash": "their hashes differ",
    "revision": "their revisions differ",
    "shape": "its tensors have other shapes",
}


def not_measured(result: Result) -> str:
    """Stages of a run whose effect could not be measured."""
    if result.reason == "lower_stage_failed":
        return f"Not measured for {result.run}, because a lower stage failed."
    message = result.details["message"] or "the effect of this run was not measured"
    return f"{result.run}: {message.rstrip('.')}."


def file(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason in {"not_measured", "impossible", "lower_stage_failed"}:
        return not_measured(result)
    if result.reason == "not_read":
        return f"The adapter files of {run} were not read."
    if result.reason in {"not_finite", "overflowed"}:
        tensors = details["tensors"]
        names = f" ({listed_examples(tensors, most=2)})" if tensors["count"] else ""
        if result.reason == "overflowed":
            return (
                f"{count(tensors['count'], 'adapter tensor')} of {run} saved as float16 contain infinite values and no "
                f"NaN{names}: values above 65,504 do not fit in float16."
            )
        return f"Adapter tensors of {run} contain NaN or infinite values{names}."
    text = (
        f"{details['nonzero']} of {count(details['lora_b'], 'lora_B matrix', 'lora_B matrices')} of {run} are not zero"
    )
    if result.reason == "all_zero":
        return f"All {count(details['lora_b'], 'lora_B matrix', 'lora_B matrices')} of {run} are exactly zero."
    if result.reason == "other_weights_changed":
        text += "; other weights of the adapter change the model"
    text += f" (rank {details['rank']}, alpha {number(details['alpha'])})"
    faults = {
        "unpaired": ("module", "without its lora_A or lora_B"),
        "other_ranks": ("module", "with another rank than configured"),
        "undeclared": ("tensor", "not named by its configuration"),
    }
    for key, (noun, fault) in faults.items():
        if details[key]["count"]:
            text += f"; {count(details[key]['count'], noun)} {fault}: {listed_examples(details[key], most=1)}"
    return f"{text}."


def load(result: Result) -> str:
    if result.reason in CHECKPOINT_LOAD:
        return CHECKPOINT_LOAD[result.reason](result)
    details = result.details
    run = result.run
    if result.reason in {"not_measured", "impossible", "lower_stage_failed"} and "tensors_loaded" not in details:
        return not_measured(result) if "message" in details else f"{run} was not loaded into the base model."
    loaded = f"{details['tensors_loaded']} of {count(details['tensors_in_file'], 'tensor')} of {run} are in the model"
    if result.reason in LOAD_FAULTS:
        return LOAD_FAULTS[result.reason](result, loaded)
    evidence = details["base_evidence"]
    if details["base_matches"]:
        base = BASE_KNOWN_BY[evidence or "shape"]
    else:
        base = BASE_NOT_RECORDED.get(evidence, BASE_NOT_RECORDED[None])
    text = f"{loaded}; {base}"
    if not details["study_model"] and not details["base_matches"] and details["base_trained_on"]:
        text += f" (its configuration names {details['base_trained_on']})"
    if details["study_model"]:
        text += f". It names {details['base_trained_on']}, while the study's model is {details['study_model']}"
    if details["adapter_in_model_folder"]:
        text += (
            ". The model folder contains an adapter_config.json, so other programs would load that adapter into "
            "the base "
            "model; this diagnosis left it out"
        )
    return f"{text}."


def _no_modules(result: Result, loaded: str) -> str:
    return f"{result.run} adapts no module of the model."


def _merged_before(result: Result, loaded: str) -> str:
    return (
        f"The model already contains the change of {result.run} (estimated {number(result.details['merged_share'])} "
        "times): the adapter was merged into it, and loading it again applies it twice."
    )


def _other_base(result: Result, loaded: str) -> str:
    details = result.details
    trained_on = f" ({details['base_trained_on']})" if details["base_trained_on"] else ""
    evidence = "hash" if result.reason == "other_base_hash" else details["base_evidence"] or "hash"
    return (
        f"{result.run} is loaded into another model than the one it was trained on{trained_on}: "
        f"{BASE_DIFFERS_BY[evidence]}."
    )


def _tensors_unmatched(result: Result, loaded: str) -> str:
    details = result.details
    sides = {
        "only_in_file": "only in the file: ",
        "other_shape": "other shape in the model: ",
        "only_in_model": "only in the model: ",
    }
    text = loaded + "".join(
        f"; {side}{listed_examples(details[key], most=1)}" for key, side in sides.items() if details[key]["count"]
    )
    if details["left_random"] or details["left_zero"]:
        matrices = count(details["left_random"], "LoRA matrix", "LoRA matrices")
        text += f"; {matrices} kept random initial values and {details['left_zero']} kept zeros"
    return f"{text}."


def _tensors_missing(result: Result, loaded: str) -> str:
    details = result.details
    missing = details["only_in_model"]
    text = (
        f"{count(missing['count'], 'tensor')} that the configuration of {result.run} names {verb(missing['count'])} "
        f"not in its file: {listed_examples(missing, most=1)}"
    )
    return f"{text}. {loaded}."


def verb(number: int) -> str:
    return "is" if number == 1 else "are"


def _resized_vocabulary(result: Result, loaded: str) -> str:
    details = result.details
    added = details["added_tokens"] or 0
    size = f"{count(abs(added), 'token')} {'more' if added > 0 else 'fewer'}"
    return (
        f"The vocabulary of {result.run} was resized: {listed_examples(details['resized'], most=2)} "
        f"{'has' if details['resized']['count'] == 1 else 'have'} {size} than the base model."
    )


def _inactive(result: Result, loaded: str) -> str:
    return f"{loaded}, but the adapter is not active."


def _other_adapters(result: Result, loaded: str) -> str:
    merged = result.reason == "other_adapters_merged"
    names = listed(result.details["merged_adapters"] if merged else result.details["active_adapters"])
    how = "are merged into the weights" if merged else "are active together"
    return f"{loaded}, but other adapters take effect too: {names} {how}."


LOAD_FAULTS: dict[str, Callable[[Result, str], str]] = {
    "no_modules": _no_modules,
    "merged_before": _merged_before,
    "other_base": _other_base,
    "other_base_hash": _other_base,
    "tensors_unmatched": _tensors_unmatched,
    "tensors_missing": _tensors_missing,
    "resized_vocabulary": _resized_vocabulary,
    "inactive": _inactive,
    "other_adapters_merged": _other_adapters,
    "several_adapters_active": _other_adapters,
}


def _unmerged_adapter(result: Result) -> str:
    return (
        f"{result.run} contains an adapter that was not merged into its weights: "
        f"{listed_examples(result.details['unmerged'], most=1)}."
    )


def _other_model_type(result: Result) -> str:
    types = result.details
    return f"{result.run} is a {types['tuned_type']} model, while the base is a {types['base_type']} model."


def _other_architecture(result: Result) -> str:
    return f"Only {_shared_tensors(result)}: it is another architecture or size."


def _tensors_not_finite(result: Result) -> str:
    names = listed_examples(result.details["not_finite"], most=2)
    return (
        f"{count(result.details['not_finite']['count'], 'tensor')} of {result.run} contain NaN or infinite values "
        f"({names})."
    )


def _tensors(result: Result) -> str:
    details = result.details
    differences = {
        "reshaped": "of another size (as after resizing the vocabulary)",
        "only_base": "only in the base model",
        "only_tuned": "only in the checkpoint",
    }
    text = _shared_tensors(result)
    for key, difference in differences.items():
        if details[key]["count"]:
            text += f"; {count(details[key]['count'], 'tensor')} {difference}: {listed_examples(details[key], most=1)}"
    if details["other_files"]:
        text += f"; {listed(details['other_files'])} not identical to the base model's"
    if details["base_tokenizer"]:
        text += "; it was saved without a tokenizer, so the base model's is used"
    return f"{text}."


def _shared_tensors(result: Result) -> str:
    details = result.details
    return (
        f"{details['shared']} of {count(details['tensors'], 'tensor')} of {result.run} have the name and shape of a "
        "tensor of the base model"
    )


CHECKPOINT_LOAD: dict[str, Callable[[Result], str]] = {
    "unmerged_adapter": _unmerged_adapter,
    "other_model_type": _other_model_type,
    "other_architecture": _other_architecture,
    "tensors_not_finite": _tensors_not_finite,
    "other_tensors": _tensors,
    "other_tokenizer": _tensors,
    "tensors_match": _tensors,
}


def targets(result: Result) -> str:
    details = result.details
    run = result.run
    encoder = count(details["encoder"], "module")
    decoder = count(details["decoder"], "module")
    if result.reason == "encoder_unchanged":
        return (
            f"All {count(details['unchanged'], 'lora_B matrix', 'lora_B matrices')} of the encoder of {run} are "
            f"exactly zero, while {details['changed']:,} of the decoder are not: no gradient reached the encoder."
        )
    if result.reason in {"no_decoder", "no_encoder"}:
        adapted, other = ("encoder", "decoder") if result.reason == "no_decoder" else ("decoder", "encoder")
        return (
            f"{run} adapts {encoder if adapted == 'encoder' else decoder} of the {adapted}; the model has no {other}."
        )
    if result.reason == "scaled_to_zero":
        return (
            f"{details['scaled']['count']} of {count(details['adapted'], 'adapted module')} of {run} have no effect, "
            "because `alpha_pattern` or `lora_alpha` in its adapter_config.json multiplies them by 0: "
            f"{listed_examples(details['scaled'], most=2)}."
        )
    if result.reason == "unchanged_modules":
        return (
            f"{details['unchanged']} of {count(details['adapted'], 'adapted module')} of {run} never changed (lora_B "
            "is zero)."
        )
    configured = ", as configured in `target_parts`" if result.reason.endswith("as_configured") else ""
    if result.reason.startswith("encoder_only"):
        return f"{run} adapts {encoder} of the encoder and none of the decoder{configured}."
    if result.reason.startswith("decoder_only"):
        return f"{run} adapts {decoder} of the decoder and none of the encoder{configured}."
    return f"{run} adapts {encoder} of the encoder and {decoder} of the decoder."


def _not_loaded_remedy(result: CauseResult) -> str | None:
    if result.reason == "resized_vocabulary":
        return (
            "Resize the base model as before training (`resize_token_embeddings`), save it with the tokenizer of the "
            "training and set `model.id` to it; or merge the adapter and give the merged model with that tokenizer as "
            "a `checkpoint`."
        )
    if result.reason == "tensors_missing":
        return (
            "Save the adapter again with `save_pretrained()` from the trained model, or remove these modules from "
            "adapter_config.json if they were not trained."
        )
    if result.reason != "unmerged_adapter":
        return None
    return "Merge it (`merge_and_unload()`) before saving the model, or name its folder as an `adapter`."


def _partial_targets_remedy(result: CauseResult) -> str | None:
    if result.reason != "scaled_to_zero":
        return None
    return (
        "Set the alpha of these modules in adapter_config.json (`alpha_pattern`, else `lora_alpha`) to the value that "
        "they were trained with."
    )


def _base_mismatch_remedy(result: CauseResult) -> str | None:
    if result.reason in {"other_model_type", "other_architecture"}:
        return f"Set `model.id` to the model that {result.run} was tuned from."
    if result.reason in {"other_adapters_merged", "several_adapters_active"}:
        return f"Load {result.run} alone into an unchanged copy of the base model."
    if result.reason == "merged_before":
        return (
            "Set `model.id` to the base model as it was before merging, or diagnose the merged model as a `checkpoint`."
        )
    return None


def _not_finite_remedy(result: CauseResult) -> str | None:
    if result.reason != "overflowed":
        return None
    return "Save the adapter in float32 or bfloat16 from the trained model; if it is gone, use an earlier checkpoint."


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "adapter.file": file,
    "adapter.load": load,
    "adapter.targets": targets,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "adapter.not_loaded": _not_loaded_remedy,
    "adapter.base_mismatch": _base_mismatch_remedy,
    "adapter.partial_targets": _partial_targets_remedy,
    "adapter.not_finite": _not_finite_remedy,
}
