"""What a training's callback sees at each step: gradients, the learning rate that was used, progress for people.

Imports torch and transformers.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from transformers import TrainerCallback

from lora.asr.adapter.attach import adapted_modules

PROGRESS_STEPS = 10


class LossNotFinite(Exception):
    """Training cannot go on: loss or gradient of `step` (counted from 1) is not a number."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step


class StepWatch(TrainerCallback):
    """Sees what the optimiser sees at each step, asks for a last validation, and prints progress."""

    def __init__(self) -> None:
        self._learning_rate = 0.0
        self._with_gradient: set[str] = set()
        self._new: list[str] = []

    def facts(self) -> dict[str, Any]:
        """Learning rate of this step as the optimiser holds it, and the adapted modules first seen with a gradient."""
        return {"learning_rate": self._learning_rate, "modules_with_gradient": self._new}

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kept: Any) -> None:
        self._learning_rate = max(float(group["lr"]) for group in kept["optimizer"].param_groups)
        self._new = []
        for name, module in adapted_modules(kept["model"]).items():
            gradients = [p.grad for p in module.parameters() if p.requires_grad and p.grad is not None]
            largest = max((float(gradient.abs().max()) for gradient in gradients), default=0.0)
            if not math.isfinite(largest) and not args.fp16:  # half precision skips such steps itself
                raise LossNotFinite(state.global_step + 1, f"the gradient of {name}")
            if largest > 0 and name not in self._with_gradient:
                self._with_gradient.add(name)
                self._new.append(name)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # The library validates at multiples of eval_steps only; the last step is a candidate for the best as well.
        if state.global_step >= args.max_steps and args.eval_strategy != "no":
            control.should_evaluate = True

    def on_log(self, args: Any, state: Any, control: Any, **kept: Any) -> None:
        logs: dict[str, Any] = kept["logs"]
        if "eval_loss" in logs:
            wer = f", WER {logs['eval_wer']:.4f}" if "eval_wer" in logs else ""
            _say(f"step {state.global_step}: validation loss {logs['eval_loss']:.4f}{wer}")
        elif "loss" in logs and (state.global_step % PROGRESS_STEPS == 0 or state.global_step == 1):
            _say(f"step {state.global_step} of {state.max_steps}: training loss {logs['loss']:.4f}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
