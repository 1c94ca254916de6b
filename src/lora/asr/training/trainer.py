"""The Seq2SeqTrainer that trains and validates adapters; the label audit checks its loss.

It differs from the transformers class in four ways: batches come from a fixed plan (one padding step each), the
validation loss is a mean over tokens rather than over batches, a loss that is not finite stops the training, and a
batch that does not fit the device's memory is split in halves.

Imports torch, transformers and accelerate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.data_loader import prepare_data_loader
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments
from transformers.trainer_callback import PrinterCallback

from lora.asr.adapter.attach import ADAPTER, adapted_by_group, adapted_modules
from lora.asr.device_memory import BatchHalving, Report
from lora.asr.families.speech_model import SpeechModel, freeze_batch_norms
from lora.asr.labels.build import Collator
from lora.asr.progress import TrainingTime
from lora.asr.training.data import SpeechRows
from lora.asr.training.step_callback import LossNotFinite, StepWatch
from lora.records.base import UserError

GRADIENT_CLIP = 1.0
LESS_PADDING = "use --device cpu, a smaller --dtype, or a smaller max_seconds"
Batches = list[list[int]]


class SpeechTrainer(Seq2SeqTrainer):
    """Trains `speech.model` on planned batches."""

    def __init__(
        self,
        speech: SpeechModel,
        arguments: Seq2SeqTrainingArguments,
        train: tuple[SpeechRows, Batches],
        validation: tuple[SpeechRows, Batches] | None = None,
        wer: Callable[[], float | None] | None = None,
        report: Report | None = None,
        evaluate: Callable[[int], None] | None = None,
        wer_stop_threshold: float | None = None,
    ) -> None:
        """Create the trainer.

        Args:
            speech: The model with its adapter.
            arguments: The transformers arguments, from `training_arguments`.
            train: Training rows and their planned batches.
            validation: Validation rows and their batches.
            wer: Measures the validation WER, if the best step is selected by WER or training may end by it.
            report: Called with a message when a batch is split for lack of memory; None raises the memory error.
            evaluate: Called with the step at every validation, to transcribe evaluation manifests.
            wer_stop_threshold: Validation WER at which training ends.
        """
        super().__init__(
            model=speech.model,
            args=arguments,
            data_collator=Collator(speech, smoothed=arguments.label_smoothing_factor > 0),
            train_dataset=cast(Any, train[0]),
            eval_dataset=None if validation is None else cast(Any, validation[0]),
        )
        self.remove_callback(PrinterCallback)
        self._speech = speech
        self._wer = wer
        self._transcribe = evaluate
        self._rows = cast("Dataset[Any]", train[0])
        self._train_plan = train[1]
        self._validation = validation
        self._train_halving = None if report is None else BatchHalving(report, LESS_PADDING)
        self._validation_halving = None if report is None else BatchHalving(report, LESS_PADDING)
        self._share = 1.0
        self._time = TrainingTime(speech, *train, arguments.gradient_accumulation_steps * arguments.world_size)
        self._watch = StepWatch(str(arguments.run_name), self._time, wer_stop_threshold)
        self.add_callback(self._watch)
        if speech.averages_batches:
            # These models accept any keyword, but their loss is a plain mean, so accumulated losses must be averaged.
            # With label smoothing transformers computes the loss and divides by all accumulated tokens.
            self.loss_is_scaled_for_ga = arguments.label_smoothing_factor > 0
            # A loss that is not a sum over tokens must not be averaged over processes like one.
            self.args.average_tokens_across_devices = self.loss_is_scaled_for_ga

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Every n-th batch of the plan, for n processes: all get the same number of batches, none twice."""
        batches = self._train_plan[self.args.process_index :: self.args.world_size]
        loader = DataLoader(self._rows, batch_sampler=batches, collate_fn=self.data_collator)
        return cast(
            "DataLoader[Any]", prepare_data_loader(loader, self.accelerator.device, num_processes=1, process_index=0)
        )

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Loss of the batch. A batch that does not fit in memory is split; the gradients of its splits add up."""
        rows = range(len(inputs["labels"]))
        step = super().training_step

        def loss_of(indices: Sequence[int]) -> Tensor:
            split = inputs if len(indices) == len(rows) else _rows_of(inputs, indices)
            self._share = 1.0 if self._sums_over_tokens(num_items_in_batch) else self._speech.loss_share(split, inputs)
            with _restore_gradients_on_error(model):
                return step(model, dict(split), num_items_in_batch)

        losses = (
            [loss_of(rows)] if self._train_halving is None else [x for _, x in self._train_halving.run(rows, loss_of)]
        )
        loss = torch.stack(losses).sum()
        finite = torch.isfinite(loss)
        if not bool(self.accelerator.reduce(finite.float(), "mean") == 1):  # all processes stop at the same step
            raise LossNotFinite(self.state.global_step + 1, "the training loss")
        return loss

    def compute_loss(self, model: nn.Module, *arguments: Any, **keywords: Any) -> Any:
        freeze_batch_norms(model)
        loss: Any = super().compute_loss(model, *arguments, **keywords)
        return loss * self._share if self._share != 1.0 else loss

    def _sums_over_tokens(self, tokens: Tensor | int | None) -> bool:
        """Whether a loss is the sum over its tokens divided by all tokens of the step; otherwise it is their mean."""
        is_scaled = getattr(self, "loss_is_scaled_for_ga", None)  # missing in older versions of transformers
        if is_scaled is not None:
            return bool(is_scaled)
        return bool(self.model_accepts_loss_kwargs) and tokens is not None

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Validation loss in nats per token, without dropout or label smoothing; with `eval_wer` if `select` is wer."""
        metrics = self.validation_metrics()
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        if not math.isfinite(metrics["eval_loss"]):
            raise LossNotFinite(self.state.global_step, "the validation loss")
        return metrics

    def validation_metrics(self) -> dict[str, float]:
        """Validation loss and WER of the current weights; evaluation manifests are transcribed, too."""
        started = time.monotonic()
        metrics = {} if self._validation is None else self._validate(*self._validation)
        self.transcribe_evaluations()
        self._time.validation_seconds = time.monotonic() - started
        return metrics

    def transcribe_evaluations(self) -> None:
        """Transcribe the rows of `eval_rows`, which no metric includes."""
        if self._transcribe is None:
            return
        # A saved adapter is loaded in these number types and used without automatic casts. Other tensors that are
        # trained in full precision do not fit a model of half precision without them.
        others = any(p.requires_grad and ".lora_" not in name for name, p in self._speech.model.named_parameters())
        with self.accelerator.autocast() if others else nullcontext():
            self._transcribe(self.state.global_step)

    def _validate(self, rows: SpeechRows, plan: Batches) -> dict[str, float]:
        collate = Collator(self._speech)
        self._speech.model.eval()

        def measure(indices: Sequence[int]) -> tuple[float, int]:
            batch = collate([rows[index] for index in indices])
            with torch.no_grad(), self.accelerator.autocast():
                return self._speech.validation_loss(batch)

        total = 0.0
        tokens = 0
        splitting = self._validation_halving
        for batch in plan:
            for _, (loss, count) in [(0, measure(batch))] if splitting is None else splitting.run(batch, measure):
                total += loss
                tokens += count
        metrics = {"eval_loss": total / max(tokens, 1)}
        if self._wer is not None:
            with self.accelerator.autocast():
                wer = self._wer()
            if wer is None:
                raise UserError(
                    "select: wer and wer_stop_threshold need words, but the validation rows contain no words; set "
                    'select to "loss" and wer_stop_threshold to null'
                )
            metrics["eval_wer"] = wer
        return metrics

    def end_early(self) -> None:
        """Signal the end of training to the callbacks, so that trackers close their runs."""
        self.control = self.callback_handler.on_train_end(self.args, self.state, self.control)

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Log with the learning rate and gradients of each step, which checkpoints then contain."""
        if "loss" in logs:
            logs |= self._watch.facts()
        super().log(logs, start_time)


def _rows_of(batch: dict[str, Any], indices: Sequence[int]) -> dict[str, Any]:
    """Select rows of a batch. Raises UserError if its tensors do not have one row per utterance."""
    if any(len(value) != len(batch["labels"]) for value in batch.values()):
        raise UserError("not enough memory on the device for a training batch; lower batch_size")
    return {name: value[list(indices)] for name, value in batch.items()}


@contextmanager
def _restore_gradients_on_error(model: nn.Module) -> Iterator[None]:
    """Restore the gradients if a backward pass fails half-way."""
    before = [(p, None if p.grad is None else p.grad.clone()) for p in model.parameters() if p.requires_grad]
    try:
        yield
    except RuntimeError:
        for parameter, gradient in before:
            parameter.grad = gradient
        raise


def training_arguments(
    settings: dict[str, Any],
    folder: Path,
    speech: SpeechModel,
    validate: bool,
    report_to: Sequence[str] = (),
    run: str | None = None,
) -> Seq2SeqTrainingArguments:
    """Arguments of transformers for the runner's flags (with underscores), in the model's data type if possible.

    Losses go to the trackers of `report_to` and to no other, under the name of the run.
    """
    half = str(speech.dtype).removeprefix("torch.")
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
        report_to=list(report_to),
        run_name=run,
        disable_tqdm=True,
        log_level="error",
        use_cpu=speech.device == "cpu",
        bf16=half == "bfloat16" and speech.device != "mps",
        fp16=half == "float16" and speech.device == "cuda",
        dataloader_pin_memory=False,
    )
    arguments.report_to = list(report_to)  # transformers adds trackers of its own choice
    arguments._n_gpu = min(arguments.n_gpu, 1)  # transformers would split each planned batch over all GPUs
    return arguments


def trainable_facts(model: PeftModel) -> dict[str, Any]:
    """Count all and trainable parameters, adapted modules by module group, and other trained tensors by name.

    `fully_trained` are trained tensors in the adapter's file other than its matrices; `other_trainable` are trained
    tensors that its file lacks.
    """
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    file = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    saved: dict[int, list[str]] = {}  # names by address; tied weights have several names
    for name, tensor in file.items():
        saved.setdefault(tensor.data_ptr(), []).append(name.removeprefix("base_model.model."))
    others = [(name, p) for name, p in trainable if ".lora_" not in name]
    return {
        "total_parameters": sum(p.numel() for p in model.parameters()),
        "trainable_parameters": sum(p.numel() for _, p in trainable),
        "other_trainable": sorted(name for name, p in others if p.data_ptr() not in saved),
        "fully_trained": sorted(name for _, p in others for name in saved.get(p.data_ptr(), [])),
        "target_modules": len(adapted_modules(model)),
        "adapted": adapted_by_group(model),
    }
