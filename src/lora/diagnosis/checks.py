"""Table of all checks: the question each one asks, the causes it may raise, and what it needs to be answered.

The criteria, the instructions for unknown checks and docs/checks.md are taken from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What the configuration must name before a check can be answered at all.
Requirement = Literal["training_manifest", "model", "candidate", "adapter"]


@dataclass(frozen=True, kw_only=True)
class CheckKind:
    """`needs` says what to provide where the check is unknown though everything in `requires` is configured.

    `cause_areas` (criteria only) are beginnings of the cause codes that explain a failure.
    `section` is the heading in docs/methods.md under which the method is described.
    """

    question: str
    section: str
    causes: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    needs: str = "Fix the failed step that should have written the files under evidence, then run the diagnosis again."
    criterion: bool = False
    cause_areas: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The anchor of `section` on GitHub."""
        text = "".join(c for c in self.section.lower() if c.isalnum() or c in " -_")
        return text.replace(" ", "-")


BASELINE_ROWS = "Provide rows with words, within `max_seconds`, and a baseline transcript of each."
AUDIT_ROWS = "Raise `labels.sample`, and provide rows whose transcripts fit into the decoder's limit."
TRAINER_LOG = "Train with this software, or put the trainer's log (`trainer_state.json`) next to the adapter."
SETTINGS_FILE = (
    "Write what is known about the run into `<stem>.settings.json` next to its transcripts (docs/candidates.md)."
)

