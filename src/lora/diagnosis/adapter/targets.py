"""Which module groups of the model an adapter changes."""

from __future__ import annotations

from typing import Any

from lora.diagnosis.adapter.load import stage_check
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, examples
from lora.records.effect import EffectFacts, FileStage
from lora.records.verdict import CheckStatus

DECODER = {"decoder_self", "cross", "mlp"}


def adapted_groups(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Whether encoder and decoder are both adapted, as far as the model has them, and every adapted module changed."""
    load = effect.load
    file = effect.file
    if load is None:
        return Findings()
    encoder = load.modules_by_group.get("encoder", 0)
    decoder = sum(load.modules_by_group.get(group, 0) for group in DECODER)
    details: dict[str, Any] = {"encoder": encoder, "decoder": decoder}
    status: CheckStatus = "warn"
    code = "adapter.partial_targets"
    reason = "ok"
    left_out = DECODER if encoder else {"encoder"}
    if bool(encoder) != bool(decoder):
        reason = "encoder_only" if encoder else "decoder_only"
        if load.groups_of_model and not left_out & load.groups_of_model.keys():
            status = "pass"
            reason = "no_decoder" if encoder else "no_encoder"
        elif _left_out_on_purpose(facts, run, left_out):
            status = "pass"
            reason = f"{reason}_as_configured"
    elif file is not None and _only_encoder_zero(file):
        status = "fail"
        code = "training.no_gradient"
        reason = "encoder_unchanged"
        details |= {"unchanged": file.lora_b_zero_by_group["encoder"], "changed": file.lora_b - file.lora_b_zero}
    elif scaled_to_zero := [module.name for module in effect.weights or [] if module.scale == 0]:
        reason = "scaled_to_zero"
        details |= {"scaled": examples(scaled_to_zero), "adapted": len(effect.weights or [])}
    elif file is not None and 0 < file.lora_b_zero < file.lora_b:
        reason = "unchanged_modules"
        details |= {"unchanged": file.lora_b_zero, "adapted": file.lora_b}
    else:
        status = "pass"
    result = stage_check(
        facts, run, "adapter.targets", status=status, reason=reason, value=encoder + decoder, details=details
    )
    return Findings.of(result, None if status == "pass" else result.cause(code))


def _only_encoder_zero(file: FileStage) -> bool:
    """Whether every lora_B of the encoder is zero and none of the decoder: no gradient reached the encoder."""
    zero = file.lora_b_zero_by_group
    encoder = file.lora_b_by_group.get("encoder", 0)
    return 0 < encoder == zero.get("encoder", 0) and not DECODER & zero.keys()


def _left_out_on_purpose(facts: StudyFacts, run: str, groups: set[str]) -> bool:
    """Whether the training names module groups to adapt, and none of these."""
    chosen = facts.training[run].settings.get("target_parts") if run in facts.training else None
    return isinstance(chosen, list) and not groups & set(chosen)
