"""Training an adapter, against a plain Seq2SeqTrainer: random batches, padded to their longest row, a usual collator.

Both see every row once, in steps of equally many rows at most, with the same model, adapter, optimiser and samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measuring import REPOSITORY, Figure, Goal, Plan, Result, line

TITLE = "Training"
MINUTES = 3
DATA = REPOSITORY / "data"
ROWS = {False: 192, True: 6}
PAIRS = {False: 3, True: 1}
BATCH = 8
LEARNING_RATE = 1e-4


def run(plan: Plan) -> Result:
    import torch
    from peft import LoraConfig

    from lora.asr.adapter.attach import attach
    from lora.asr.decoding.padding import padded_samples
    from lora.asr.devices import make_deterministic
    from lora.asr.model_files import describe_model
    from lora.asr.model_loading import load_model
    from lora.asr.training.data import SpeechRows, plan_batches
    from lora.data.manifest import read_manifest

    count, pairs, threads = ROWS[plan.quick], PAIRS[plan.quick], torch.get_num_threads()
    make_deterministic(0, threads)
    speech = load_model(describe_model(str(DATA / "model")), plan.device, "float32")
    attach(speech, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
    rows = SpeechRows(read_manifest(DATA / "train_manifest.jsonl").rows[:count], DATA, speech.sampling_rate, None)
    steps = rows.steps(speech.sampling_rate, speech.grid_seconds)
    batches = one_epoch(plan_batches(steps, BATCH, count, seed=0), count)
    lengths = [len(rows[index]["audio"]) for index in range(count)]
    shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
    random = [shuffled[start : start + BATCH] for start in range(0, count, BATCH)]
    result = Result(
        config={
            "rows": count,
            "rows_a_step": BATCH,
            "pairs": pairs,
            "device": plan.device,
            "threads": threads,
            "adapter": "LoRA, rank 8, q_proj and v_proj",
            "model": "embedded study",
        }
    )
    result.lines = [
        line(
            f"one epoch of {count} rows, at most {BATCH} a step",
            lambda: ours(speech, rows, batches, plan.folder),
            "Seq2SeqTrainer, random batches",
            lambda: plain(speech, rows, plan.folder),
            Goal(1.3),
            pairs,
        )
    ]
    rate = speech.sampling_rate

    def padding_of(batches: Sequence[Sequence[int]], padded: list[int]) -> str:
        audio = sum(max(padded[index] for index in batch) * len(batch) for batch in batches) / rate
        return f"{audio:.0f} s in {len(batches)} steps"

    result.figures = [
        Figure("audio of the rows", f"{sum(lengths) / rate:.0f} s"),
        Figure(
            "padded audio, ours", padding_of(batches, [padded_samples(n, rate, speech.grid_seconds) for n in lengths])
        ),
        Figure("padded audio, random batches", padding_of(random, lengths)),
    ]
    return result


def one_epoch(planned: list[list[int]], count: int) -> list[list[int]]:
    """The first batches of a plan that hold every row once."""
    seen, batches = 0, []
    for batch in planned:
        if seen == count:
            break
        batches.append(batch)
        seen += len(batch)
    return batches


def ours(speech: Any, rows: Any, batches: list[list[int]], folder: Path) -> None:
    from transformers.trainer_utils import SaveStrategy

    from lora.asr.training.trainer import SpeechTrainer, training_arguments

    settings = {
        "max_steps": len(batches), "batch_size": BATCH, "gradient_accumulation": 1, "learning_rate": LEARNING_RATE,
        "scheduler": "linear", "warmup_steps": 0, "weight_decay": 0.0, "label_smoothing": 0.0, "seed": 0,
        "eval_steps": len(batches), "select": "loss",
    }  # fmt: skip
    arguments = training_arguments(settings, folder / "ours", speech, validate=False)
    arguments.save_strategy = SaveStrategy.NO
    SpeechTrainer(speech, arguments, (rows, batches)).train()


def plain(speech: Any, rows: Any, folder: Path) -> None:
    from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments

    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder / "plain"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        label_names=["labels"],
        use_cpu=speech.device == "cpu",
        dataloader_pin_memory=False,
        seed=0,
    )

    def collate(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """As in the library's example of speech recognition: pad audio and labels to the longest of the batch."""
        padding = "max_length" if speech.family == "whisper" else "longest"  # Whisper takes 30 s and nothing else
        inputs = speech.feature_extractor(
            [row["audio"] for row in batch],
            sampling_rate=speech.sampling_rate,
            padding=padding,
            return_attention_mask=True,
            return_tensors="pt",
        )
        labels = speech.tokenizer([row["text"] for row in batch], padding="longest", return_tensors="pt")
        inputs["labels"] = labels.input_ids.masked_fill(labels.attention_mask.eq(0), -100)
        return dict(inputs)

    Seq2SeqTrainer(speech.model, arguments, data_collator=collate, train_dataset=rows).train()
