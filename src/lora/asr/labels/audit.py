"""The label audit: check a sample of training labels with the base model, built by the code that training uses.

It covers the structure of labels, the model's agreement with its own greedy hypotheses as labels, the trainer's loss
against one computed by hand, likelihoods (of references, of hypotheses, and of references rewritten in the style of the
hypotheses), and characters that the tokenizer cannot encode. It records facts and decides nothing. Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lora.asr.encode_once import encode_once
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import Labelled, label_ids, long_labels, mean_nll
from lora.asr.labels.greedy_agreement import greedy_agreement
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis, greedy_hypotheses, greedy_transcripts
from lora.asr.labels.loss import compare_loss
from lora.asr.labels.structure import changed_texts, label_structure, lost_characters, unknown_tokens
from lora.asr.progress import report_inputs
from lora.asr.training.data import SpeechRows, batches_in_order
from lora.progress import Progress
from lora.provenance.versions import version
from lora.records.labels import LabelFacts, StyleProfile
from lora.records.transcripts import Transcript
from lora.scoring.style import number_style, restyle, style_profile, with_numbers_as_in

# Passes through the audio in each stage, and their costs relative to transcribing it (Whisper tiny.en, rounded).
GREEDY, AGREEMENT, LIKELIHOODS = "greedy hypotheses", "agreement with them", "losses and likelihoods"
STAGES = {GREEDY: (1.0,), AGREEMENT: (0.15, 0.15), LIKELIHOODS: (0.15, 0.15, 0.15)}

# Label smoothing and gradient accumulation that are always compared: validation neither smooths nor accumulates.
PLAIN_STEP = (0.0, 1)


def audit_labels(
    speech: SpeechModel,
    rows: SpeechRows,
    batch_size: int,
    decode: dict[str, Any],
    steps_of: Sequence[tuple[float, int]] = (),
    report_hypotheses: Callable[[list[Transcript]], None] = lambda transcripts: None,
) -> LabelFacts:
    """Audit the labels of a sample of rows.

    Args:
        speech: The base model in evaluation mode.
        rows: The sample. Rows whose label is too long are listed and left out of everything that needs the model.
        batch_size: Utterances per batch.
        decode: The study's decode settings, of which only the prompt counts.
        steps_of: Label smoothing and gradient accumulation of each training of the study.
        report_hypotheses: Receives the greedy hypotheses, if any row is left.
    """
    texts = [row.text for row in rows.rows]
    unknown_share, unknown_rows = unknown_tokens(speech, texts)
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    window = speech.files.identity.window_seconds
    too_long = long_labels(speech, texts, [row.duration for row in rows.rows])
    fitting = [index for index in range(len(texts)) if index not in too_long]
    facts: dict[str, Any] = {
        "sampled": len(texts),
        "lost_characters": lost_characters(speech, texts),
        "changed_texts": changed_texts(speech, rows.rows),
        "unknown_tokens": unknown_share,
        "unknown_rows": unknown_rows,
        "longest_label": max(lengths),
        "label_limit": speech.label_limit(),
        "label_capacity": "decoder" if speech.teacher_forced else "frames",
        "too_long_ids": [rows.rows[index].id for index in too_long],
        "beyond_window_ids": [row.id for row in rows.rows if window is not None and row.duration > window],
        "transformers": version("transformers"),
        "reference_style": style_profile(texts),
        "structure": label_structure(speech, rows, decode),
    }
    if not fitting:
        return LabelFacts(**facts)
    usable = rows.only(fitting)
    steps = usable.steps(speech.sampling_rate, speech.grid_seconds)
    progress = Progress(
        "label audit", sum(row.duration for row in usable.rows), sum(steps) / speech.sampling_rate, STAGES
    )
    with encode_once(speech), report_inputs(speech, progress):
        references = Labelled(usable, [row.text for row in usable.rows], batches_in_order(steps, batch_size))
        hypotheses = greedy_hypotheses(speech, usable, references.batches, decode)
        hypothesis_texts = [hypotheses[index].text for index in range(len(usable))]
        report_hypotheses(greedy_transcripts(usable, hypotheses))
        hypothesis_style = style_profile(hypothesis_texts)
        restyled = _restyled_references(speech, references, hypothesis_texts, hypothesis_style)
        progress.start(AGREEMENT)
        greedy = greedy_agreement(speech, usable, hypotheses, batch_size, decode)
        progress.start(LIKELIHOODS)
        losses = [compare_loss(speech, references, *step) for step in sorted({PLAIN_STEP, *steps_of})]
        complete = _complete_hypotheses(speech, references, hypotheses)
        return LabelFacts(
            **facts,
            greedy=greedy,
            losses=[loss for loss in losses if loss is not None],
            reference_nll=mean_nll(speech, references),
            hypothesis_nll=mean_nll(speech, complete) if complete.texts else None,
            restyled_nll=mean_nll(speech, references.with_texts(restyled)) if hypothesis_style.texts else None,
            hypothesis_style=hypothesis_style,
            numbers=number_style(references.texts, hypothesis_texts),
        )


def _restyled_references(
    speech: SpeechModel, references: Labelled, hypotheses: list[str], style: StyleProfile
) -> list[str]:
    """References in the style of the hypotheses; unchanged where the label would become too long."""
    texts = references.texts
    restyled = [
        restyle(with_numbers_as_in(text, hypothesis), style) for text, hypothesis in zip(texts, hypotheses, strict=True)
    ]
    too_long = long_labels(speech, restyled, [row.duration for row in references.rows.rows])
    return [text if index in too_long else new for index, (text, new) in enumerate(zip(texts, restyled, strict=True))]


def _complete_hypotheses(
    speech: SpeechModel, references: Labelled, hypotheses: dict[int, GreedyHypothesis]
) -> Labelled:
    """Hypotheses as labels, without truncated ones, where the model would not have predicted EOS.

    A hypothesis may become too long a label if the tokenizer splits it into other tokens; it is left out as well.
    """
    numbers = range(len(references.rows))
    seconds = [row.duration for row in references.rows.rows]
    too_long = long_labels(speech, [hypotheses[index].text for index in numbers], seconds)
    complete = [index for index in numbers if not hypotheses[index].truncated and index not in too_long]
    new_numbers = {old: new for new, old in enumerate(complete)}
    batches = [[new_numbers[i] for i in batch if i in new_numbers] for batch in references.batches]
    texts = [hypotheses[index].text for index in complete]
    return Labelled(references.rows.only(complete), texts, [batch for batch in batches if batch])
