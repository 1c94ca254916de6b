"""D1: which `max_seconds` leaves training enough rows. Pure judgement over what each threshold would
leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from lora.records import DurationDecision, SplitOption


def choose_max_seconds(
    options: Sequence[SplitOption], configured: float | None, min_train_samples: int, window: float | None
) -> DurationDecision:
    """The smallest threshold within the model's window whose training split has at least
    `min_train_samples` rows.

    A `configured` number is kept and judged; `options` must hold it then. Without any sufficient threshold
    `auto` takes the largest one that leaves rows (within the window where one does), or none when no row
    survives any. `window` is the longest audio the model hears whole, in seconds; None means unlimited.
    """
    ordered = sorted(options, key=lambda option: option.threshold)
    inside = [option for option in ordered if window is None or option.threshold <= window]
    enough = [option for option in inside if option.train_rows >= min_train_samples]
    sufficient = enough[0] if enough else None

    def decision(status: str, value: float | None, reason: str) -> DurationDecision:
        return DurationDecision.model_validate(
            {
                "max_seconds": value,
                "configured": configured,
                "status": status,
                "sufficient": None if sufficient is None else sufficient.threshold,
                "min_train_samples": min_train_samples,
                "model_window_seconds": window,
                "options": ordered,
                "reason": reason,
            }
        )

    if configured is not None:
        own = next(option for option in ordered if option.threshold == configured)
        starving = own.train_rows < min_train_samples
        status = "judged_starving" if starving else "judged_sufficient"
        return decision(status, configured, _judged(own, sufficient, min_train_samples, window))
    if sufficient is not None:
        return decision("chosen", sufficient.threshold, _chosen(sufficient, inside, min_train_samples))
    with_rows = [option for option in inside if option.rows] or [option for option in ordered if option.rows]
    if not with_rows:
        tried = ", ".join(f"{option.threshold:g}" for option in ordered)
        reason = f"No row survives any threshold (tried {tried or 'none'} s), so no limit is set."
        return decision("none_sufficient", None, reason)
    last = with_rows[-1]
    reason = (
        f"No threshold{_within(window)} leaves {min_train_samples} training rows; "
        f"{last.threshold:g} s, the largest, leaves {_left(last)}."
    )
    return decision("none_sufficient", last.threshold, reason)


def _chosen(sufficient: SplitOption, inside: Sequence[SplitOption], minimum: int) -> str:
    reason = (
        f"{sufficient.threshold:g} s is the smallest threshold that leaves at least {minimum} training rows: "
        f"{_left(sufficient)}"
    )
    shorter = [option for option in inside if option.threshold < sufficient.threshold]
    return f"{reason}; {shorter[-1].threshold:g} s would leave {shorter[-1].train_rows}." if shorter else f"{reason}."


def _judged(own: SplitOption, sufficient: SplitOption | None, minimum: int, window: float | None) -> str:
    if own.train_rows < minimum:
        reason = f"The configured {own.threshold:g} s leaves {_left(own)}, fewer than {minimum}; "
        if sufficient is None:
            reason += f"no threshold{_within(window)} leaves enough."
        else:
            reason += f"{sufficient.threshold:g} s would leave {sufficient.train_rows}."
    else:
        reason = f"The configured {own.threshold:g} s leaves {_left(own)}, at least the {minimum} asked for"
        smaller = sufficient is not None and sufficient.threshold < own.threshold
        reason += f"; {sufficient.threshold:g} s would be enough." if smaller and sufficient else "."
    if window is not None and own.threshold > window:
        reason += f" It exceeds the model's window of {window:g} s."
    return reason


def _left(option: SplitOption) -> str:
    return f"{option.train_rows} training rows and {option.val_rows} for validation ({option.hours:.2f} h)"


def _within(window: float | None) -> str:
    return "" if window is None else f" within the model's window of {window:g} s"
