"""Faults of labels and tokenizers, planted into the study of a real Whisper, and neighbours."""

from __future__ import annotations

import json

from healthy_study import (
    change_json,
    change_rows,
    own_model,
    use_external_adapter,
)
from real_cases import fault, neighbour
from small_study import Study

START, QUIET, END = "<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"
IDS = {START: 50257, QUIET: 50362, END: 50256, "<|en|>": 50258, "<|transcribe|>": 50358}
TEXT = "the text"


def write_labels_as(study: Study, *parts: str) -> None:
    """Let a tokenizer of the study's own write these tokens around the text; Whisper's class would write its own."""
    (use_external_adapter(study) / "lora_provenance.json").unlink()  # another tokenizer is part of another model
    model = own_model(study)
    sequence = [
        {"Sequence": {"id": "A", "type_id": 0}} if part == TEXT else {"SpecialToken": {"id": part, "type_id": 0}}
        for part in parts
    ]
    special = {token: {"id": token, "ids": [number], "tokens": [token]} for token, number in IDS.items()}
    template = {"single": sequence, "pair": sequence, "special_tokens": special}
    change_json(model / "tokenizer.json", {"post_processor": template})
    change_json(model / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})


@fault(
    "labels.construction", "labels without EOS, as where it is masked with the padding", source="huggingface/blog#641"
)
def without_end(study: Study) -> None:
    write_labels_as(study, START, QUIET, TEXT)


@fault(
    "labels.construction",
    "labels with language and task tokens, for an English-only model",
    source="yeyupiaoling/Whisper-Finetune#110",
)
def language_and_task(study: Study) -> None:
    write_labels_as(study, START, "<|en|>", "<|transcribe|>", QUIET, TEXT, END)


@fault("labels.construction", "labels without the token that forbids timestamps")
def timestamps_allowed(study: Study) -> None:
    write_labels_as(study, START, TEXT, END)


@fault(
    "labels.construction",
    "labels that begin with the decoder start token twice",
    source="huggingface/transformers#29973",
)
def shifted_labels(study: Study) -> None:
    write_labels_as(study, START, START, QUIET, TEXT, END)


@neighbour("labels.construction", "a tokenizer of another class that writes the same labels")
def same_labels(study: Study) -> None:
    write_labels_as(study, START, QUIET, TEXT, END)


def use_other_ids(study: Study, first: int, last: int) -> None:
    """Give the study a tokenizer that has other ids for the tokens from `first` up to `last`: each one too high."""
    (use_external_adapter(study) / "lora_provenance.json").unlink()
    path = own_model(study) / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    count = last - first

    def other(number: int) -> int:
        return first + (number - first + 1) % count if first <= number < last else number

    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: other(number) for token, number in vocabulary.items()}
    path.write_text(json.dumps(tokenizer))


# With such a tokenizer no text is right, so that no WER means anything.
GIBBERISH = ("headroom.baseline_broken", "headroom.underpowered")


@fault(
    "labels.construction",
    "the tokenizer of another model, whose EOS has another id too",
    also=GIBBERISH,
)
def other_tokenizer(study: Study) -> None:
    use_other_ids(study, 0, IDS[END] + 2)


@fault("headroom.baseline_broken", "the tokenizer of another model, with the same special tokens", also=GIBBERISH)
def other_vocabulary(study: Study) -> None:
    use_other_ids(study, 0, IDS[END])


@fault("labels.too_long", "two training texts of whole pages")
def pages(study: Study) -> None:
    use_external_adapter(study)
    rows = study.rows("train")
    for row in rows[:2]:
        row["text"] = " ".join(other["text"] for other in rows[:90])
    study.write_rows("train", rows)


@fault("labels.style_mismatch", "upper-case labels, and four steps that change nothing yet")
def upper_case(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": row["text"].upper()})
    study.configure({"candidates": {"lora": {"train": {"max_steps": 4, "eval_steps": 4, "learning_rate": 1e-6}}}})
