"""The label audit: what the base model says about training labels, built by the very code that trains on them.

Structure of labels; agreement of the model with labels of its greedy hypotheses; the trainer's loss and a cross-entropy
computed independently; likelihood of references, hypotheses and references in the model's style; what the tokenizer
cannot write. Facts only, nothing is judged here. Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import Labelled, label_ids, long_labels, mean_nll
from lora.asr.labels.greedy_agreement import greedy_agreement
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis, greedy_hypotheses, greedy_transcripts
from lora.asr.labels.loss import compare_loss
from lora.asr.labels.structure import changed_texts, label_structure, lost_characters, unknown_tokens
from lora.asr.training.data import SpeechRows, batches_in_order
from lora.provenance.versions import version
from lora.records.labels import LabelFacts, StyleProfile
from lora.records.transcripts import Transcript
from lora.scoring.style import number_style, restyle, style_profile, with_numbers_as_in

# Label smoothing and gradient accumulation of what is always compared: validation neither smooths nor accumulates.
PLAIN_STEP = (0.0, 1)


def audit_labels(
    speech: SpeechModel,
    rows: SpeechRows,
    batch_size: int,
    decode: dict[str, Any],
    steps_of: Sequence[tuple[float, int]] = (),
    hand_out: Callable[[list[Transcript]], None] = lambda own: None,
) -> LabelFacts:
    """All facts about the labels of these rows (a sample); `speech` is the base model, in evaluation mode.

    `steps_of` are label smoothing and gradient accumulation of the study's trainings. Rows whose label the decoder
    cannot hold are named and left out of everything the model has to see. `hand_out` is called with the model's own
    greedy texts, if any row is left.
    """
    texts = [row.text for row in rows.rows]
    unknown_share, unknown_rows = unknown_tokens(speech, texts)
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    window, seconds = speech.files.identity.window_seconds, [row.duration for row in rows.rows]
    long = long_labels(speech, texts, seconds)
    fitting = [index for index in range(len(texts)) if index not in long]
    facts: dict[str, Any] = {
        "sampled": len(texts),
        "lost_characters": lost_characters(speech, texts),
        "changed_texts": changed_texts(speech, rows.rows),
        "unknown_tokens": unknown_share,
        "unknown_rows": unknown_rows,
        "longest_label": max(lengths),
        "label_limit": speech.label_limit(),
        "label_capacity": "decoder" if speech.teacher_forced else "frames",
        "too_long_ids": [rows.rows[index].id for index in long],
        "beyond_window_ids": [row.id for row in rows.rows if window is not None and row.duration > window],
        "transformers": version("transformers"),
        "reference_style": style_profile(texts),
        "structure": label_structure(speech, rows, decode),
    }
    if not fitting:
        return LabelFacts(**facts)
    fitting_rows = rows.only(fitting)
    steps = fitting_rows.steps(speech.sampling_rate, speech.grid_seconds)
    references = Labelled(fitting_rows, [row.text for row in fitting_rows.rows], batches_in_order(steps, batch_size))
    hypotheses = greedy_hypotheses(speech, fitting_rows, references.batches, decode)
    own = [hypotheses[index].text for index in range(len(fitting_rows))]
    hand_out(greedy_transcripts(fitting_rows, hypotheses))
    own_style = style_profile(own)
    rewritten = _in_style(speech, references, own, own_style)
    compared = [compare_loss(speech, references, *step) for step in sorted({PLAIN_STEP, *steps_of})]
    complete = _only_complete(speech, references, hypotheses)
    return LabelFacts(
        **facts,
        greedy=greedy_agreement(speech, fitting_rows, hypotheses, batch_size, decode),
        losses=[loss for loss in compared if loss is not None],
        reference_nll=mean_nll(speech, references),
        hypothesis_nll=mean_nll(speech, complete) if complete.texts else None,
        restyled_nll=mean_nll(speech, references.with_texts(rewritten)) if own_style.texts else None,
        hypothesis_style=own_style,
        numbers=number_style(references.texts, own),
    )


def _in_style(speech: SpeechModel, references: Labelled, own: list[str], style: StyleProfile) -> list[str]:
    """References as the model would write them; as they are where that makes a label too long."""
    texts, seconds = references.texts, [row.duration for row in references.rows.rows]
    restyled = [
        restyle(with_numbers_as_in(text, hypothesis), style) for text, hypothesis in zip(texts, own, strict=True)
    ]
    long = long_labels(speech, restyled, seconds)
    return [text if index in long else new for index, (text, new) in enumerate(zip(texts, restyled, strict=True))]


def _only_complete(speech: SpeechModel, references: Labelled, hypotheses: dict[int, GreedyHypothesis]) -> Labelled:
    """Greedy hypotheses as labels, without those that the token limit truncated.

    A text in other pieces than the model wrote may be too long a label; it is left out as well.
    """
    seconds = [row.duration for row in references.rows.rows]
    long = long_labels(speech, [hypotheses[index].text for index in range(len(references.rows))], seconds)
    complete = [index for index in range(len(references.rows)) if not hypotheses[index].truncated and index not in long]
    numbers = {old: new for new, old in enumerate(complete)}
    batches = [[numbers[i] for i in batch if i in numbers] for batch in references.batches]
    texts = [hypotheses[index].text for index in complete]
    return Labelled(references.rows.only(complete), texts, [batch for batch in batches if batch])
