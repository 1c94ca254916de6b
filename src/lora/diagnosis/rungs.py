"""The rungs of the effect ladder, one check each: file, load, weights, logits, text; and which parts are adapted."""

from __future__ import annotations

from lora.diagnosis.causes import cause
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.diagnosis.wording import count, given, listed, percent, round_percent
from lora.records import Cause, CheckStatus, EffectFacts, LoadRung, TextRung

# Odds below which unchanged transcripts are no accident.
UNLIKELY = 0.001


def rung_answer(facts: StudyFacts, run: str, id: str, answer: Answer) -> Findings:
    return found(id, answer, [facts.at("effect", f"{run}.json")], run)


def _cause(facts: StudyFacts, code: str, because: str, run: str, remedy: str | None = None) -> Cause:
    return cause(code, because, [facts.at("effect", f"{run}.json")], run, remedy=remedy)


def file_rung(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 1: the files can be read, hold finite numbers, and not every lora_B is zero."""
    file = effect.file
    if file is None:
        return rung_answer(facts, run, "adapter.file", Answer("unknown", f"The files of {run} were not read."))
    if not file.finite:
        because = f"Tensors of the adapter {run} hold values that are not finite."
        broken = _cause(facts, "adapter.not_finite", because, run)
        return rung_answer(facts, run, "adapter.file", Answer("fail", because, cause=broken))
    alive = file.lora_b - file.lora_b_zero
    told = f"{alive} of {count(file.lora_b, 'lora_B matrix', 'lora_B matrices')} of {run} differ from zero"
    if file.lora_b and not alive:
        because = f"All {file.lora_b} lora_B matrices of {run} are exactly zero."
        broken = _cause(facts, "adapter.zero_delta", because, run)
        return rung_answer(facts, run, "adapter.file", Answer("fail", because, alive, file.lora_b, broken))
    summary = f"{told} (rank {file.rank}, alpha {given(file.alpha)})."
    status: CheckStatus = "warn" if file.lora_b_zero else "pass"
    return rung_answer(facts, run, "adapter.file", Answer(status, summary, alive, file.lora_b))


def load_rung(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 2: on the base it was trained on, every tensor in the model and every place filled, and switched on."""
    load = effect.load
    if load is None:
        return rung_answer(facts, run, "adapter.load", Answer("unknown", f"{run} was not loaded."))
    told = f"{load.tensors_loaded} of {count(load.tensors_in_file, 'tensor')} of {run} are in the model"
    broken = None
    if load.base_matches is False or _trained_elsewhere(facts, run):
        trained_on = f" (trained on {load.base_trained_on})" if load.base_trained_on else ""
        because = (
            f"The model that {run} is loaded into is not the one it was trained on{trained_on}: their hashes differ."
        )
        broken = _cause(facts, "adapter.base_mismatch", because, run)
    elif not sum(load.modules_by_part.values()):
        broken = _cause(facts, "adapter.no_target_modules", f"{run} adapts no module of the model.", run)
    elif load.tensors_loaded < load.tensors_in_file or load.missing_keys or load.unexpected_keys:
        because = f"{told}{_unmatched(load)}."
        broken = _cause(facts, "adapter.not_loaded", because, run)
    elif not load.active:
        broken = _cause(facts, "adapter.bypassed", f"{told}, but the adapter is not active.", run)
    values = (load.tensors_loaded, load.tensors_in_file)
    if broken is not None:
        return rung_answer(facts, run, "adapter.load", Answer("fail", broken.because, *values, broken))
    base = "" if load.base_matches else "; nothing records which base model it was trained on"
    return rung_answer(facts, run, "adapter.load", Answer("pass", f"{told}{base}.", *values))


def _unmatched(load: LoadRung) -> str:
    """The first names that only the file or only the model holds."""
    sides = {"the file holds": load.unexpected_keys, "the model expects": load.missing_keys}
    return "".join(f"; only {side} {listed(keys, most=1)}" for side, keys in sides.items() if keys)


def _trained_elsewhere(facts: StudyFacts, run: str) -> bool:
    """The hash recorded by our trainer against the model that transcribed."""
    trained = facts.training[run].base_model_hash if run in facts.training else None
    models = {s.model.hash for (r, _), s in facts.settings.items() if r == run and s.model is not None}
    return trained is not None and bool(models) and trained not in models


def weights_rung(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 3: the size of the change against the weights it changes."""
    rules, median = facts.config.adapter, effect.median_relative_norm
    least, most = rules.min_relative_norm, rules.max_relative_norm
    if not effect.weights or median is None:
        return rung_answer(
            facts, run, "adapter.weights", Answer("unknown", f"No delta of {run} was measured.", None, least)
        )
    modules = count(len(effect.weights), "adapted module")
    if all(not module.delta_norm for module in effect.weights):
        because = f"The delta of all {modules} of {run} is exactly zero."
        broken = _cause(facts, "adapter.zero_delta", because, run)
        return rung_answer(facts, run, "adapter.weights", Answer("fail", because, median, least, broken))
    told = f"{run} changes the weights of {modules} by a median of {percent(median)} of their norm"
    if median > most:
        because = f"{told}; above {round_percent(most)} it overwrites the base model."
        broken = _cause(facts, "adapter.excessive_delta", because, run)
        return rung_answer(facts, run, "adapter.weights", Answer("warn", because, median, most, broken))
    if median >= least:
        return rung_answer(facts, run, "adapter.weights", Answer("pass", f"{told}.", median, least))
    changed, looked_at = changed_texts(facts, run)
    if changed >= rules.min_changed_share * looked_at and changed:
        return rung_answer(facts, run, "adapter.weights", Answer("warn", f"{told}, yet texts change.", median, least))
    texts = count(looked_at, "hypothesis", "hypotheses")
    because = f"{told} (at least {round_percent(least)} is usual), and {changed} of {texts} change."
    broken = _cause(facts, "adapter.negligible_delta", because, run)
    return rung_answer(facts, run, "adapter.weights", Answer("warn", because, median, least, broken))


def logits_rung(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 4: the same call with the adapter on and off."""
    logits = effect.logits
    if logits is None:
        return rung_answer(facts, run, "adapter.logits", Answer("unknown", f"Logits of {run} were not compared."))
    flips = f"{percent(logits.argmax_flips)} of {logits.positions:,}"
    told = f"With {run} switched on, {flips} most likely tokens of validation rows differ"
    if not logits.argmax_flips and logits.largest_difference == 0:
        because = f"Logits of {run} are the same with the adapter on and off at all {logits.positions:,} positions."
        broken = _cause(facts, "adapter.bypassed", because, run)
        return rung_answer(facts, run, "adapter.logits", Answer("fail", because, 0.0, None, broken))
    if not logits.off_equals_base:
        return rung_answer(
            facts,
            run,
            "adapter.logits",
            Answer("warn", f"{told}; switched off it is not the base model.", logits.argmax_flips),
        )
    return rung_answer(facts, run, "adapter.logits", Answer("pass", f"{told}.", logits.argmax_flips))


def text_rung(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 5: adapter layers run inside `generate`, in the tuned transcripts too, and texts change."""
    text, least = effect.text, facts.config.adapter.min_changed_share
    if text is None:
        return rung_answer(
            facts, run, "adapter.text", Answer("unknown", f"No text was generated with {run}.", None, least)
        )
    changed, looked_at = changed_texts(facts, run)
    share = changed / looked_at if looked_at else 0.0
    bare = [m for (r, m), s in facts.settings.items() if r == run and s.status == "ok" and s.model and not s.adapter]
    code, because = "adapter.bypassed", None
    if not text.adapter_calls:
        because = f"No layer of {run} was called inside `generate`."
    elif bare:
        because = f"The tuned transcripts of {listed(bare)} were made without the adapter {run}."
    elif looked_at and not changed and not _negligible(facts, effect):
        told = f"None of {count(looked_at, 'hypothesis', 'hypotheses')} changes with {run}"
        code, because = "adapter.no_text_change", f"{told}, though its layers ran {text.adapter_calls:,} times."
    elif _lost_on_the_way(facts, run, text):
        told = f"{text.changed} of {text.utterances} validation texts change with {run}"
        because = f"{told}, yet no text of its tuned transcripts does."
    if because is not None:
        broken = _cause(facts, code, because, run)
        return rung_answer(facts, run, "adapter.text", Answer("fail", because, share, least, broken))
    texts = count(looked_at, "hypothesis", "hypotheses")
    told = f"{changed} of {texts} change with {run}, whose layers ran {text.adapter_calls:,} times"
    if text.merged_changed:
        told += f"; merged into the base it gives {text.merged_changed} other texts"
    status: CheckStatus = "pass" if share >= least and not text.merged_changed else "warn"
    return rung_answer(facts, run, "adapter.text", Answer(status, f"{told}.", share, least))


def _negligible(facts: StudyFacts, effect: EffectFacts) -> bool:
    """Weights that hardly move: then unchanged texts are no riddle of their own."""
    norm = effect.median_relative_norm
    return norm is not None and 0 < norm < facts.config.adapter.min_relative_norm


def changed_texts(facts: StudyFacts, run: str) -> tuple[int, int]:
    """Hypotheses that differ from the base model's, of those compared: validation rows and all evaluations."""
    effect = facts.effect.get(run)
    text = effect.text if effect else None
    scores = [p.all or p.within for (r, _), p in facts.paired.items() if r == run and p.status == "ok"]
    changed = (text.changed if text else 0) + sum(s.changed_hypotheses for s in scores if s)
    return changed, (text.utterances if text else 0) + sum(s.utterances for s in scores if s)


def _lost_on_the_way(facts: StudyFacts, run: str, text: TextRung) -> bool:
    """Whether no tuned transcript differs though, at the share of validation texts that change, some should.

    General manifests are left out of the odds: texts that the base model gets right have little reason to change.
    """
    if not text.changed or changed_texts(facts, run)[0] > text.changed:
        return False
    compared = [p.all or p.within for (r, m), p in facts.paired.items() if r == run and m in facts.config.domain]
    odds = (1 - text.changed / text.utterances) ** sum(score.utterances for score in compared if score)
    return odds < UNLIKELY


def partial_targets(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Encoder and decoder are both adapted, and every adapted module changed."""
    load, file = effect.load, effect.file
    if load is None:
        return Findings()
    parts = load.modules_by_part
    encoder = parts.get("encoder", 0)
    decoder = sum(parts.get(part, 0) for part in ("decoder_self", "cross", "mlp"))
    because = None
    if bool(encoder) != bool(decoder):
        adapted, bare = ("encoder", "decoder") if encoder else ("decoder", "encoder")
        because = f"{run} adapts {count(encoder or decoder, 'module')} of the {adapted} and none of the {bare}."
    elif file is not None and 0 < file.lora_b_zero < file.lora_b:
        because = f"{file.lora_b_zero} of {file.lora_b} adapted modules of {run} never changed (lora_B is zero)."
    if because is None:
        summary = f"{run} adapts encoder ({count(encoder, 'module')}) and decoder ({decoder})."
        return rung_answer(facts, run, "adapter.targets", Answer("pass", summary, encoder + decoder))
    broken = _cause(facts, "adapter.partial_targets", because, run)
    return rung_answer(facts, run, "adapter.targets", Answer("warn", because, encoder + decoder, None, broken))
