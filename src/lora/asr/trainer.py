"""The Seq2SeqTrainer that trains adapters, evaluates them and whose loss the label audit examines.

It differs from the library's in three things only: batches come from a fixed plan (one padding step each), validation
loss is a mean over tokens rather than over batches, and a loss that is not finite stops the training at that step.
Imports torch, transformers and accelerate.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, TrainerCallback
from transformers.trainer_callback import PrinterCallback

from lora.asr.adapters import ADAPTER, adapted_by_part, adapted_modules
from lora.asr.families import SpeechModel
from lora.asr.labels import IGNORED, Collator
from lora.asr.training_data import SpeechRows
from lora.records import UserError

GRADIENT_CLIP = 1.0
PROGRESS_STEPS = 10
Batches = list[list[int]]


class LossNotFinite(Exception):
    """Training cannot go on: loss or gradient of `step` (counted from 1) is not a number."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step


class SpeechTrainer(Seq2SeqTrainer):
    """Trains `speech.model` on planned batches; `wer` measures texts where the best step is chosen by WER."""

    def __init__(
        self,
        speech: SpeechModel,
        arguments: Seq2SeqTrainingArguments,
        train: tuple[SpeechRows, Batches],
        validation: tuple[SpeechRows, Batches] | None = None,
        wer: Callable[[], float | None] | None = None,
    ) -> None:
        super().__init__(
            model=speech.model,
            args=arguments,
            data_collator=Collator(speech, decoder_inputs=arguments.label_smoothing_factor > 0),
            train_dataset=cast(Any, train[0]),
            eval_dataset=None if validation is None else cast(Any, validation[0]),
        )
        self.remove_callback(PrinterCallback)
        self._speech, self._wer = speech, wer
        self._rows = cast("Dataset[Any]", train[0])
        self._train_plan = train[1]
        self._validation = validation
        self._watch = StepWatch()
        self.add_callback(self._watch)
        if speech.family == "whisper":
            # Its forward takes any keyword but its loss is a plain mean: accumulated losses must be averaged. With
            # smoothing the loss is not the model's but the library's, which divides by all accumulated tokens.
            self.loss_is_scaled_for_ga = arguments.label_smoothing_factor > 0

    def get_train_dataloader(self) -> DataLoader[Any]:
        loader = DataLoader(self._rows, batch_sampler=self._train_plan, collate_fn=self.data_collator)
        return self.accelerator.prepare(loader)  # type: ignore[no-any-return]

    def training_step(self, *arguments: Any, **keywords: Any) -> Tensor:
        loss: Tensor = super().training_step(*arguments, **keywords)
        if not torch.isfinite(loss):
            raise LossNotFinite(self.state.global_step + 1, "the training loss")
        return loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Validation loss in nats a token, dropout and label smoothing off; `eval_wer` where it is asked for."""
        metrics = self.validation_metrics()
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        if not math.isfinite(metrics["eval_loss"]):
            raise LossNotFinite(self.state.global_step, "the validation loss")
        return metrics

    def validation_metrics(self) -> dict[str, float]:
        if self._validation is None:
            return {}
        rows, plan = self._validation
        collate = Collator(self._speech)
        self._speech.model.eval()
        total, tokens = 0.0, 0
        with torch.no_grad():
            for indices in plan:
                batch = collate([rows[index] for index in indices])
                count = int(batch["labels"].ne(IGNORED).sum())
                with self.compute_loss_context_manager():
                    total += float(self.model_wrapped(**batch).loss) * count
                tokens += count
        metrics = {"eval_loss": total / max(tokens, 1)}
        if self._wer is None:
            return metrics
        with self.compute_loss_context_manager():
            wer = self._wer()
        if wer is None:
            raise UserError("select wer: the validation rows hold no word to count errors by; select by loss")
        return {**metrics, "eval_wer": wer}

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Adds to each step's entry (kept in checkpoints) what the optimiser truly used."""
        if "loss" in logs:
            logs |= self._watch.facts()
        super().log(logs, start_time)


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


def training_arguments(
    settings: dict[str, Any], folder: Path, speech: SpeechModel, validate: bool
) -> Seq2SeqTrainingArguments:
    """The library's arguments for the runner's flags (underscores). Full precision but on GPUs that were given less."""
    half = str(speech.dtype).removeprefix("torch.") if speech.device == "cuda" else "float32"
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder),
        max_steps=settings["max_steps"],
        per_device_train_batch_size=settings["batch_size"],
        per_device_eval_batch_size=settings["batch_size"],
        gradient_accumulation_steps=settings["gradient_accumulation"],
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=settings["scheduler"],
        warmup_steps=settings["warmup_steps"],
        weight_decay=settings["weight_decay"],
        label_smoothing_factor=settings["label_smoothing"],
        max_grad_norm=GRADIENT_CLIP,
        optim="adamw_torch",
        seed=settings["seed"],
        data_seed=settings["seed"],
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if validate else "no",
        eval_steps=settings["eval_steps"],
        save_strategy="steps",
        save_steps=settings["eval_steps"],
        save_total_limit=2,
        metric_for_best_model=settings["select"] if validate else None,
        greater_is_better=False if validate else None,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        use_cpu=speech.device == "cpu",
        bf16=half == "bfloat16",
        fp16=half == "float16",
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # the library would deal each planned batch out to all GPUs
    return arguments


def trainable_facts(model: PeftModel) -> dict[str, Any]:
    """Parameters in all and trainable ones; what is adapted, by part; and what else is trained, by name.

    `trained_whole` are tensors beside the adapter's matrices that its file holds, `other_trainable` those it does not.
    """
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    file = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    held: dict[int, list[str]] = {}  # tied weights have several names
    for name, tensor in file.items():
        held.setdefault(tensor.data_ptr(), []).append(name.removeprefix("base_model.model."))
    beside = [(name, p) for name, p in trainable if ".lora_" not in name]
    return {
        "total_parameters": sum(p.numel() for p in model.parameters()),
        "trainable_parameters": sum(p.numel() for _, p in trainable),
        "other_trainable": sorted(name for name, p in beside if p.data_ptr() not in held),
        "trained_whole": sorted(name for _, p in beside for name in held.get(p.data_ptr(), [])),
        "target_modules": len(adapted_modules(model)),
        "adapted": adapted_by_part(model),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
