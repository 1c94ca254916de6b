"""The upper stages of the effect ladder, one check each: weights, logits, text; and which modules are called."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.adapter.load import ROUNDING, stage_answer, stage_cause
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import has_headroom
from lora.diagnosis.transitional import Answer, cause
from lora.formatting import count, listed, percent, round_percent
from lora.records.effect import EffectFacts, TextStage
from lora.records.verdict import CheckStatus

# Odds below which unchanged transcripts are no accident.
UNLIKELY = 0.001


def weights_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 3: the size of the change against the weights it changes."""
    rules, median = facts.config.adapter, effect.median_relative_norm
    least, most = rules.min_relative_norm, rules.max_relative_norm
    if not effect.weights or median is None:
        why = f"No delta of {run} could be measured" if effect.weights else f"No delta of {run} was measured"
        return stage_answer(facts, run, "adapter.weights", Answer("unknown", f"{why}.", None, least))
    modules = count(len(effect.weights), "adapted module")
    if nothing := _nothing_learnt(effect, run, modules):
        broken = stage_cause(facts, "adapter.zero_delta", nothing, run)
        return stage_answer(facts, run, "adapter.weights", Answer("fail", nothing, median, least, broken))
    told = f"{run} changes the weights of {modules} by a median of {percent(median)} of their norm"
    if median > most:
        because = f"{told}; above {round_percent(most)} it overwrites the base model."
        remedy = None
        if starts_random(effect):
            because = f"{because[:-1]}; it began with random deltas (init_lora_weights: false)."
            remedy = "Add a sweep entry with `init_lora_weights: true`, which starts from the base model."
        broken = stage_cause(facts, "adapter.excessive_delta", because, run, remedy)
        return stage_answer(facts, run, "adapter.weights", Answer("warn", because, median, most, broken))
    learnt = median if effect.median_change is None else effect.median_change
    if starts_random(effect):
        told += (
            f", of which training added {percent(learnt)}"
            if effect.median_change is not None
            else "; it began with random deltas (init_lora_weights: false), and how much was learnt is not known"
        )
    if learnt >= least:
        doubtful = starts_random(effect) and effect.median_change is None
        return stage_answer(
            facts, run, "adapter.weights", Answer("warn" if doubtful else "pass", f"{told}.", median, least)
        )
    changed, looked_at = changed_texts(facts, run)
    if changed >= rules.min_changed_share * looked_at and changed:
        return stage_answer(facts, run, "adapter.weights", Answer("warn", f"{told}, yet texts change.", median, least))
    texts = count(looked_at, "hypothesis", "hypotheses")
    because = f"{told} (at least {round_percent(least)} is usual), and {changed} of {texts} change."
    broken = stage_cause(facts, "adapter.negligible_delta", because, run)
    return stage_answer(facts, run, "adapter.weights", Answer("warn", because, median, least, broken))


def starts_random(effect: EffectFacts) -> bool:
    """Whether a fresh adapter of this initialisation changes the model before anything was learnt."""
    return effect.file is not None and effect.file.initialisation == "false"


def _nothing_learnt(effect: EffectFacts, run: str, modules: str) -> str | None:
    """A sentence where the adapter is what its initialisation made it; null where it is more, or changes else."""
    if effect.load is not None and effect.load.other_tensors_changed:
        return None
    weights = effect.weights or []
    if all(module.delta_norm == 0 for module in weights):
        scaled = " (alpha is 0)" if effect.file is not None and effect.file.alpha == 0 else ""
        return f"The delta of all {modules} of {run} is exactly zero{scaled}."
    if all(module.relative_norm is not None and module.relative_norm <= ROUNDING for module in weights):
        return f"The delta of all {modules} of {run} is zero but for rounding."
    if starts_random(effect) and all(module.change == 0 for module in weights):
        return f"The delta of all {modules} of {run} is the random one it began with: training added nothing."
    return None


