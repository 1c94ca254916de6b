"""Table of all cause codes: how severe each one is, what it means, and what to do about it.

The order is the rank: first what invalidates a comparison (parity, labels, a broken adapter or training), then what
makes it uninformative (headroom, power, data), then what explains a valid result. `docs/causes.md` and the severities
in `src/lora/schemas/verdict.schema.json` are generated from this table. Remedies of data and headroom never name
settings of the training.
"""

from __future__ import annotations

from dataclasses import dataclass

from lora.records.verdict import Severity


@dataclass(frozen=True, kw_only=True)
class CauseKind:
    """`severity` is the most severe that the cause can be; `title` is its name in a few words."""

    severity: Severity
    title: str
    meaning: str
    remedy: str


CAUSES: dict[str, CauseKind] = {
    # Two numbers that cannot be compared.
    "parity.manifest": CauseKind(
        severity="blocks",
        title="Different rows in the two runs",
        meaning="The two WERs are over different utterances, or audio or references differ.",
        remedy="Transcribe and score both runs from the same manifest file.",
    ),
    "parity.copied_references": CauseKind(
        severity="blocks",
        title="Hypotheses are copies of the references",
        meaning="Nearly all of them equal their reference to the character, so a manifest was given as transcripts.",
        remedy="Give the file that the model wrote as transcripts of this run, not a manifest or training texts.",
    ),
    "parity.base_model": CauseKind(
        severity="blocks",
        title="Different base models",
        meaning="The tuned run uses other model files than the baseline (weights, tokenizer or feature extractor).",
        remedy="Transcribe both runs from the same model folder and revision (`model.id`, `model.revision`).",
    ),
    "parity.normalization": CauseKind(
        severity="blocks",
        title="Scored with different text normalizers",
        meaning="Normalizers disagree about what a word is, so the WER difference includes their difference.",
        remedy="Score both runs from their raw texts with one normalizer: remove `normalizer` from the candidate.",
    ),
    "parity.preprocessing": CauseKind(
        severity="blocks",
        title="Audio prepared differently",
        meaning="Loudness, sampling rate or resampling differ between the two runs.",
        remedy="Transcribe both runs with the same `preprocess` settings: remove `preprocess` from the candidate.",
    ),
    "parity.decode": CauseKind(
        severity="blocks",
        title="Decoded differently",
        meaning=(
            "Beams, token cap, language, suppressed tokens or another generation argument differ; these alone "
            "change WER."
        ),
        remedy="Transcribe both runs with the same `decode` settings: remove `decode` from the candidate.",
    ),
    "parity.padding": CauseKind(
        severity="blocks",
        title="Padded to different lengths",
        meaning=(
            "The hypotheses of some models depend on how far the audio is padded, so two padding grids give two WERs."
        ),
        remedy="Transcribe both runs with this software, which pads every utterance to the same grid.",
    ),
    "parity.software": CauseKind(
        severity="warns",
        title="Different library versions, device or number format",
        meaning="Small differences of hypotheses may come from the software rather than from the tuning.",
        remedy="Transcribe both runs in one environment on one kind of device.",
    ),
    # Texts that are not only speech.
    "text.markup": CauseKind(
        severity="blocks",
        title="Markup counts as words",
        meaning=(
            "Special tokens, time tokens, tags or prefixes in references or hypotheses are scored (or learnt) as words "
            "that nobody spoke. Warns where they move WER by no more than `text.max_effect`, or are in no more than "
            "`text.max_training_rows` of the training rows."
        ),
        remedy="Set `text.strip` to the kinds that were found, or remove them from the files.",
    ),
    "text.notation": CauseKind(
        severity="blocks",
        title="The WER counts how words are written",
        meaning=(
            "At least half of the baseline's WER, or of the difference between run and baseline, vanishes in another "
            "fair notation: digits against number words, contractions, spelling, compounds. Warns from a fifth of "
            "the baseline's WER on."
        ),
        remedy="Set `normalizer` to the one that gives the fairer number.",
    ),
    # Labels and loss that teach something else.
    "labels.loss_misaligned": CauseKind(
        severity="blocks",
        title="The loss is computed on the wrong tokens",
        meaning=(
            "The trainer's loss is not the cross entropy of the labels, so it can fall while the model learns "
            "nothing useful."
        ),
        remedy="Install the version of transformers pinned in requirements.txt, then run the diagnosis again.",
    ),
    "labels.construction": CauseKind(
        severity="blocks",
        title="Labels are built incorrectly",
        meaning="EOS, BOS, a prefix token or the mask is wrong, so the model learns to write wrong tokens.",
        remedy=(
            "Fix the label construction: EOS last, no decoder start token, padding -100, and `model.language` "
            "set where generation forces a language. Then run the diagnosis again."
        ),
    ),
    "labels.tokenizer_gaps": CauseKind(
        severity="blocks",
        title="The tokenizer cannot represent the transcripts",
        meaning="Characters are lost in tokenization and decoding, so the model is trained on other texts.",
        remedy="Rewrite the training transcripts with characters that the tokenizer knows.",
    ),
    "labels.style_mismatch": CauseKind(
        severity="blocks",
        title="Transcripts are written in another style than the model's",
        meaning="Training adapts to case and punctuation, which scoring ignores: the loss falls and WER stays.",
        remedy="Rewrite the training transcripts in the style of the model (case, punctuation, numbers).",
    ),
    "labels.too_long": CauseKind(
        severity="warns",
        title="Labels are longer than the decoder allows",
        meaning="These rows fail in training or lose their end, which teaches the model to stop too early.",
        remedy="Cut these rows into shorter ones, or remove them from the training manifest.",
    ),
    # A training run or an adapter that does not do what was configured.
    "adapter.no_target_modules": CauseKind(
        severity="blocks",
        title="The adapter has no module to adapt",
        meaning="`target_modules` or `modules_to_save` match nothing in the model.",
        remedy="Set `target_modules: auto` in the candidate, or use module names of this model.",
    ),
    "training.diverged": CauseKind(
        severity="blocks",
        title="Training diverged",
        meaning="The loss became infinite or NaN, or grew instead of falling; the weights are useless.",
        remedy=(
            "Look for a broken row near that step of the loss log, then train again in float32 or with a lower "
            "learning rate."
        ),
    ),
    "training.steps_short": CauseKind(
        severity="blocks",
        title="Fewer optimizer steps than planned",
        meaning="Training ended early, so its result says nothing about its settings.",
        remedy="Read the training log to find out why it stopped, then run the training to its end.",
    ),
    "training.no_gradient": CauseKind(
        severity="blocks",
        title="No gradient reaches the adapter",
        meaning="Adapted modules had a gradient of exactly zero at every step, so they cannot learn.",
        remedy=(
            "Check that these modules take part in the forward pass and that nothing detaches them (gradient "
            "checkpointing)."
        ),
    ),
    "training.lr_not_applied": CauseKind(
        severity="blocks",
        title="The learning rate was not applied",
        meaning="The optimizer's learning rate is zero or far from the configured one, or no weight changed.",
        remedy="Set the candidate's learning rate above 0 and its warm-up shorter than its steps.",
    ),
    "training.wrong_parameters": CauseKind(
        severity="blocks",
        title="Parameters outside the adapter were trained",
        meaning=(
            "The adapter file does not contain everything that was trained, so the saved model differs from the "
            "trained one."
        ),
        remedy=(
            "Freeze the base model before attaching the adapter, so that only adapter parameters require a gradient."
        ),
    ),
    "adapter.not_finite": CauseKind(
        severity="blocks",
        title="The adapter contains infinite or NaN values",
        meaning="Infinite or NaN weights make every output that depends on them useless.",
        remedy="Discard this adapter, find the step at which the loss stopped being finite, and train again.",
    ),
    "adapter.zero_delta": CauseKind(
        severity="blocks",
        title="The adapter changes no weight",
        meaning=(
            "Every weight change is zero or still the initial one (lora_B never moved, or alpha is 0): nothing "
            "was learned."
        ),
        remedy=(
            "Check that this is the last file that the training wrote; if it is, train again and check the "
            "gradients in the log."
        ),
    ),
    "adapter.not_loaded": CauseKind(
        severity="blocks",
        title="The adapter did not load into the model",
        meaning=(
            "Tensors of the file are missing in the model, or the model has adapter tensors that are not in the file."
        ),
        remedy=(
            "Load the adapter with the library version and model class that saved it, so that all tensor names match."
        ),
    ),
    "adapter.base_mismatch": CauseKind(
        severity="blocks",
        title="The adapter belongs to another base model",
        meaning=(
            "An adapter is only right on the weights it was trained on, and only once (not merged into them before)."
        ),
        remedy=(
            "Set `model.id` to the base model that the adapter was trained on, or train the adapter again on this one."
        ),
    ),
    "adapter.bypassed": CauseKind(
        severity="blocks",
        title="The adapter takes no part in generation",
        meaning=(
            "The adapter is loaded but inactive or not called, so the evaluation shows the base model. Warns if "
            "only some modules are not called."
        ),
        remedy="Activate the adapter and generate with the adapted model, not with a copy of the base model.",
    ),
    "adapter.no_text_change": CauseKind(
        severity="blocks",
        title="No hypothesis changes",
        meaning="Weights differ, but every hypothesis is the same with and without the tuning, so WER cannot change.",
        remedy=(
            "Check that the tuned transcripts were generated with this adapter; if they were, train with more "
            "steps or a higher learning rate."
        ),
    ),
    "adapter.broken_hypotheses": CauseKind(
        severity="blocks",
        title="Hypotheses of the run are no transcripts",
        meaning=(
            "Many of them loop, are empty, repeat one token or one sentence, or are in another language or none: a "
            "fault of decoding or number format more often than of what was learned."
        ),
        remedy="Read some transcripts of the run and fix its decoding before the WER is read at all.",
    ),
    # A comparison that cannot show anything.
    "headroom.baseline_broken": CauseKind(
        severity="blocks",
        title="The baseline does not work",
        meaning=(
            "Hypotheses are truncated, loop or are mostly wrong before any tuning: the input is at fault, not "
            "the weights."
        ),
        remedy=(
            "Listen to a few rows and read their hypotheses; fix the audio, the transcripts or the model folder first."
        ),
    ),
    "headroom.saturated": CauseKind(
        severity="blocks",
        title="The baseline leaves nothing to gain",
        meaning="WER is at its floor (`headroom.min_wer`) on this manifest, so no adapter can show an improvement.",
        remedy="Evaluate on a harder manifest from the target domain.",
    ),
    "headroom.underpowered": CauseKind(
        severity="blocks",
        title="The evaluation manifest is too small",
        meaning="The smallest difference that it can show is larger than the target gain (`statistics.target_gain`).",
        remedy="Add utterances, from more speakers, to this manifest.",
    ),
    "headroom.wrong_references": CauseKind(
        severity="warns",
        title="Wrong references decide the result",
        meaning=(
            "Listeners found references wrong, and without these the comparison ends differently, or little of the "
            "baseline's WER is left to gain."
        ),
        remedy="Correct the references of this manifest (`write-corrected`), then run the diagnosis again.",
    ),
    "headroom.reference_noise": CauseKind(
        severity="warns",
        title="Reference errors limit what tuning can gain",
        meaning="Some errors are in the references, not in the hypotheses.",
        remedy="Listen to the listed rows and correct their references.",
    ),
    # Data that cannot support a training.
    "data.wrong_durations": CauseKind(
        severity="blocks",
        title="Durations in the manifest are wrong",
        meaning="The duration filter uses numbers that the audio contradicts. Warns if enough rows remain.",
        remedy="Correct `duration` in these rows, or remove the key so that audio headers are read.",
    ),
    "data.wrong_sampling_rate": CauseKind(
        severity="blocks",
        title="Speech at the wrong speed",
        meaning=(
            "Speech is as much too slow or too fast as a wrong sampling rate in the headers makes it. Warns where the "
            "factor is not one of sampling rates."
        ),
        remedy=(
            "Listen to a few rows. If they are too slow or too low, write the recordings again with the right "
            "sampling rate in their headers; if this is how these people speak, raise `integrity.max_speed_ratio`."
        ),
    ),
    "data.wrong_offsets": CauseKind(
        severity="blocks",
        title="Pieces of one recording overlap",
        meaning=(
            "Rows take audio that belongs to other rows, so their transcripts are not what is spoken. A few such rows "
            "only warn."
        ),
        remedy="Write the `offset` and `duration` of each row again, in seconds from the start of its recording.",
    ),
    "data.transcript_mismatch": CauseKind(
        severity="blocks",
        title="Transcripts of other utterances",
        meaning=(
            "The transcript of these rows is not what is spoken, or only a part of it. A few such rows only warn."
        ),
        remedy="Listen to the listed rows and correct their transcripts.",
    ),
    "data.too_few_samples": CauseKind(
        severity="blocks",
        title="Too few training rows",
        meaning=(
            "No duration threshold leaves `durations.min_train_samples` rows: training will overfit and WER "
            "will not improve."
        ),
        remedy="Add recordings to the training manifest.",
    ),
    "data.filter_starves_training": CauseKind(
        severity="blocks",
        title="The duration filter removes too many rows",
        meaning="There are enough rows, but `durations.max_seconds` removes them.",
        remedy="Raise `durations.max_seconds`, or set it to `auto`.",
    ),
    "data.leakage": CauseKind(
        severity="blocks",
        title="Training and evaluation share rows",
        meaning="The evaluation contains training rows, so a gain proves nothing. Shared speakers alone only warn.",
        remedy="Remove the shared rows from the training manifest.",
    ),
    "data.unusable_rows": CauseKind(
        severity="blocks",
        title="Rows are rejected",
        meaning=(
            "These rows are not used, so there is less data than the manifest suggests. Up to "
            "`integrity.blocking_rejected` of the rows they only warn."
        ),
        remedy="Correct the field that the reason names, or remove the rows; `rejected.tsv` lists every line.",
    ),
    "data.unreadable_audio": CauseKind(
        severity="blocks",
        title="Audio files are missing or unreadable",
        meaning=(
            "These rows are not used, so there is less data than the manifest suggests. Warns up to "
            "`integrity.blocking_rejected` of the rows."
        ),
        remedy=(
            "Restore the files or remove the rows; `rejected.tsv` lists every line. The next run looks for missing "
            "files again; for replaced ones add `--forcerun inspect_audio`."
        ),
    ),
    "data.empty_transcripts": CauseKind(
        severity="blocks",
        title="Rows without transcript",
        meaning=(
            "These rows are not used, or an evaluation takes them as silent although somebody speaks; often a column "
            "was lost when the manifest was written. Warns up to `integrity.blocking_rejected` of the rows."
        ),
        remedy="Fill in the transcripts or remove the rows; `rejected.tsv` lists every line.",
    ),
    "data.duplicates": CauseKind(
        severity="blocks",
        title="Rows repeat an id or a recording",
        meaning=(
            "Only the first row of an id is used; a repeated recording counts twice in training and in every WER. "
            "Blocks only where `integrity.blocking_rejected` of the rows are rejected."
        ),
        remedy="Give every row its own id, or remove the repeated rows; `rejected.tsv` lists every line.",
    ),
    "data.exceeds_model_window": CauseKind(
        severity="warns",
        title="Audio is longer than the model's window",
        meaning="The model takes only the beginning of the audio but is trained and scored on the whole transcript.",
        remedy="Cut these recordings and their transcripts into shorter rows, or remove them.",
    ),
    "data.filter_biased": CauseKind(
        severity="warns",
        title="The duration filter removes one kind of row",
        meaning="Speakers, words or speaking rates disappear from training with the long rows, more than by chance.",
        remedy="Cut the long rows into shorter ones with their own transcripts.",
    ),
    "data.sample_rate_mismatch": CauseKind(
        severity="warns",
        title="Audio has less bandwidth than its sampling rate allows",
        meaning="8 kHz speech in a 16 kHz file is not what the model was trained on.",
        remedy="Use the original recordings.",
    ),
    "data.silent_audio": CauseKind(
        severity="blocks",
        title="Silent recordings",
        meaning=(
            "There is a transcript, but no audible speech: training on many such rows teaches the model to write text "
            "for silence. Warns up to `integrity.blocking_silent` of the rows."
        ),
        remedy="Replace these recordings, or remove their rows.",
    ),
    "data.clipped_audio": CauseKind(
        severity="warns",
        title="Clipped recordings",
        meaning="Clipping removes information that distinguishes words.",
        remedy="Replace these recordings with ones at a lower recording level.",
    ),
    "data.odd_characters": CauseKind(
        severity="warns",
        title="Invisible or look-alike characters in transcripts",
        meaning=(
            "Scoring ignores them where the language allows, but the model is trained to write them, and other tools "
            "count words with them as errors."
        ),
        remedy="Remove or replace these characters in the transcripts.",
    ),
    "data.constant_speaker": CauseKind(
        severity="warns",
        title="One speaker in every row",
        meaning=(
            "The split by speaker is impossible, and intervals hold for one speaker. If they really are several, the "
            "same people are in training and validation."
        ),
        remedy="Name the real speakers in the speaker column, or set `split.by_speaker: false` if it is one person.",
    ),
    "data.unstable_split": CauseKind(
        severity="warns",
        title="The split depends on its seed",
        meaning="Another seed leaves training too few rows, or keeps many of its speakers out.",
        remedy="Add rows or speakers to the training manifest.",
    ),
    # Explanations of a valid result.
    "adapter.excessive_delta": CauseKind(
        severity="warns",
        title="The adapter overwrites the base model",
        meaning="The change is as large as the weights themselves: forgetting and loops follow.",
        remedy="Add a sweep entry with a lower learning rate or alpha.",
    ),
    "training.overfit": CauseKind(
        severity="warns",
        title="Training overfits",
        meaning="The validation loss rises while the training loss continues to fall.",
        remedy="Add a sweep entry with fewer steps or with dropout; more training rows help more.",
    ),
    "training.best_not_kept": CauseKind(
        severity="warns",
        title="The best step was not kept",
        meaning="The evaluated weights are not those of the step with the lowest validation loss.",
        remedy="Validate at the steps at which weights are saved, so that the best step can be kept.",
    ),
    "adapter.worsens": CauseKind(
        severity="warns",
        title="The short run makes WER worse",
        meaning="The adapter takes effect, and what it learned is harmful on this manifest.",
        remedy="Add a sweep entry with a lower learning rate or fewer steps, and compare it with this run.",
    ),
    "adapter.words_in_silence": CauseKind(
        severity="warns",
        title="The run writes words where nobody speaks",
        meaning="Rows with an empty reference get words that the baseline does not write (hallucination).",
        remedy="Skip silence before decoding (voice activity detection), in the same way for both runs.",
    ),
    "adapter.negligible_delta": CauseKind(
        severity="warns",
        title="The adapter is too weak to matter",
        meaning="Weights and hypotheses hardly change, so an unchanged WER is expected.",
        remedy="Add a sweep entry with a higher learning rate, more steps or a larger alpha.",
    ),
    "adapter.partial_targets": CauseKind(
        severity="warns",
        title="Only a part of the model is adapted",
        meaning="The encoder or the decoder has no adapter, or some adapted modules never changed or have no effect.",
        remedy="Add a sweep entry with `target_modules: auto`, which adapts encoder and decoder.",
    ),
    "adapter.forgets": CauseKind(
        severity="warns",
        title="The adapter forgets general speech",
        meaning="WER on general speech rises.",
        remedy=(
            "Mix general rows into the training manifest, or add a sweep entry with a lower learning rate or "
            "fewer steps."
        ),
    ),
    "adapter.direction_mismatch": CauseKind(
        severity="warns",
        title="Two tuned runs change WER in opposite directions",
        meaning=(
            "One is better and one is worse than the baseline on the same manifest, so an important setting differs."
        ),
        remedy="Compare the settings of the two runs (training, adapter, decoding) before relying on either.",
    ),
}

RANK = {code: position for position, code in enumerate(CAUSES)}