CHECKS: dict[str, CheckKind] = {
    # The four criteria.
    "data_sufficiency": CheckKind(
        criterion=True,
        cause_areas=("data.",),
        question="Does the training split have enough rows?",
        causes=("data.too_few_samples", "data.filter_starves_training", "data.wrong_durations"),
        requires=("training_manifest",),
        section="Enough training rows",
    ),
    "headroom": CheckKind(
        criterion=True,
        cause_areas=("headroom.",),
        question="Is the baseline WER above `headroom.min_wer` on at least one domain manifest?",
        needs=BASELINE_ROWS,
        section="WER floor",
    ),
    "adapter_change": CheckKind(
        criterion=True,
        cause_areas=("adapter.", "training."),
        question="Does the adapter of the gate run change weights, logits and hypotheses?",
        requires=("candidate", "adapter"),
        section="Effect ladder",
    ),
    "parity": CheckKind(
        criterion=True,
        cause_areas=("parity.",),
        question="Were the baseline and the gate run transcribed and scored in the same way?",
        requires=("candidate",),
        needs=SETTINGS_FILE,
        section="Settings",
    ),
    # Data.
    "data.filtered_rows": CheckKind(
        question="Does the duration filter remove particular speakers, words or speaking rates?",
        causes=("data.filter_biased",),
        requires=("training_manifest",),
        section="Rows removed by the duration filter",
    ),
    "data.split_seeds": CheckKind(
        question="Would other split seeds leave enough training rows and speakers?",
        causes=("data.unstable_split",),
        requires=("training_manifest",),
        section="Other split seeds",
    ),
    "data.rejected_rows": CheckKind(
        question="Can every row of the manifest be used?",
        causes=("data.unreadable_audio", "data.empty_transcripts", "data.duplicates", "data.unusable_rows"),
        needs="Fix the manifest so that it can be read.",
        section="Rejected rows",
    ),
    "data.silent_rows": CheckKind(
        question="Are rows with an empty transcript silent?",
        causes=("data.empty_transcripts",),
        section="Rows without speech",
    ),
    "data.texts": CheckKind(
        question="Does each transcript belong to its audio?",
        causes=("data.transcript_mismatch",),
        needs="Provide baseline transcripts of this manifest with at least ten characters per row.",
        section="Transcripts of other utterances",
    ),
    "data.pieces": CheckKind(
        question="Do rows take different pieces of shared recordings?",
        causes=("data.wrong_offsets",),
        section="Pieces of shared recordings",
    ),
    "data.invisible_text": CheckKind(
        question="Do transcripts contain invisible characters or letters of another script?",
        causes=("data.odd_characters",),
        section="Invisible and look-alike characters",
    ),
    "data.speed": CheckKind(
        question="Is speech as fast as in the other manifests, and as people speak?",
        causes=("data.wrong_sampling_rate",),
        needs="Provide the recordings and run the whole diagnosis.",
        section="Speed of speech",
    ),
    "data.speakers": CheckKind(
        question="Does the training manifest name more than one speaker?",
        causes=("data.constant_speaker",),
        requires=("training_manifest",),
        section="Speaker column",
    ),
    "data.audio": CheckKind(
        question="Does every recording contain speech of the length that the manifest claims?",
        causes=(
            "data.wrong_durations",
            "data.silent_audio",
            "data.clipped_audio",
            "data.sample_rate_mismatch",
            "data.transcript_mismatch",
            "data.duplicates",
        ),
        needs="Provide the recordings and run the whole diagnosis.",
        section="Audio measurements",
    ),
    "data.model_window": CheckKind(
        question="Does every recording fit into the model's audio window?",
        causes=("data.exceeds_model_window",),
        section="Audio beyond the model's window",
    ),
    "data.overlap": CheckKind(
        question="Does the evaluation manifest share recordings, texts or speakers with training?",
        causes=("data.leakage",),
        requires=("training_manifest",),
        section="Overlap with training",
    ),
    "data.replay_overlap": CheckKind(
        question="Does the evaluation manifest share recordings, texts or speakers with `replay`, where there is one?",
        causes=("data.leakage",),
        requires=("training_manifest",),
        section="Overlap with training",
    ),
    # Headroom.
    "headroom.baseline": CheckKind(
        question="Is the baseline WER on this manifest above `headroom.min_wer`?",
        causes=("headroom.saturated",),
        needs=BASELINE_ROWS,
        section="WER floor",
    ),
    "headroom.baseline_works": CheckKind(
        question="Does the baseline transcribe this manifest without truncation, loops or mostly wrong words?",
        causes=("headroom.baseline_broken",),
        needs=BASELINE_ROWS,
        section="Baseline health",
    ),
    "headroom.style": CheckKind(
        question="How many of the baseline's errors are only spelling?",
        causes=("headroom.saturated",),
        needs=BASELINE_ROWS,
        section="Kinds of errors",
    ),
    "headroom.references": CheckKind(
        question="Do all runs contradict the same reference words?",
        causes=("headroom.reference_noise",),
        needs="Provide a training manifest and a candidate whose hypotheses differ from most of the baseline's.",
        section="Suspected reference errors",
    ),
    "headroom.reachable": CheckKind(
        question="Is the target gain smaller than the WER that tuning could remove at most?",
        needs=BASELINE_ROWS,
        section="Upper bound of the gain",
    ),
    "headroom.reviews": CheckKind(
        question="Would the result be another one without the references that listeners found wrong?",
        causes=("headroom.wrong_references",),
        section="Reviewed references",
    ),
    "headroom.judgements": CheckKind(
        question="Can every line of the review files be used?",
        section="Reviewed references",
    ),
    "headroom.power": CheckKind(
        question="Is the manifest large enough to show the target gain?",
        causes=("headroom.underpowered",),
        section="Power",
    ),
    # Texts.
    "text.words_only": CheckKind(
        question="Do transcripts contain only what is spoken, without tokens, tags or prefixes?",
        causes=("text.markup",),
        section="Markup in transcripts",
    ),
    "text.same_notation": CheckKind(
        question="Does the WER count words rather than how they are written?",
        causes=("text.notation",),
        needs=BASELINE_ROWS,
        section="Notation",
    ),
    # Labels.
    "labels.structure": CheckKind(
        question="Do labels end with EOS, start with the right prefix and mask the padding?",
        causes=("labels.construction",),
        requires=("model",),
        needs=AUDIT_ROWS,
        section="Label structure",
    ),
    "labels.greedy_hypotheses": CheckKind(
        question="Does the model predict labels that are built from its own greedy hypotheses?",
        causes=("labels.construction",),
        requires=("model",),
        needs=AUDIT_ROWS,
        section="Greedy hypotheses as labels",
    ),
    "labels.loss": CheckKind(
        question="Is the trainer's loss the cross entropy of the labels?",
        causes=("labels.loss_misaligned",),
        requires=("model",),
        needs=AUDIT_ROWS,
        section="Training loss",
    ),
    "labels.style": CheckKind(
        question="Are the transcripts written in the model's style (case, punctuation, numbers)?",
        causes=("labels.style_mismatch",),
        requires=("model",),
        needs="Raise the token cap of the model, or `labels.sample`.",
        section="Transcript style",
    ),
    "labels.tokenizer": CheckKind(
        question="Do transcripts survive tokenization and decoding unchanged?",
        causes=("labels.tokenizer_gaps",),
        requires=("model",),
        needs=AUDIT_ROWS,
        section="Tokenizer coverage",
    ),
    "labels.length": CheckKind(
        question="Do labels fit into the decoder?",
        causes=("labels.too_long",),
        requires=("model",),
        needs=AUDIT_ROWS,
        section="Label length",
    ),
    # Training.
    "training.history": CheckKind(
        question="Is there a record of how the adapter was trained?",
        needs="",  # the summary names the missing file
        section="Training history",
    ),
    "training.loss": CheckKind(
        question="Did the training loss stay finite and fall?",
        causes=("training.diverged",),
        needs=TRAINER_LOG,
        section="Loss curve",
    ),
    "training.parameters": CheckKind(
        question="Were only the adapter's parameters trained?",
        causes=("training.wrong_parameters",),
        needs=TRAINER_LOG,
        section="Trained parameters",
    ),
    "training.steps": CheckKind(
        question="Did the training take all planned steps?",
        causes=("training.steps_short",),
        needs=TRAINER_LOG,
        section="Steps and learning rate",
    ),
    "training.gradient_flow": CheckKind(
        question="Did every adapted module receive gradients?",
        causes=("training.no_gradient",),
        needs=TRAINER_LOG,
        section="Trained parameters",
    ),
    "training.learning_rate": CheckKind(
        question="Did the optimizer use the configured learning rate?",
        causes=("training.lr_not_applied",),
        needs=TRAINER_LOG,
        section="Steps and learning rate",
    ),
    "training.validation": CheckKind(
        question="Did the validation loss stay near its lowest value?",
        causes=("training.overfit",),
        needs=TRAINER_LOG,
        section="Validation",
    ),
    "training.movement": CheckKind(
        question="Did the adapter's weights change?",
        causes=("training.lr_not_applied",),
        needs=TRAINER_LOG,
        section="Trained parameters",
    ),
    "training.best": CheckKind(
        question="Are the evaluated weights those of the best step?",
        causes=("training.best_not_kept",),
        needs=TRAINER_LOG,
        section="Validation",
    ),
    # The effect ladder.
    "adapter.file": CheckKind(
        question="Can the adapter's files be read, and are its weights finite and not zero?",
        causes=("adapter.not_finite", "adapter.zero_delta"),
        requires=("adapter",),
        section="Adapter file",
    ),
    "adapter.load": CheckKind(
        question="Did every tensor of the adapter load into the base model that it was trained on?",
        causes=(
            "adapter.no_target_modules",
            "adapter.not_loaded",
            "adapter.base_mismatch",
            "adapter.bypassed",
            "adapter.not_finite",
        ),
        requires=("adapter",),
        section="Adapter loading",
    ),
    "adapter.weights": CheckKind(
        question="How large is the change compared with the weights it changes?",
        causes=("adapter.zero_delta", "adapter.excessive_delta", "adapter.negligible_delta"),
        requires=("adapter",),
        section="Weight change",
    ),
    "adapter.logits": CheckKind(
        question="Do logits differ with the adapter switched on and off?",
        causes=("adapter.bypassed", "adapter.not_finite"),
        requires=("adapter",),
        section="Logits",
    ),
    "adapter.text": CheckKind(
        question="Do hypotheses differ from the baseline's?",
        causes=("adapter.bypassed", "adapter.no_text_change"),
        requires=("adapter",),
        section="Hypotheses",
    ),
    "adapter.targets": CheckKind(
        question="Which module groups of the model are adapted?",
        causes=("adapter.partial_targets", "training.no_gradient"),
        section="Adapted module groups",
    ),
    "adapter.calls": CheckKind(
        question="Is every adapted module called during generation?",
        causes=("adapter.bypassed",),
        section="Hypotheses",
    ),
    "adapter.hypotheses": CheckKind(
        question="Are the hypotheses of the run transcripts, as the baseline's are?",
        causes=("adapter.broken_hypotheses", "adapter.words_in_silence"),
        needs="Provide transcripts of this run for the same rows of the manifest.",
        section="Faulty hypotheses",
    ),
    "adapter.outcome": CheckKind(
        question="Is the run worse than the baseline on the evaluation manifest?",
        causes=("adapter.worsens",),
        needs="Provide transcripts of this run for the same rows of the manifest.",
        section="Outcome and direction",
    ),
    "adapter.general_set": CheckKind(
        question="Does the run keep its WER on the general manifest?",
        causes=("adapter.forgets",),
        needs="Name a general manifest in `roles.general`, with enough rows for an interval within the margin.",
        section="Non-inferiority",
    ),
    "adapter.direction": CheckKind(
        question="Do two candidates change WER in the same direction?",
        causes=("adapter.direction_mismatch",),
        section="Outcome and direction",
    ),
    # Parity.
    "parity.settings": CheckKind(
        question="Do baseline and candidate share rows, base model, decoding, audio preparation and normalizer?",
        causes=(
            "parity.manifest",
            "parity.base_model",
            "parity.normalization",
            "parity.preprocessing",
            "parity.decode",
            "parity.padding",
            "parity.software",
        ),
        needs=SETTINGS_FILE,
        section="Settings",
    ),
    "parity.ids": CheckKind(
        question="Was every imported hypothesis matched to a row?",
        needs=SETTINGS_FILE,
        section="Imported hypotheses and their rows",
    ),
    "parity.hypotheses": CheckKind(
        question="Does each imported hypothesis belong to the row it is assigned to?",
        causes=("parity.manifest",),
        needs="Provide transcripts of more than a few words per row.",
        section="Mismatched hypotheses",
    ),
    "parity.texts": CheckKind(
        question="Are imported hypotheses other texts than the references?",
        causes=("parity.copied_references",),
        section="Copied references",
    ),
}

# Criteria with the beginnings of the cause codes that explain why they fail.
CRITERIA = {id: kind.cause_areas for id, kind in CHECKS.items() if kind.criterion}