def logits_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 4: the same call with the adapter on and off."""
    logits = effect.logits
    if logits is None:
        return stage_answer(facts, run, "adapter.logits", Answer("unknown", f"Logits of {run} were not compared."))
    flips = f"{percent(logits.argmax_flips)} of {logits.positions:,}"
    told = f"With {run} switched on, {flips} most likely tokens of validation rows differ"
    if not logits.argmax_flips and logits.largest_difference == 0:
        because = f"Logits of {run} are the same with the adapter on and off at all {logits.positions:,} positions."
        broken = stage_cause(facts, "adapter.bypassed", because, run)
        return stage_answer(facts, run, "adapter.logits", Answer("fail", because, 0.0, None, broken))
    if logits.not_finite:
        because = f"{told}, and logits of {percent(logits.not_finite)} of the positions are not finite."
        broken = stage_cause(facts, "adapter.not_finite", because, run)
        return stage_answer(facts, run, "adapter.logits", Answer("fail", because, logits.argmax_flips, None, broken))
    if logits.off_equals_base:
        return stage_answer(facts, run, "adapter.logits", Answer("pass", f"{told}.", logits.argmax_flips))
    # The comparison is with the freshly loaded base either way; without a reason the switch itself is in doubt.
    status: CheckStatus = "pass" if logits.off_differs_by else "warn"
    why = f": {listed(logits.off_differs_by)}" if logits.off_differs_by else ", though nothing explains why"
    told += f" from the freshly loaded base; switched off it is not the base model{why}"
    return stage_answer(facts, run, "adapter.logits", Answer(status, f"{told}.", logits.argmax_flips))


def text_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 5: adapter layers run inside `generate`, in the tuned transcripts too, and texts change."""
    text, least = effect.text, facts.config.adapter.min_changed_share
    if text is None:
        return stage_answer(
            facts, run, "adapter.text", Answer("unknown", f"No text was generated with {run}.", None, least)
        )
    changed, looked_at = changed_texts(facts, run)
    share = changed / looked_at if looked_at else 0.0
    bare = [m for (r, m), s in facts.settings.items() if r == run and s.status == "ok" and s.model and not s.adapter]
    code, because = "adapter.bypassed", None
    if not text.adapter_calls:
        because = f"No layer of {run} was called {text.inside}."
    elif bare:
        because = f"The tuned transcripts of {listed(bare)} were made without the adapter {run}."
    elif text.repeat_changed:
        because = None  # texts that differ between two equal calls cannot show a change
    elif looked_at and not changed and not _negligible(facts, effect):
        told = f"None of {count(looked_at, 'hypothesis', 'hypotheses')} changes with {run}"
        code, because = "adapter.no_text_change", f"{told}, though its layers ran {text.adapter_calls:,} times."
    elif _lost_on_the_way(facts, run, text):
        told = f"{text.changed} of {text.utterances} validation texts change with {run}"
        because = f"{told}, yet no text of its tuned transcripts does."
    if because is not None:
        broken = stage_cause(facts, code, because, run)
        return stage_answer(facts, run, "adapter.text", Answer("fail", because, share, least, broken))
    texts = count(looked_at, "hypothesis", "hypotheses")
    told = f"{changed} of {texts} change with {run}, whose layers ran {text.adapter_calls:,} times"
    doubts = [
        (text.merged_changed, f"merged into the base it gives {text.merged_changed} other texts"),
        (
            text.repeat_changed,
            f"but {text.repeat_changed} of {text.repeated} texts differ between two equal calls (something "
            "in the model is random), so that a changed text proves nothing",
        ),
        (
            text.off_changed and not (effect.logits and effect.logits.off_differs_by),
            f"switched off it still gives {text.off_changed} texts that are not the base's",
        ),
    ]
    told += "".join(f"; {words}" for doubt, words in doubts if doubt)
    status: CheckStatus = "pass" if share >= least and not any(doubt for doubt, _ in doubts) else "warn"
    return stage_answer(facts, run, "adapter.text", Answer(status, f"{told}.", share, least))


def _negligible(facts: StudyFacts, effect: EffectFacts) -> bool:
    """Weights that hardly move: then unchanged texts are no riddle of their own."""
    norm = effect.median_relative_norm if effect.median_change is None else effect.median_change
    return norm is not None and 0 < norm < facts.config.adapter.min_relative_norm


def changed_texts(facts: StudyFacts, run: str) -> tuple[int, int]:
    """Hypotheses that differ from the base model's, of those compared: validation rows and all evaluations."""
    effect = facts.effect.get(run)
    text = effect.text if effect else None
    scores = [p.all or p.within for (r, _), p in facts.paired.items() if r == run and p.status == "ok"]
    changed = (text.changed if text else 0) + sum(s.changed_hypotheses for s in scores if s)
    return changed, (text.utterances if text else 0) + sum(s.utterances for s in scores if s)


def _lost_on_the_way(facts: StudyFacts, run: str, text: TextStage) -> bool:
    """Whether no tuned transcript differs though, at the share of validation texts that change, some should.

    Only manifests with headroom count: texts that the base model gets right have little reason to change.
    """
    if not text.changed or changed_texts(facts, run)[0] > text.changed:
        return False
    open_to_change = [m for m in facts.config.domain if has_headroom(facts, m)]
    compared = [p.all or p.within for (r, m), p in facts.paired.items() if r == run and m in open_to_change]
    odds = (1 - text.changed / text.utterances) ** sum(score.utterances for score in compared if score)
    return odds < UNLIKELY


def called_modules(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Every adapted module is called inside `generate`; one that only training calls learns for nothing."""
    text = effect.text
    if text is None or not text.calls_by_module or not text.adapter_calls:
        return Findings()
    modules, never = len(text.calls_by_module), text.never_called
    if not never:
        summary = f"All {count(modules, 'adapted module')} of {run} are called {text.inside}."
        return stage_answer(facts, run, "adapter.calls", Answer("pass", summary, 0, 0))
    because = f"{len(never)} of {count(modules, 'adapted module')} of {run} are never called {text.inside}: "
    because += f"{listed(never)}."
    broken = cause("adapter.bypassed", because, [facts.path(layout.EFFECT, run=run)], run, severity="warns")
    return stage_answer(facts, run, "adapter.calls", Answer("warn", because, len(never), 0, broken))
