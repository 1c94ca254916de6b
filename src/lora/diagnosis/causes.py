"""Every cause code: how severe it is, what it means, and what to do about it.

Order is rank: what invalidates a comparison (parity, labels, a broken adapter or training) stands before what makes it
uninformative (headroom, power, data), and that before what explains a valid result. `docs/causes.md` and the severities
in `src/lora/schemas/verdict.schema.json` are made from this table. Remedies of data and headroom name data only, never settings
of the training.
"""

from __future__ import annotations

from dataclasses import dataclass

from lora.records.verdict import Severity


@dataclass(frozen=True)
class CauseKind:
    """How severe a cause is at most, its name in a few words, what it means, and what to do about it."""

    severity: Severity
    title: str
    meaning: str
    remedy: str


CAUSES: dict[str, CauseKind] = {
    # Two numbers that cannot be compared.
    "parity.manifest": CauseKind(
        "blocks",
        "Baseline and tuned run saw other rows",
        "The two WERs are over different utterances, or the utterances' audio or text differ.",
        "Transcribe and score both runs from the same manifest file.",
    ),
    "parity.base_model": CauseKind(
        "blocks",
        "Another base model",
        "The tuned run rests on other model files than the baseline (weights, tokenizer or feature extractor).",
        "Transcribe both runs from the same model folder and revision.",
    ),
    "parity.normalization": CauseKind(
        "blocks",
        "Scored with another text normaliser",
        "Normalisers disagree about what a word is; the WER difference holds their difference too.",
        "Score both runs from their raw texts with one normaliser: remove the candidate's own `normalizer`.",
    ),
    "parity.preprocessing": CauseKind(
        "blocks",
        "Audio prepared in another way",
        "Loudness, sampling rate or resampling differ between the two runs.",
        "Transcribe both runs with the same `preprocess` settings: remove the candidate's own.",
    ),
    "parity.decode": CauseKind(
        "blocks",
        "Decoded in another way",
        "Beams, token cap, language, suppressed tokens or another generation argument differ; these alone move WER.",
        "Transcribe both runs with the same `decode` settings: remove the candidate's own.",
    ),
    "parity.padding": CauseKind(
        "blocks",
        "Padded to other lengths",
        "Some models' texts depend on how far the audio is padded, so two padding grids give two WERs.",
        "Transcribe both runs through the runner, which pads every utterance to a grid of its own.",
    ),
    "parity.software": CauseKind(
        "warns",
        "Other library versions, device or number format",
        "Small differences of texts may come from the software rather than from the tuning.",
        "Transcribe both runs in one environment on one kind of device.",
    ),
    # Labels and loss that teach something else.
    "labels.loss_misaligned": CauseKind(
        "blocks",
        "The loss is computed on the wrong tokens",
        "The trainer's loss is not the cross entropy of the labels: training teaches nonsense while its loss falls.",
        "Install another version of transformers (the pinned one is right for the tested models) and audit again.",
    ),
    "labels.construction": CauseKind(
        "blocks",
        "Labels are built wrongly",
        "An end mark, start mark, prefix or mask is wrong, so the model is taught what it must never say.",
        "Mend how labels are built (end mark last, no decoder start, padding -100; name the language in model.language "
        "where generation forces one) and audit again.",
    ),
    "labels.tokenizer_gaps": CauseKind(
        "blocks",
        "The tokenizer cannot write the transcripts",
        "Characters are lost when a transcript is turned into tokens and back, so the model is taught other texts.",
        "Rewrite the transcripts with characters the tokenizer knows.",
    ),
    "labels.style_mismatch": CauseKind(
        "blocks",
        "Transcripts are written in another style than the model writes",
        "Training spends itself on case and punctuation, which scoring ignores: the loss falls and WER stays.",
        "Rewrite the training transcripts in the model's own style (case and punctuation).",
    ),
    "labels.too_long": CauseKind(
        "warns",
        "Labels are longer than the decoder allows",
        "Such rows fail in training or lose their end, which teaches the model to stop early or never.",
        "Cut these rows into shorter ones, or leave them out of the training manifest.",
    ),
    # A training run or an adapter that does not do what was asked.
    "adapter.no_target_modules": CauseKind(
        "blocks",
        "The adapter has no module to adapt",
        "The target modules (or the modules to train whole) match nothing in the model.",
        "Set the candidate's `target_modules` to `auto`, or choose names that occur in this model.",
    ),
    "training.diverged": CauseKind(
        "blocks",
        "Training diverged",
        "The loss became infinite, not a number, or grew instead of falling; the weights are worthless.",
        "Look for a broken row around that step of the loss log; repeat in float32, with a gentler learning rate.",
    ),
    "training.steps_short": CauseKind(
        "blocks",
        "Fewer optimiser steps than planned",
        "Training ended early, so it says nothing about the settings it was given.",
        "Read the training log for what stopped it, and run it to its end.",
    ),
    "training.no_gradient": CauseKind(
        "blocks",
        "No gradient reaches the adapter",
        "Adapted modules had a gradient of exactly zero at every step: they cannot learn.",
        "Check that these modules take part in the forward pass and nothing detaches them (gradient checkpointing).",
    ),
    "training.lr_not_applied": CauseKind(
        "blocks",
        "The learning rate was not applied",
        "The optimiser's own learning rate is zero or far from the configured one, or no weight moved at all.",
        "Give the candidate a learning rate above 0 and a warm-up shorter than its steps.",
    ),
    "training.wrong_parameters": CauseKind(
        "blocks",
        "Other parameters than the adapter's were trained",
        "What was trained is not what the adapter file holds: the tuned model is another one than the saved one.",
        "Freeze the base model before the adapter is attached, so that only adapter parameters require a gradient.",
    ),
    "adapter.not_finite": CauseKind(
        "blocks",
        "The adapter holds values that are not finite",
        "Infinite or undefined weights destroy every output they touch.",
        "Discard this adapter and train again; look for the step at which the loss stopped being finite.",
    ),
    "adapter.zero_delta": CauseKind(
        "blocks",
        "The adapter changes no weight",
        "Every delta is zero or still the initial one (lora_B never moved, or alpha is 0): nothing was learnt.",
        "Check that this is the file the training wrote last, then train again and watch the gradients.",
    ),
    "adapter.not_loaded": CauseKind(
        "blocks",
        "The adapter did not arrive in the model",
        "Tensors of the file are missing in the model, or the model has adapter tensors the file does not hold.",
        "Load the adapter with the library version and model class it was saved with, so that all names match.",
    ),
    "adapter.base_mismatch": CauseKind(
        "blocks",
        "The adapter belongs to another base model",
        "A delta is only right on top of the weights it was trained on, and only once (not merged in before).",
        "Use the base model that the adapter was trained on, or train the adapter again on this one.",
    ),
    "adapter.bypassed": CauseKind(
        "blocks",
        "The adapter does not take part",
        "The adapter is in the model but inactive or not called: evaluation shows the base (some modules only: warns).",
        "Activate the adapter and generate through the adapted model, not through a copy of the base.",
    ),
    "adapter.no_text_change": CauseKind(
        "blocks",
        "No hypothesis changes",
        "Weights differ, yet every text is the same with and without the tuning: WER cannot move.",
        "Make sure that the tuned transcripts were made with this adapter; if they were, it is too weak to be judged.",
    ),
    # A comparison that cannot show anything.
    "headroom.baseline_broken": CauseKind(
        "blocks",
        "The baseline itself is broken",
        "Texts are cut, looping or almost wholly wrong before any tuning: the input path is at fault, not the weights.",
        "Listen to a few rows and read their transcripts; mend audio, transcripts or the model folder first.",
    ),
    "headroom.saturated": CauseKind(
        "blocks",
        "The baseline leaves nothing to gain",
        "WER is at its floor on this manifest: no adapter can show an improvement here.",
        "Evaluate on a harder manifest from the target domain.",
    ),
    "headroom.underpowered": CauseKind(
        "blocks",
        "The evaluation set is too small",
        "The smallest difference it could show is larger than the gain that is hoped for.",
        "Add utterances, from more speakers, to this manifest.",
    ),
    "headroom.reference_noise": CauseKind(
        "warns",
        "Reference errors limit what tuning can gain",
        "Part of the errors are in the references, not in the hypotheses.",
        "Correct the listed references.",
    ),
    # Data that cannot carry a training.
    "data.wrong_durations": CauseKind(
        "blocks",
        "Durations in the manifest are wrong",
        "The duration filter acts on numbers that the audio contradicts. Warns where enough rows remain.",
        "Correct the durations, or leave them out so that headers are read.",
    ),
    "data.transcript_mismatch": CauseKind(
        "blocks",
        "Transcripts of other utterances",
        "The text of these rows is not what is said in them, or only a part of it. A few such rows only warn.",
        "Listen to the listed rows and correct their transcripts.",
    ),
    "data.too_few_samples": CauseKind(
        "blocks",
        "Too few training rows",
        "No duration threshold leaves enough rows: training will overfit and WER stay flat.",
        "Add recordings to the training manifest.",
    ),
    "data.filter_starves_training": CauseKind(
        "blocks",
        "The duration filter removes too many rows",
        "Enough rows are there, but `max_seconds` throws them away.",
        "Raise `durations.max_seconds`, or set it to `auto`.",
    ),
    "data.leakage": CauseKind(
        "blocks",
        "Training and evaluation share rows",
        "The evaluation contains what was trained on, so a gain proves nothing. Shared speakers alone only warn.",
        "Remove the shared rows from the training manifest.",
    ),
    "data.unreadable_audio": CauseKind(
        "warns",
        "Audio files are missing or unreadable",
        "These rows take part in nothing; the manifest promises more data than there is.",
        "Restore the files or remove the rows; `rejected.tsv` names every line.",
    ),
    "data.empty_transcripts": CauseKind(
        "warns",
        "Rows without text",
        "These rows take part in nothing; often a column was lost when the manifest was made.",
        "Fill in the transcripts or remove the rows; `rejected.tsv` names every line.",
    ),
    "data.duplicates": CauseKind(
        "warns",
        "Rows repeat an id or a recording",
        "Only the first row of an id is used; a repeated recording counts twice in training and in every WER.",
        "Give every row its own id, or remove the repeated rows; `rejected.tsv` names every line.",
    ),
    "data.exceeds_model_window": CauseKind(
        "warns",
        "Audio is longer than the model hears",
        "The model hears the beginning only, and the text stays whole: it is taught, or charged for, unheard words.",
        "Cut these recordings into pieces with their own transcripts, or leave them out.",
    ),
    "data.filter_biased": CauseKind(
        "warns",
        "The duration filter removes one kind of row",
        "Speakers, words or a way of speaking vanish from training with the long rows, more than chance explains.",
        "Cut the long rows into shorter ones with their own texts.",
    ),
    "data.sample_rate_mismatch": CauseKind(
        "warns",
        "Audio has less bandwidth than its sampling rate promises",
        "8 kHz speech in a 16 kHz file is another condition than the model was trained on.",
        "Use the original recordings.",
    ),
    "data.silent_audio": CauseKind(
        "warns",
        "Silent recordings",
        "There is text, but nothing to hear.",
        "Remove or replace these recordings.",
    ),
    "data.clipped_audio": CauseKind(
        "warns",
        "Clipped recordings",
        "Overdriven audio loses what distinguishes words.",
        "Replace these recordings.",
    ),
    "data.unstable_split": CauseKind(
        "warns",
        "The split depends on its seed",
        "Another seed leaves training too few rows, or keeps many of its speakers out.",
        "Add rows or speakers to the training manifest.",
    ),
    # What explains a valid result.
    "adapter.excessive_delta": CauseKind(
        "warns",
        "The adapter overwrites the base model",
        "The change is of the size of the weights themselves: forgetting and loops follow.",
        "Add a sweep entry with a lower learning rate or alpha.",
    ),
    "training.overfit": CauseKind(
        "warns",
        "Training overfits",
        "Validation loss rises again while training loss goes on falling.",
        "Add a sweep entry with fewer steps or some dropout; more training rows help more.",
    ),
    "training.best_not_kept": CauseKind(
        "warns",
        "The best step was not kept",
        "What was evaluated is not the step with the best validation.",
        "Keep the best step: validate at the steps at which weights are saved.",
    ),
    "adapter.worsens": CauseKind(
        "warns",
        "The short run makes WER worse",
        "The adapter works, and what it learnt does harm on this manifest.",
        "Add a gentler entry to the sweep (a lower learning rate or fewer steps) and compare it with this run.",
    ),
    "adapter.negligible_delta": CauseKind(
        "warns",
        "The adapter is too weak to matter",
        "Weights hardly move and hardly a text changes: flat WER is what to expect.",
        "Add a sweep entry with a higher learning rate, more steps or a larger alpha.",
    ),
    "adapter.partial_targets": CauseKind(
        "warns",
        "Only a part of the model is adapted",
        "The encoder or the decoder has no adapter, or some adapted modules never changed.",
        "Add a sweep entry with `target_modules: auto`, which adapts encoder and decoder.",
    ),
    "adapter.forgets": CauseKind(
        "warns",
        "Gains are paid for by forgetting",
        "WER on general speech rises.",
        "Mix general rows into the training manifest, or add a gentler entry to the sweep.",
    ),
    "adapter.direction_mismatch": CauseKind(
        "warns",
        "Two tuned runs move in opposite directions",
        "One is better and one is worse than the baseline on one manifest: their settings differ in what matters.",
        "Compare the settings of the two runs before believing either.",
    ),
}

RANK = {code: position for position, code in enumerate(CAUSES)}
