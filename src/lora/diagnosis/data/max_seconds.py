"""Choose `max_seconds`: the threshold that leaves enough rows with every split seed and loses no kind of speech.

The reason is worded here rather than in `wording`, because it is part of a fact file (`durations/decision.json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lora.formatting import hours, listed, percent
from lora.records.durations import DurationDecision, SplitOption

# Words for `SplitOption.lost`.
LOSSES = {
    "speakers_lost": "speakers",
    "speakers_removed": "all of the many rows of a speaker",
    "words_lost": "words",
    "speaking_rate": "one kind of speaking rate",
}


@dataclass(frozen=True)
class Rules:
    """What a threshold must leave; `window` is the longest audio in seconds that the model takes, None if unlimited."""

    minimum: int
    most_held_out: float
    window: float | None

    def inside(self, option: SplitOption) -> bool:
        return self.window is None or option.threshold <= self.window

    def enough(self, option: SplitOption) -> bool:
        return option.train_rows >= self.minimum

    def good_seeds(self, option: SplitOption) -> int:
        return sum(rows >= self.minimum for rows in option.seeded_train_rows)

    def instability(self, option: SplitOption) -> str | None:
        """Why a threshold with enough rows depends on the seed, as a clause after "but"; None where it does not."""
        seeds = len(option.seeded_train_rows)
        good = self.good_seeds(option)
        if good < seeds:
            return f"only with {good} of {seeds} split seeds"
        held_out = _held_out(option)
        if held_out > self.most_held_out:
            return f"one of {seeds} split seeds keeps {percent(held_out)} of the speakers out of training"
        return None


def choose_max_seconds(
    options: Sequence[SplitOption],
    configured: float | None,
    min_train_samples: int,
    window: float | None,
    max_held_out_speakers: float = 1.0,
) -> DurationDecision:
    """Choose the smallest stable threshold that loses nothing beyond chance, or judge the configured one.

    Where every stable threshold loses something, the largest of them is chosen. A larger one that the model pads to the
    same length costs nothing more, so that it is taken where it keeps more rows.

    A threshold is stable if it is within the model's window, leaves at least `min_train_samples` training rows with
    every split seed, and no seed keeps more than `max_held_out_speakers` (a share) of the speakers out. Without a
    stable one, the smallest that is sufficient with the study's own seed is chosen; without a sufficient one, the
    largest that leaves rows (within the window if possible), or none if no row remains with any.

    Args:
        options: What each threshold leaves; must include `configured`.
        configured: The number in the configuration, which is used and judged; None for `auto`.
        window: Longest audio in seconds that the model takes; None if unlimited.
    """
    rules = Rules(min_train_samples, max_held_out_speakers, window)
    ordered = sorted(options, key=lambda option: option.threshold)
    enough = [option for option in ordered if rules.inside(option) and rules.enough(option)]
    sufficient = next(iter(enough), None)
    stable = next((option for option in enough if rules.instability(option) is None), None)

    def decision(status: str, value: float | None, reason: str) -> DurationDecision:
        return DurationDecision.model_validate(
            {
                "max_seconds": value,
                "configured": configured,
                "status": status,
                "sufficient": None if sufficient is None else sufficient.threshold,
                "stable": None if stable is None else stable.threshold,
                "min_train_samples": min_train_samples,
                "model_window_seconds": window,
                "options": ordered,
                "reason": reason,
            }
        )

    if configured is not None:
        own = next(option for option in ordered if option.threshold == configured)
        status = "judged_sufficient" if rules.enough(own) else "judged_starving"
        return decision(status, configured, _judged(own, stable or sufficient, rules))
    if sufficient is not None:
        steady = [option for option in enough if rules.instability(option) is None]
        chosen = _most_rows_at_same_cost(_complete(steady) if steady else sufficient, steady)
        return decision("chosen", chosen.threshold, _chosen(chosen, sufficient, stable, ordered, rules))
    inside = [option for option in ordered if rules.inside(option)]
    with_rows = [option for option in inside if option.rows] or [option for option in ordered if option.rows]
    if not with_rows:
        tried = ", ".join(f"{option.threshold:g}" for option in ordered)
        reason = f"0 rows remain with any threshold (tried: {tried or 'none'} s), so no limit is set."
        return decision("none_sufficient", None, reason)
    last = with_rows[-1]
    reason = (
        f"No threshold{_within(window)} leaves {min_train_samples} training rows; "
        f"{last.threshold:g} s, the largest, leaves {_left(last)}."
    )
    return decision("none_sufficient", last.threshold, reason)


def _complete(steady: Sequence[SplitOption]) -> SplitOption:
    """The smallest threshold that loses nothing beyond chance, else the largest."""
    return next((option for option in steady if not option.lost), steady[-1])


def _most_rows_at_same_cost(chosen: SplitOption, steady: Sequence[SplitOption]) -> SplitOption:
    """The smallest threshold with the most rows among those that are padded to the same length as `chosen`."""
    if chosen.padded_seconds is None:
        return chosen
    same = [o for o in steady if o.padded_seconds == chosen.padded_seconds and o.threshold >= chosen.threshold]
    return max(same, key=lambda option: (option.rows, -option.threshold), default=chosen)


def _chosen(
    chosen: SplitOption,
    sufficient: SplitOption,
    stable: SplitOption | None,
    ordered: Sequence[SplitOption],
    rules: Rules,
) -> str:
    shorter = [option for option in ordered if option.threshold < chosen.threshold]
    doubt = rules.instability(chosen)
    seeds = (
        f" with any of {len(chosen.seeded_train_rows)} split seeds" if chosen.seeded_train_rows and not doubt else ""
    )
    enough = f"leaves at least {rules.minimum} training rows{seeds}"
    if stable is not None and chosen.threshold > stable.threshold:
        reason = f"{chosen.threshold:g} s {enough}: {_left(chosen)}"
        reason += f"; {stable.threshold:g} s would leave {stable.train_rows:,}, but {_why_larger(chosen, stable)}"
        return f"{reason}, and loses the least of all thresholds." if chosen.lost else f"{reason}."
    reason = f"{chosen.threshold:g} s is the smallest threshold that {enough}: {_left(chosen)}"
    if doubt:
        return f"{reason}, but {doubt}, and no larger threshold is stable either."
    if sufficient.threshold < chosen.threshold:
        passed = f"{sufficient.threshold:g} s would leave {sufficient.train_rows:,}"
        return f"{reason}; {passed}, but {rules.instability(sufficient)}."
    return f"{reason}; {shorter[-1].threshold:g} s would leave {shorter[-1].train_rows:,}." if shorter else f"{reason}."


def _why_larger(chosen: SplitOption, stable: SplitOption) -> str:
    """Why a threshold larger than the smallest stable one was chosen, as a clause after "but"."""
    if stable.lost:
        return f"loses {listed([LOSSES[sign] for sign in stable.lost])} beyond chance"
    return f"saves nothing: the model pads both to {stable.padded_seconds:g} s"


def _judged(own: SplitOption, better: SplitOption | None, rules: Rules) -> str:
    if not rules.enough(own):
        reason = f"The configured {own.threshold:g} s leaves {_left(own)}, fewer than {rules.minimum}; "
        if better is None:
            reason += f"no threshold{_within(rules.window)} leaves enough."
        else:
            reason += f"{better.threshold:g} s would leave {better.train_rows:,}."
    else:
        reason = f"The configured {own.threshold:g} s leaves {_left(own)}, at least the {rules.minimum} needed"
        doubt = rules.instability(own)
        if doubt:
            reason += f", but {doubt}"
        if better is not None and doubt and rules.instability(better) is None:
            reason += f"; {better.threshold:g} s would be stable"
        elif better is not None and better.threshold < own.threshold:
            reason += f"; {better.threshold:g} s would be enough"
        reason += "."
    if not rules.inside(own):
        reason += f" It exceeds the model's window of {rules.window:g} s."
    return reason


def _held_out(option: SplitOption) -> float:
    """Largest share of known speakers that a seed keeps out of training; 0 where none is known."""
    if option.fewest_train_speakers is None or not option.speakers:
        return 0.0
    return 1 - option.fewest_train_speakers / option.speakers


def _left(option: SplitOption) -> str:
    return f"{option.train_rows:,} training rows and {option.val_rows:,} for validation ({hours(option.hours)})"


def _within(window: float | None) -> str:
    return "" if window is None else f" within the model's window of {window:g} s"
