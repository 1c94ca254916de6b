"""The Seq2SeqTrainer that trains adapters, evaluates them and whose loss the label audit examines.

It differs from the library's in four things only: batches come from a fixed plan (one padding step each), validation
loss is a mean over tokens rather than over batches, a loss that is not finite stops the training at that step, and a
batch that is too much for the device's memory is done in halves.
Imports torch, transformers and accelerate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
from lora.asr.training.data import SpeechRows
from lora.asr.training.step_callback import LossNotFinite, StepWatch
from lora.records.base import UserError

GRADIENT_CLIP = 1.0
LESS_PADDING = "use --device cpu, a smaller --dtype, or a smaller max_seconds"
Batches = list[list[int]]


class SpeechTrainer(Seq2SeqTrainer):
    """Trains `speech.model` on planned batches; `wer` measures texts where the best step is chosen by WER."""

    def __init__(
        self,
        speech: SpeechModel,
        arguments: Seq2SeqTrainingArguments,
        train: tuple[SpeechRows, Batches],
        validation: tuple[SpeechRows, Batches] | None = None,
        wer: Callable[[], float | None] | None = None,
        tell: Report | None = None,
    ) -> None:
        """`tell` hears of batches that were halved for want of memory; without it such an error is raised."""
        super().__init__(
            model=speech.model,
            args=arguments,
            data_collator=Collator(speech, smoothed=arguments.label_smoothing_factor > 0),
            train_dataset=cast(Any, train[0]),
            eval_dataset=None if validation is None else cast(Any, validation[0]),
        )
        self.remove_callback(PrinterCallback)
        self._speech, self._wer = speech, wer
        self._rows = cast("Dataset[Any]", train[0])
        self._train_plan = train[1]
        self._validation = validation
        self._training_parts = None if tell is None else BatchHalving(tell, LESS_PADDING)
        self._validation_parts = None if tell is None else BatchHalving(tell, LESS_PADDING)
        self._share = 1.0
        self._watch = StepWatch()
        self.add_callback(self._watch)
        if speech.averages_batches:
            # Their forward takes any keyword, but their loss is a plain mean: accumulated losses must be averaged. With
            # smoothing the loss is not the model's but the library's, which divides by all accumulated tokens.
            self.loss_is_scaled_for_ga = arguments.label_smoothing_factor > 0
            # What is no sum over tokens must not be averaged over processes as if it were.
            self.args.average_tokens_across_devices = self.loss_is_scaled_for_ga

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Every n-th batch of the plan for each of n processes: all take as many, and none twice."""
        mine = self._train_plan[self.args.process_index :: self.args.world_size]
        loader = DataLoader(self._rows, batch_sampler=mine, collate_fn=self.data_collator)
        return cast(
            "DataLoader[Any]", prepare_data_loader(loader, self.accelerator.device, num_processes=1, process_index=0)
        )

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """The batch's loss; in parts, whose gradients add up to the batch's, once it was too much for the memory."""
        rows, step = range(len(inputs["labels"])), super().training_step

        def part(some: Sequence[int]) -> Tensor:
            piece = inputs if len(some) == len(rows) else _rows_of(inputs, some)
            self._share = 1.0 if self._sums_over_tokens(num_items_in_batch) else self._speech.loss_share(piece, inputs)
            with _gradients_of_whole_parts(model):
                return step(model, dict(piece), num_items_in_batch)

        losses = [part(rows)] if self._training_parts is None else [x for _, x in self._training_parts.run(rows, part)]
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
        """Whether a loss is a sum over its tokens, divided by those of the whole step; else it is their mean."""
        told = getattr(self, "loss_is_scaled_for_ga", None)  # older libraries do not ask
        if told is not None:
            return bool(told)
        return bool(self.model_accepts_loss_kwargs) and tokens is not None

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

        def measure(indices: Sequence[int]) -> tuple[float, int]:
            batch = collate([rows[index] for index in indices])
            with torch.no_grad(), self.accelerator.autocast():
                return self._speech.validation_loss(batch)

        total, tokens = 0.0, 0
        for batch in plan:
            parts = self._validation_parts
            for _, (loss, count) in [(0, measure(batch))] if parts is None else parts.run(batch, measure):
                total, tokens = total + loss, tokens + count
        metrics = {"eval_loss": total / max(tokens, 1)}
        if self._wer is None:
            return metrics
        with self.accelerator.autocast():
            wer = self._wer()
        if wer is None:
            raise UserError("select wer: the validation rows hold no word to count errors by; select by loss")
        return {**metrics, "eval_wer": wer}

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Adds to each step's entry (kept in checkpoints) what the optimiser truly used."""
        if "loss" in logs:
            logs |= self._watch.facts()
        super().log(logs, start_time)


def _rows_of(batch: dict[str, Any], some: Sequence[int]) -> dict[str, Any]:
    """Some rows of a batch. UserError where its tensors are not one row an utterance."""
    if any(len(value) != len(batch["labels"]) for value in batch.values()):
        raise UserError("not enough memory on the device for a training batch; lower batch_size")
    return {name: value[list(some)] for name, value in batch.items()}


@contextmanager
def _gradients_of_whole_parts(model: nn.Module) -> Iterator[None]:
    """A backward pass that breaks off in the middle leaves the gradients as they were before it."""
    before = [(p, None if p.grad is None else p.grad.clone()) for p in model.parameters() if p.requires_grad]
    try:
        yield
    except RuntimeError:
        for parameter, gradient in before:
            parameter.grad = gradient
        raise


def training_arguments(
    settings: dict[str, Any], folder: Path, speech: SpeechModel, validate: bool
) -> Seq2SeqTrainingArguments:
    """The library's arguments for the runner's flags (underscores). Computes in the model's numbers where it can."""
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
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        use_cpu=speech.device == "cpu",
        bf16=half == "bfloat16" and speech.device != "mps",
        fp16=half == "float16" and speech.device == "cuda",
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # the library would deal each planned batch out to all GPUs
    return arguments


def trainable_facts(model: PeftModel) -> dict[str, Any]:
    """Parameters in all and trainable ones; what is adapted, by part; and what else is trained, by name.

    `fully_trained` are tensors beside the adapter's matrices that its file holds, `other_trainable` those it does not.
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
        "fully_trained": sorted(name for _, p in beside for name in held.get(p.data_ptr(), [])),
        "target_modules": len(adapted_modules(model)),
        "adapted": adapted_by_group(model),
    }
