"""D3 of a tuned checkpoint: is it a model of the base's kind, and how far do its weights lie from the base's?"""

from __future__ import annotations

from collections import Counter

from lora.diagnosis.adapter.effect import changed_texts
from lora.diagnosis.adapter.load import stage_answer, stage_cause
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer
from lora.formatting import count, listed, percent, round_percent
from lora.records.effect import CheckpointStage, EffectFacts
from lora.records.verdict import CheckStatus

# Less than this share of tensors in common, by name and shape, is another architecture.
SAME_KIND = 0.5
TOKENIZER = {"tokenizer.json", "vocab.json", "tokenizer.model", "merges.txt", "added_tokens.json"}


def checkpoint_stages(facts: StudyFacts, run: str, effect: EffectFacts, stage: CheckpointStage) -> Findings:
    """Its tensors (`adapter.load`) and how far they moved (`adapter.weights`)."""
    return _tensors(facts, run, stage).add(_weights(facts, run, effect, stage))


def _tensors(facts: StudyFacts, run: str, stage: CheckpointStage) -> Findings:
    values = (stage.shared, stage.tensors)
    told = (
        f"{stage.shared} of {count(stage.tensors, 'tensor')} of {run} have the name and shape of one of the base model"
    )
    code = remedy = None
    if stage.unmerged:
        code, because = (
            "adapter.not_loaded",
            f"{run} holds an adapter that was not merged: {listed(stage.unmerged, most=1)}",
        )
        remedy = "Merge it (`merge_and_unload()`) before saving the model, or name its folder as an `adapter`."
    elif stage.base_type != stage.tuned_type:
        because = f"{run} is a {stage.tuned_type} model, while the base is a {stage.base_type} model"
        code, remedy = "adapter.base_mismatch", f"Name in model.id the model that {run} was tuned from."
    elif stage.shared < SAME_KIND * stage.tensors:
        because = f"Only {told}: it is another architecture or size"
        code, remedy = "adapter.base_mismatch", f"Name in model.id the model that {run} was tuned from."
    elif stage.non_finite:
        names = listed(stage.non_finite, most=2)
        code, because = "adapter.not_finite", f"Tensors of {run} hold values that are not finite ({names})"
    if code is not None:
        broken = stage_cause(facts, code, f"{because}.", run, remedy)
        return stage_answer(facts, run, "adapter.load", Answer("fail", f"{because}.", *values, broken))
    doubts = {
        "of another size (a resized vocabulary does that)": stage.reshaped,
        "that only the base holds": stage.only_base,
        "that only the checkpoint holds": stage.only_tuned,
    }
    words = [
        f"{count(len(names), 'tensor')} {what}: {listed(names, most=1)}" for what, names in doubts.items() if names
    ]
    if stage.other_files:
        words.append(f"other bytes than the base's in {listed(stage.other_files)}")
    status: CheckStatus = "warn" if any(doubts.values()) or TOKENIZER & set(stage.other_files) else "pass"
    return stage_answer(facts, run, "adapter.load", Answer(status, f"{'; '.join([told, *words])}.", *values))


def _weights(facts: StudyFacts, run: str, effect: EffectFacts, stage: CheckpointStage) -> Findings:
    rules, median = facts.config.adapter, effect.median_relative_norm
    least, most = rules.min_relative_norm, rules.max_relative_norm
    if not stage.shared:
        return stage_answer(
            facts, run, "adapter.weights", Answer("unknown", f"{run} has no tensor to compare.", None, least)
        )
    if not (stage.changed or stage.reshaped or stage.only_tuned):
        rounding = f" but for rounding ({stage.rounded} of them)" if stage.rounded else ""
        because = f"All {count(stage.shared, 'tensor')} of {run} equal the base model's{rounding}: nothing was tuned."
        remedy = f"Make sure that {run} is the tuned model, saved after merging, and not a copy of its base."
        broken = stage_cause(facts, "adapter.zero_delta", because, run, remedy)
        return stage_answer(facts, run, "adapter.weights", Answer("fail", because, 0.0, least, broken))
    told = f"{len(stage.changed)} of {count(stage.shared, 'tensor')} of {run} differ from the base model's"
    moved = [module for module in effect.weights or [] if module.relative_norm]
    if median is None:
        summary = f"{told}; no weight matrix is among them."
        return stage_answer(facts, run, "adapter.weights", Answer("warn", summary, None, least))
    parts = Counter(module.module_group.replace("_", " ") for module in moved)
    where = listed([f"{part} {n}" for part, n in parts.items()])
    told += f"; {count(len(moved), 'weight matrix', 'weight matrices')} ({where}) by a median of {percent(median)}"
    told += " of their norm"
    if median > most:
        because = f"{told}; above {round_percent(most)} little is left of the base model."
        broken = stage_cause(facts, "adapter.excessive_delta", because, run)
        return stage_answer(facts, run, "adapter.weights", Answer("warn", because, median, most, broken))
    changed, looked_at = changed_texts(facts, run)
    if median >= least or (changed and changed >= rules.min_changed_share * looked_at):
        return stage_answer(facts, run, "adapter.weights", Answer("pass", f"{told}.", median, least))
    because = f"{told} (at least {round_percent(least)} is usual), and {changed} of {looked_at} hypotheses change."
    broken = stage_cause(facts, "adapter.negligible_delta", because, run)
    return stage_answer(facts, run, "adapter.weights", Answer("warn", because, median, least, broken))
