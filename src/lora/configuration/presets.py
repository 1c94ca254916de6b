"""The hypotheses that a configuration can ask by name: `hypotheses: {H3: {preset: learning_rate}}`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What a hypothesis says and how it is decided, unless its entry in the configuration says otherwise.

    Attributes:
        statement: The claim in words.
        test: How it is decided: a value of `test` in the schema.
        predicts: The outcome that the claim predicts.
        factor: Training settings that are varied, each on its own, all else equal.
    """

    statement: str
    test: str
    predicts: str
    factor: tuple[str, ...] = ()


PRESETS = {
    "adapter_aware": Preset(
        statement="The adapter that is saved is the adapter that was evaluated during training.",
        test="adapter_aware",
        predicts="The saved adapter, evaluated alone on the same rows with train.eval_decode, writes the texts of the "
        "last in-run evaluation, and they differ from those of the base model.",
    ),
    "training_volume": Preset(
        statement="More training, in steps or in data, changes the WER of the domain in a predictable trend.",
        test="trend",
        factor=("max_steps", "data_share"),
        predicts="WER falls with every doubling of steps or data, or rises from a turning point on (overfitting).",
    ),
    "learning_rate": Preset(
        statement="A higher learning rate converges faster without a loss on the guard manifest.",
        test="levels",
        factor=("learning_rate",),
        predicts="At equal steps one learning rate has a lower domain WER than the lowest one, and the guard manifest "
        "is not worse than the baseline.",
    ),
    "domain_shift": Preset(
        statement="Tuning lowers the WER of the domain, and general speech does not suffer.",
        test="domain_shift",
        predicts="The domain WER falls, and the WER of the guard manifest rises by less than the equivalence margin.",
    ),
    "gain": Preset(
        statement="Tuning lowers the WER of the domain by at least the target gain.",
        test="gain",
        predicts="The interval of tuned minus baseline is below minus statistics.target_gain.",
    ),
    "larger_adapter": Preset(
        statement="A larger rank, or more steps, lowers the WER of the domain further.",
        test="trend",
        factor=("rank", "max_steps"),
        predicts="The interval of larger minus smaller is below 0.",
    ),
    "mlp": Preset(
        statement="Adapting the MLP layers too is better than adapting attention alone.",
        test="levels",
        factor=("target_parts", "target_modules"),
        predicts="At a similar number of trainable parameters, the interval of both minus attention alone is below 0.",
    ),
    "forgetting": Preset(
        statement="General speech does not suffer from tuning.",
        test="non_inferior",
        predicts="The upper end of the interval of tuned minus baseline on the guard manifest is below the equivalence "
        "margin.",
    ),
}
