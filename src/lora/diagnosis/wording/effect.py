"""Sentences about the effect of an adapter on weights, logits and hypotheses, and the criterion above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.loading import not_measured
from lora.diagnosis.wording.names import listed_examples
from lora.formatting import configured_percent, count, listed, percent

Result = CheckResult | CauseResult

COMPARED = "(validation and all evaluation rows)"  # the hypotheses that `changed` and `compared` count
ALPHA_KEYS = {"alpha_zero": "lora_alpha", "alpha_pattern_zero": "alpha_pattern"}


def weights(result: Result) -> str:
    details = result.details
    run = result.run
    if "message" in details:
        return not_measured(result)
    if result.reason in CHECKPOINT_WEIGHTS:
        return CHECKPOINT_WEIGHTS[result.reason](result)
    if result.reason in {"not_measured", "not_measurable"}:
        return (
            f"The weight change of {run} {'was not' if result.reason == 'not_measured' else 'could not be'} measured."
        )
    modules = count(details["modules"], "adapted module")
    if result.reason == "zero":
        return f"The delta of all {modules} of {run} is exactly zero."
    if result.reason in ALPHA_KEYS:
        return (
            f"The delta of all {modules} of {run} is exactly zero, because `{ALPHA_KEYS[result.reason]}` is 0 in its "
            "adapter_config.json; its trained matrices are not zero."
        )
    if result.reason == "zero_but_for_rounding":
        return f"The delta of all {modules} of {run} is zero except for rounding."
    if result.reason == "random_start_only":
        return f"The delta of all {modules} of {run} is its random initial value: training added nothing."
    text = f"{run} changes the weights of {modules} by a median of {percent(details['median'])} of their norm"
    if result.reason == "excessive":
        start = "; it started from random deltas (`init_lora_weights: false`)" if details["random_start"] else ""
        return f"{text}; above {configured_percent(details['max'])} it overwrites the base model{start}."
    if details["random_start"] and details["learnt"] is not None:
        text += f", of which training added {percent(details['learnt'])}"
    elif details["random_start"]:
        text += "; it started from random deltas (`init_lora_weights: false`), and how much training added is unknown"
    if result.reason == "small_but_texts_change":
        text += f", and {_changed(details)} change"
    if result.reason == "negligible":
        text += f" ({configured_percent(details['min'])} or more is usual), and {_changed(details)} change"
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
    text = (
        f"{details['tensors_changed']} of {count(details['shared'], 'tensor')} of {result.run} differ from the "
        "base model's"
    )
    if result.reason == "no_matrix_changed":
        return f"{text}; none of them is a weight matrix."
    groups = details["matrices_by_group"]
    where = listed([f"{group.replace('_', ' ')} {matrices}" for group, matrices in groups.items()])
    matrices = count(sum(groups.values()), "weight matrix", "weight matrices")
    text += f"; {matrices} ({where}) by a median of {percent(details['median'])} of their norm"
    if result.reason == "tensors_overwritten":
        text += f"; above {configured_percent(details['max'])} little is left of the base model"
    if result.reason == "tensors_barely_changed":
        text += f" ({configured_percent(details['min'])} or more is usual), and {_changed(details)} change"
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
    details = result.details
    run = result.run
    if "message" in details:
        return not_measured(result)
    if result.reason == "not_measured":
        return f"Logits of {run} were not compared."
    if result.reason == "equal":
        return (
            f"Logits of {run} are identical with the adapter on and off at all "
            f"{count(details['positions'], 'position')}."
        )
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
    details = result.details
    run = result.run
    if "message" in details:
        return not_measured(result)
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
            f"{details['validation_changed']} of "
            f"{count(details['validation_texts'], 'validation hypothesis', 'validation hypotheses')} "
            f"change with {run}, but none of its tuned transcripts does."
        )
    changes = f"{_changed(details)} {COMPARED} change with {run}, whose layers ran {details['adapter_calls']:,} times"
    if result.reason == "no_hypothesis_changes":
        return f"{changes}."
    if details["merged_changed"]:
        changes += f"; merged into the base model it gives {details['merged_changed']} other hypotheses"
    if details["repeat_changed"]:
        changes += (
            f"; {details['repeat_changed']} of {details['repeated']} hypotheses differ between two identical "
            "calls, so a "
            "changed hypothesis proves nothing (something in the model is random)"
        )
    if details["off_changed"]:
        changes += f"; switched off it still gives {details['off_changed']} hypotheses that are not the base model's"
    return f"{changes}."


def _during(details: Mapping[str, Any]) -> str:
    return "inside `generate`" if details["generates"] else "during greedy CTC decoding"


def calls(result: Result) -> str:
    details = result.details
    run = result.run
    modules = count(details["modules"], "adapted module")
    never = details["never_called"]
    if not never["count"]:
        return f"All {modules} of {run} are called {_during(details)}."
    return f"{never['count']} of {modules} of {run} are never called {_during(details)}: {listed_examples(never)}."


def adapter_change(result: Result) -> str:
    if result.reason == "no_candidate":
        return "There is no candidate whose effect could be measured."
    return f"The effect of {result.run} was not measured."


def _zero_delta_remedy(result: CauseResult) -> str | None:
    if result.reason in ALPHA_KEYS:
        return (
            f"Set `{ALPHA_KEYS[result.reason]}` in adapter_config.json to the value that the adapter was trained with; "
            "if it was trained with 0, set `alpha` in the candidate and train again."
        )
    if result.reason != "no_tensor_changed":
        return None
    return f"Make sure that {result.run} is the tuned model, saved after merging, and not a copy of its base model."


def _excessive_delta_remedy(result: CauseResult) -> str | None:
    if not result.details.get("random_start"):
        return None
    return "Add a sweep entry with `init_lora_weights: true`, which starts from the base model."


def _no_text_change_remedy(result: CauseResult) -> str | None:
    kind = result.details.get("kind")
    if kind == "checkpoint":
        return (
            f"Make sure that {result.run} is the tuned model and not a copy of its base model; if it is, tune it "
            "with a "
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
    "adapter.weights": weights,
    "adapter.logits": logits,
    "adapter.text": text,
    "adapter.calls": calls,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "adapter.zero_delta": _zero_delta_remedy,
    "adapter.excessive_delta": _excessive_delta_remedy,
    "adapter.no_text_change": _no_text_change_remedy,
}
