"""Trainer callback: gradients and learning rate of each step, the final validation, and progress messages.

Imports torch and transformers.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from transformers import TrainerCallback

from lora.asr.adapter.attach import adapted_modules
from lora.asr.progress import TrainingTime
from lora.progress import LINE_SECONDS, Clock


class LossNotFinite(Exception):
    """Training stopped: the loss or gradient of `step` (counted from 1) is not finite."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step


class WerReached(Exception):
    """Training ended: the validation WER of the last step is at most `wer_stop_threshold`."""

    def __init__(self, wer: float) -> None:
        super().__init__(f"validation WER {wer:.4f} is at most wer_stop_threshold")
        self.wer = wer


class StepWatch(TrainerCallback):
    """Records gradients and learning rate of each step, requests a final validation, and prints progress.

    It ends a training whose validation WER is low enough, before the next step: so does a training that resumes after
    that validation, because checkpoints contain the log.
    """

    def __init__(
        self, run: str, pace: TrainingTime, wer_stop_threshold: float | None = None, clock: Clock = time.monotonic
    ) -> None:
        """`run` is the name that starts every line, `pace` knows rate and time left."""
        self._run = run
        self._pace = pace
        self._clock = clock
        self._printed = -math.inf
        self._losses: list[float] = []  # since the last line
        self._wer_stop_threshold = wer_stop_threshold
        self._learning_rate = 0.0
        self._with_gradient: set[str] = set()
        self._new: list[str] = []

    def facts(self) -> dict[str, Any]:
        """Learning rate of this step, and the adapted modules whose first gradient above 0 was in it."""
        return {"learning_rate": self._learning_rate, "modules_with_gradient": self._new}

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._wer_stop_threshold is not None:
            rates = [entry["eval_wer"] for entry in state.log_history if "eval_wer" in entry]
            if rates and rates[-1] <= self._wer_stop_threshold:
                raise WerReached(rates[-1])
        self._pace.begin_step()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:
        self._learning_rate = max(float(group["lr"]) for group in keywords["optimizer"].param_groups)
        self._new = []
        for name, module in adapted_modules(keywords["model"]).items():
            gradients = [p.grad for p in module.parameters() if p.requires_grad and p.grad is not None]
            largest = max((float(gradient.abs().max()) for gradient in gradients), default=0.0)
            if not math.isfinite(largest) and not args.fp16:  # half precision skips such steps
                raise LossNotFinite(state.global_step + 1, f"the gradient of {name}")
            if largest > 0 and name not in self._with_gradient:
                self._with_gradient.add(name)
                self._new.append(name)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._pace.end_step(state.global_step)
        # transformers validates at multiples of eval_steps only; the last step may be the best one too.
        if state.global_step >= args.max_steps and args.eval_strategy != "no":
            control.should_evaluate = True

    def on_log(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:
        logs: dict[str, Any] = keywords["logs"]
        if "eval_loss" in logs:
            wer = f", WER {logs['eval_wer']:.4f}" if "eval_wer" in logs else ""
            _log(f"training {self._run}: step {state.global_step}: validation loss {logs['eval_loss']:.4f}{wer}")
        elif "loss" in logs:
            self._losses.append(logs["loss"])
            if self._clock() - self._printed >= LINE_SECONDS or state.global_step >= state.max_steps:
                self._log_pace(args, state)

    def _log_pace(self, args: Any, state: Any) -> None:
        """Print the step, the mean loss since the last line, the rate and the time left."""
        validating = args.eval_strategy != "no"
        validations = math.ceil(state.max_steps / args.eval_steps) - (state.global_step - 1) // args.eval_steps
        pace = self._pace.line(state.global_step, validations if validating else 0)
        mean = sum(self._losses) / len(self._losses)
        _log(f"training {self._run}: step {state.global_step} of {state.max_steps}, mean loss {mean:.4f}, {pace}")
        self._losses = []
        self._printed = self._clock()


def _log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
