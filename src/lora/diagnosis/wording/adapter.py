"""Sentences of the effect ladder: adapter files, loading, weights, logits, hypotheses, and the criterion above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import listed_examples
from lora.formatting import count, listed, number, percent, round_percent

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


def _not_measured(result: Result) -> str:
    """Stages of a run whose effect could not be measured."""
    if result.reason == "lower_stage_failed":
        return f"Not measured for {result.run}, because a lower stage failed."
    message = result.details["message"] or "the effect of this run was not measured"
    return f"{result.run}: {message.rstrip('.')}."


def file(result: Result) -> str:
    details, run = result.details, result.run
    if result.reason in {"not_measured", "impossible", "lower_stage_failed"}:
        return _not_measured(result)
    if result.reason == "not_read":
        return f"The adapter files of {run} were not read."
    if result.reason == "not_finite":
        tensors = details["tensors"]
        names = f" ({listed_examples(tensors, most=2)})" if tensors["count"] else ""
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
    details, run = result.details, result.run
    if result.reason in {"not_measured", "impossible", "lower_stage_failed"} and "tensors_loaded" not in details:
        return _not_measured(result) if "message" in details else f"{run} was not loaded into the base model."
    loaded = f"{details['tensors_loaded']} of {count(details['tensors_in_file'], 'tensor')} of {run} are in the model"
    if result.reason in LOAD_FAULTS:
        return LOAD_FAULTS[result.reason](result, loaded)
    evidence = details["base_evidence"]
    if details["base_matches"]:
        base = BASE_KNOWN_BY[evidence or "shape"]
    else:
        base = BASE_NOT_RECORDED.get(evidence, BASE_NOT_RECORDED[None])
    text = f"{loaded}; {base}"
    if details["study_model"]:
        text += f". It names {details['base_trained_on']}, while the study's model is {details['study_model']}"
    if details["adapter_in_model_folder"]:
        text += (
            ". The model folder contains an adapter_config.json, so other programs would load that adapter into the base "
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
    return f"{count(result.details['not_finite']['count'], 'tensor')} of {result.run} contain NaN or infinite values ({names})."


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


def weights(result: Result) -> str:
    details, run = result.details, result.run
    if "message" in details:
        return _not_measured(result)
    if result.reason in CHECKPOINT_WEIGHTS:
        return CHECKPOINT_WEIGHTS[result.reason](result)
    if result.reason in {"not_measured", "not_measurable"}:
        return (
            f"The weight change of {run} {'was not' if result.reason == 'not_measured' else 'could not be'} measured."
        )
    modules = count(details["modules"], "adapted module")
    if result.reason == "zero":
        because_of = " (alpha is 0)" if details["alpha"] == 0 else ""
        return f"The delta of all {modules} of {run} is exactly zero{because_of}."
    if result.reason == "zero_but_for_rounding":
        return f"The delta of all {modules} of {run} is zero except for rounding."
    if result.reason == "random_start_only":
        return f"The delta of all {modules} of {run} is its random initial value: training added nothing."
    text = f"{run} changes the weights of {modules} by a median of {percent(details['median'])} of their norm"
    if result.reason == "excessive":
        start = "; it started from random deltas (`init_lora_weights: false`)" if details["random_start"] else ""
        return f"{text}; above {round_percent(details['max'])} it overwrites the base model{start}."
    if details["random_start"] and details["learnt"] is not None:
        text += f", of which training added {percent(details['learnt'])}"
    elif details["random_start"]:
        text += "; it started from random deltas (`init_lora_weights: false`), and how much training added is unknown"
    if result.reason == "small_but_texts_change":
        text += f", and {_changed(details)} change"
    if result.reason == "negligible":
        text += f" ({round_percent(details['min'])} or more is usual), and {_changed(details)} change"
    return f"{text}."


def _changed(details: Mapping[str, Any]) -> str:
    return f"{details['changed']:,} of {count(details['compared'], 'hypothesis', 'hypotheses')}"


def _no_tensor_compared(result: Result) -> str:
    return f"{result.run} has no tensor that could be compared with the base model."


def _no_tensor_changed(result: Result) -> str:
    details = result.details
    rounded = f", except for rounding in {details['rounded']} of them" if details["rounded"] else ""
    return (
        f"All {count(details['shared'], 'tensor')} of {result.run} equal the base model's{rounded}: nothing was tuned."
    )


def _changed_tensors(result: Result) -> str:
    details = result.details
    text = f"{details['tensors_changed']} of {count(details['shared'], 'tensor')} of {result.run} differ from the base model's"
    if result.reason == "no_matrix_changed":
        return f"{text}; none of them is a weight matrix."
    groups = details["matrices_by_group"]
    where = listed([f"{group.replace('_', ' ')} {matrices}" for group, matrices in groups.items()])
    matrices = count(sum(groups.values()), "weight matrix", "weight matrices")
    text += f"; {matrices} ({where}) by a median of {percent(details['median'])} of their norm"
    if result.reason == "tensors_overwritten":
        text += f"; above {round_percent(details['max'])} little is left of the base model"
    if result.reason == "tensors_barely_changed":
        text += f" ({round_percent(details['min'])} or more is usual), and {_changed(details)} change"
    return f"{text}."


CHECKPOINT_WEIGHTS: dict[str, Callable[[Result], str]] = {
    "no_tensor_compared": _no_tensor_compared,
    "no_tensor_changed": _no_tensor_changed,
    "no_matrix_changed": _changed_tensors,
    "tensors_overwritten": _changed_tensors,
    "tensors_barely_changed": _changed_tensors,
    "tensors_changed": _changed_tensors,
}


def logits(result: Result) -> str:
    details, run = result.details, result.run
    if "message" in details:
        return _not_measured(result)
    if result.reason == "not_measured":
        return f"Logits of {run} were not compared."
    if result.reason == "equal":
        return f"Logits of {run} are identical with the adapter on and off at all {count(details['positions'], 'position')}."
    text = (
        f"The most likely token differs at {percent(details['argmax_flips'])} of "
        f"{count(details['positions'], 'position')} of validation rows with {run} switched on"
    )
    if result.reason == "not_finite":
        text += f", and logits are not finite at {percent(details['not_finite'])} of the positions"
    if result.reason == "off_differs_as_explained":
        text += f". Switched off, it is not the base model: {listed(details['off_differs_by'])}"
    if result.reason == "off_differs":
        text += ". Switched off, it is not the base model, and nothing in its configuration explains why"
    return f"{text}."


def text(result: Result) -> str:
    details, run = result.details, result.run
    if "message" in details:
        return _not_measured(result)
    if result.reason == "not_measured":
        return f"No hypothesis was generated with {run}."
    if result.reason == "nothing_compared":
        return f"No hypothesis of {run} was compared with the baseline's."
    if result.reason in {"texts_differ", "texts_equal"}:
        return f"{_changed(details)} of {run} differ from the baseline's."
    if result.reason == "not_called":
        return f"0 layers of {run} were called {_during(details)}."
    if result.reason == "transcribed_without_adapter":
        return (
            f"The tuned transcripts of {listed(details['without_adapter'])} were generated without the adapter {run}."
        )
    if result.reason == "only_validation_changes":
        return (
            f"{details['validation_changed']} of {count(details['validation_texts'], 'validation hypothesis', 'validation hypotheses')} "
            f"change with {run}, but none of its tuned transcripts does."
        )
    changes = f"{_changed(details)} change with {run}, whose layers ran {details['adapter_calls']:,} times"
    if result.reason == "no_hypothesis_changes":
        return f"{changes}."
    if details["merged_changed"]:
        changes += f"; merged into the base model it gives {details['merged_changed']} other hypotheses"
    if details["repeat_changed"]:
        changes += (
            f"; {details['repeat_changed']} of {details['repeated']} hypotheses differ between two identical calls, so a "
            "changed hypothesis proves nothing (something in the model is random)"
        )
    if details["off_changed"]:
        changes += f"; switched off it still gives {details['off_changed']} hypotheses that are not the base model's"
    return f"{changes}."


def _during(details: Mapping[str, Any]) -> str:
    return "inside `generate`" if details["generates"] else "during greedy CTC decoding"


def calls(result: Result) -> str:
    details, run = result.details, result.run
    modules = count(details["modules"], "adapted module")
    never = details["never_called"]
    if not never["count"]:
        return f"All {modules} of {run} are called {_during(details)}."
    return f"{never['count']} of {modules} of {run} are never called {_during(details)}: {listed_examples(never)}."


def targets(result: Result) -> str:
    details, run = result.details, result.run
    encoder, decoder = count(details["encoder"], "module"), count(details["decoder"], "module")
    if result.reason == "unchanged_modules":
        return f"{details['unchanged']} of {count(details['adapted'], 'adapted module')} of {run} never changed (lora_B is zero)."
    configured = ", as configured in `target_parts`" if result.reason.endswith("as_configured") else ""
    if result.reason.startswith("encoder_only"):
        return f"{run} adapts {encoder} of the encoder and none of the decoder{configured}."
    if result.reason.startswith("decoder_only"):
        return f"{run} adapts {decoder} of the decoder and none of the encoder{configured}."
    return f"{run} adapts {encoder} of the encoder and {decoder} of the decoder."


def adapter_change(result: Result) -> str:
    if result.reason == "no_candidate":
        return "There is no candidate whose effect could be measured."
    return f"The effect of {result.run} was not measured."


def _zero_delta_remedy(result: CauseResult) -> str | None:
    if result.reason != "no_tensor_changed":
        return None
    return f"Make sure that {result.run} is the tuned model, saved after merging, and not a copy of its base model."


def _excessive_delta_remedy(result: CauseResult) -> str | None:
    if not result.details.get("random_start"):
        return None
    return "Add a sweep entry with `init_lora_weights: true`, which starts from the base model."


def _not_loaded_remedy(result: CauseResult) -> str | None:
    if result.reason != "unmerged_adapter":
        return None
    return "Merge it (`merge_and_unload()`) before saving the model, or name its folder as an `adapter`."


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


def _no_text_change_remedy(result: CauseResult) -> str | None:
    kind = result.details.get("kind")
    if kind == "checkpoint":
        return (
            f"Make sure that {result.run} is the tuned model and not a copy of its base model; if it is, tune it with a "
            "higher learning rate or more steps."
        )
    if kind == "hypotheses":
        return (
            f"Make sure that the files of {result.run} and base come from two runs, and that the pipeline loaded the "
            "tuned model."
        )
    return None


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "adapter_change": adapter_change,
    "adapter.file": file,
    "adapter.load": load,
    "adapter.weights": weights,
    "adapter.logits": logits,
    "adapter.text": text,
    "adapter.calls": calls,
    "adapter.targets": targets,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "adapter.zero_delta": _zero_delta_remedy,
    "adapter.excessive_delta": _excessive_delta_remedy,
    "adapter.not_loaded": _not_loaded_remedy,
    "adapter.base_mismatch": _base_mismatch_remedy,
    "adapter.no_text_change": _no_text_change_remedy,
}
