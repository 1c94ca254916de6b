"""Every result file of a study: its path, the record it contains, the rule that writes it, and when a study has it.

`RESULTS` lists the files in the order data flows. Diagnosis and report read them through `lora.results`, the workflow
takes the facts that a study needs from `required_facts`, evidence paths come from `ResultFile.path`, and
docs/results.md is generated from the table. A test compares the table with the outputs of the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from lora.records.base import ManyRecord, Record
from lora.records.comparisons import PairedFacts, SweepRow
from lora.records.durations import DurationDecision, DurationRow, MaxSeconds, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.hardening import HardenedFacts
from lora.records.in_run import InRunFacts
from lora.records.integrity import AudioMeasure, LeakageFacts, MismatchFacts
from lora.records.labels import LabelFacts
from lora.records.manifests import ManifestFacts, RejectedRow, Utterance
from lora.records.parity import ParityFacts
from lora.records.provenance import RunRecord
from lora.records.reachable import ReachableFacts
from lora.records.reviews import RejectedJudgement, ReviewedRow, ReviewFacts
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.splits import SplitSizes, StabilityFacts
from lora.records.sweep import HypothesisResults, SweepFacts
from lora.records.training import EvaluationRow, LossRow, TrainFacts
from lora.records.transcripts import ImportFacts, Transcript
from lora.records.verdict import Gate, SweepGate, Verdict

R = TypeVar("R", bound=Record | ManyRecord)
T = TypeVar("T")

BASE = "base"
TRAIN = "train"
REPLAY = "replay"  # general speech that is mixed into training batches
NOT_EVALUATED = (TRAIN, REPLAY)
PLOT_FORMATS = ("png", "svg")
COMMANDS = "commands.sh"  # the commands of all steps; written when documents are published

Stage = Literal["data", "baseline", "candidates", "comparison", "verdict", "report", "sweep"]
STAGES: tuple[Stage, ...] = ("data", "baseline", "candidates", "comparison", "verdict", "report", "sweep")

# Which runs have a file: the baseline, candidates by their kind, entries of the sweep, the baseline only where its
# transcripts are imported, and trainings that are evaluated while they run (`eval_rows`).
RunKind = Literal["base", "train", "adapter", "checkpoint", "hypotheses", "sweep", "imported base", "evaluated"]
EVERY_RUN: tuple[RunKind, ...] = ("base", "train", "adapter", "checkpoint", "hypotheses")
CANDIDATES: tuple[RunKind, ...] = ("train", "adapter", "checkpoint", "hypotheses")

# Which manifests have a file: all, the evaluation manifests, those with a transcript by the base model (the evaluation
# manifests and, in a study with a model, the training manifest), or those whose audio is inside their tables.
ManifestKind = Literal["all", "evaluation", "transcribed", "packed"]
Need = Literal["model", "training", "replay", "harden", "reviews"]


@dataclass(frozen=True, kw_only=True)
class ResultFile(Generic[R]):
    """One kind of file in a results folder.

    Attributes:
        name: Key of the file in this table.
        pattern: Path relative to the results folder, with the wildcards {run}, {manifest} and, of plots, {format}.
        record: Record that the file contains: once (`.json`), per line (`.jsonl`) or per table row (`.tsv`).
        rules: Rules of the workflow that write it.
        stage: Stage of the diagnosis that it belongs to.
        contents: What the file is, for docs/results.md.
        runs: Kinds of runs that have the file; empty where the path has no {run}.
        manifests: Manifests that have the file; None where the path has no {manifest}.
        needs: What a study must have for the file: a model, a training manifest, a replay manifest, `headroom.harden`,
            files of `reviews`.
        fact: Whether the verdict and the report read it.
    """

    name: str
    pattern: str
    record: type[R] | None = None
    rules: tuple[str, ...]
    stage: Stage
    contents: str
    runs: tuple[RunKind, ...] = ()
    manifests: ManifestKind | None = None
    needs: tuple[Need, ...] = ()
    fact: bool = False

    def path(self, **wildcards: str) -> str:
        """Path relative to the results folder, e.g. `PAIRED.path(run="lora", manifest="domain")`."""
        return self.pattern.format(**wildcards)

    def in_study(self, **wildcards: str) -> str:
        """Path relative to the study's folder: `results/...`, as rules name it."""
        return f"results/{self.path(**wildcards)}"

    def match(self, path: str) -> dict[str, str] | None:
        """Wildcards of a path of this kind; None for a path of another kind."""
        found = re.fullmatch(_regex(self.pattern), path)
        return None if found is None else found.groupdict()

    def paths(self, config: Mapping[str, Any]) -> list[str]:
        """Paths of all files of this kind in a study."""
        if not all(_has(config, need) for need in self.needs):
            return []
        runs = runs_of(config, self.runs) if self.runs else [""]
        manifests = manifests_of(config, self.manifests) if self.manifests else [""]
        formats = PLOT_FORMATS if "{format}" in self.pattern else ("",)
        return [
            self.path(run=run, manifest=manifest, format=extension)
            for run in runs
            for manifest in manifests
            for extension in formats
        ]


def _regex(pattern: str) -> str:
    name = "[A-Za-z0-9][A-Za-z0-9_-]*"
    return re.sub(r"\\\{(\w+)\\\}", rf"(?P<\1>{name})", re.escape(pattern))


CONFIG: ResultFile[Record] = ResultFile(
    name="config", pattern="config.json", rules=("record_config",), stage="data",
    contents="The complete configuration, defaults filled in (docs/configuration.md).",
)  # fmt: skip
AUDIO: ResultFile[Record] = ResultFile(
    name="audio", pattern="audio/{manifest}", rules=("unpack_audio",), stage="data", manifests="packed",
    contents="Folder of the recordings that are inside a manifest's tables, one audio file per row.",
)  # fmt: skip
AUDIO_RECORD = ResultFile(
    name="audio_record", pattern="audio/{manifest}.run.json", record=RunRecord, rules=("unpack_audio",), stage="data",
    manifests="packed", contents="Record of the job that wrote these recordings, which changes whenever they do.",
)  # fmt: skip
INTEGRITY = ResultFile(
    name="integrity", pattern="integrity/{manifest}.tsv", record=AudioMeasure, rules=("inspect_audio",), stage="data",
    manifests="all", fact=True, contents="Measurements of the decoded audio, one row per usable line of the manifest.",
)  # fmt: skip
ROWS = ResultFile(
    name="rows", pattern="manifests/{manifest}.jsonl", record=Utterance, rules=("validate_manifest",), stage="data",
    manifests="all", contents="The usable rows of a manifest in canonical form.",
)  # fmt: skip
REJECTED = ResultFile(
    name="rejected", pattern="manifests/{manifest}.rejected.tsv", record=RejectedRow, rules=("validate_manifest",),
    stage="data", manifests="all", fact=True, contents="Every line of a manifest that cannot be used, with the reason.",
)  # fmt: skip
MANIFEST_FACTS = ResultFile(
    name="manifest_facts", pattern="manifests/{manifest}.facts.json", record=ManifestFacts,
    rules=("validate_manifest",), stage="data", manifests="all", fact=True,
    contents="How a manifest was read, and its size.",
)  # fmt: skip
LEAKAGE = ResultFile(
    name="leakage", pattern="leakage/{manifest}.json", record=LeakageFacts, rules=("compare_training",), stage="data",
    manifests="evaluation", needs=("training",), fact=True,
    contents="Rows and speakers that an evaluation manifest shares with the training manifest.",
)  # fmt: skip
REPLAY_LEAKAGE = ResultFile(
    name="replay_leakage", pattern="leakage/replay/{manifest}.json", record=LeakageFacts, rules=("compare_replay",),
    stage="data", manifests="evaluation", needs=("training", "replay"), fact=True,
    contents="The same for the manifest `replay`, which trainings mix in.",
)  # fmt: skip
DURATIONS = ResultFile(
    name="durations", pattern="durations/{manifest}.tsv", record=DurationRow, rules=("profile_durations",),
    stage="data", manifests="all", contents="What each duration threshold keeps of one manifest.",
)  # fmt: skip
DURATION_SUMMARY = ResultFile(
    name="duration_summary", pattern="durations/summary.tsv", record=DurationRow, rules=("summarise_durations",),
    stage="data", fact=True, contents="The duration tables of all manifests in one table.",
)  # fmt: skip
DECISION = ResultFile(
    name="decision", pattern="durations/decision.json", record=DurationDecision, rules=("choose_max_seconds",),
    stage="data", needs=("training",), fact=True, contents="How `max_seconds` was chosen, and the alternatives.",
)  # fmt: skip
MAX_SECONDS = ResultFile(
    name="max_seconds", pattern="max_seconds.json", record=MaxSeconds, rules=("choose_max_seconds",), stage="data",
    needs=("training",), contents="The value of `max_seconds` alone, on which the files below depend.",
)  # fmt: skip
RETENTION = ResultFile(
    name="retention", pattern="durations/retention.json", record=RetentionFacts, rules=("profile_retention",),
    stage="data", needs=("training",), fact=True,
    contents="Speakers and words that duration thresholds keep and drop in the training manifest.",
)  # fmt: skip
SPLIT_TRAIN = ResultFile(
    name="split_train", pattern="splits/train.jsonl", record=Utterance, rules=("split_training",), stage="data",
    needs=("training",), contents="Rows that training uses.",
)  # fmt: skip
SPLIT_REPLAY = ResultFile(
    name="split_replay", pattern="splits/replay.jsonl", record=Utterance, rules=("filter_replay",), stage="data",
    needs=("training", "replay"), contents="Rows of `replay` within `max_seconds`, which trainings may mix in.",
)  # fmt: skip
SPLIT_VALIDATION = ResultFile(
    name="split_validation", pattern="splits/val.jsonl", record=Utterance, rules=("split_training",), stage="data",
    needs=("training",), contents="Rows held out of the training manifest for validation.",
)  # fmt: skip
SPLIT_SIZES = ResultFile(
    name="split_sizes", pattern="splits/sizes.tsv", record=SplitSizes, rules=("split_training",), stage="data",
    needs=("training",), fact=True, contents="Size of each part of the split.",
)  # fmt: skip
STABILITY = ResultFile(
    name="stability", pattern="splits/stability.json", record=StabilityFacts, rules=("try_split_seeds",),
    stage="data", needs=("training",), fact=True, contents="The split at `max_seconds` with other seeds.",
)  # fmt: skip
LABELS = ResultFile(
    name="labels", pattern="labels.json", record=LabelFacts, rules=("audit_labels",), stage="baseline",
    needs=("model",), fact=True, contents="The label audit: a sample of training labels, checked with the base model.",
)  # fmt: skip
LABEL_HYPOTHESES = ResultFile(
    name="label_hypotheses", pattern="labels.hypotheses.jsonl", record=Transcript, rules=("audit_labels",),
    stage="baseline", needs=("model",),
    contents="Greedy hypotheses of the base model for the sample of the label audit.",
)  # fmt: skip
HARDENED = ResultFile(
    name="hardened", pattern="hardened.json", record=HardenedFacts, rules=("harden_manifest",), stage="baseline",
    needs=("model", "harden"), fact=True,
    contents="Baseline WER on distorted versions of a saturated evaluation manifest.",
)  # fmt: skip
ADAPTER_BEST: ResultFile[Record] = ResultFile(
    name="adapter_best", pattern="adapters/{run}/best", rules=("train_adapter", "train_and_evaluate"),
    stage="candidates", runs=("train", "sweep"), needs=("model",),
    contents="Folder of the adapter at the best step (PEFT files).",
)  # fmt: skip
ADAPTER_LAST: ResultFile[Record] = ResultFile(
    name="adapter_last", pattern="adapters/{run}/last", rules=("train_adapter", "train_and_evaluate"),
    stage="candidates", runs=("train", "sweep"), needs=("model",),
    contents="Folder of the adapter at the last step (PEFT files).",
)  # fmt: skip
TRAINING = ResultFile(
    name="training", pattern="adapters/{run}/train.json", record=TrainFacts,
    rules=("train_adapter", "train_and_evaluate", "import_training"), stage="candidates",
    runs=("train", "adapter", "checkpoint"), needs=("model",), fact=True,
    contents="Settings and outcome of a training; of an external adapter or checkpoint, what its trainer recorded.",
)  # fmt: skip
LOSS = ResultFile(
    name="loss", pattern="adapters/{run}/loss.tsv", record=LossRow, rules=("train_adapter", "train_and_evaluate"),
    stage="candidates", runs=("train", "sweep"), needs=("model",),
    contents="Loss log of a training, one row per logged step.",
)  # fmt: skip
EVALUATIONS = ResultFile(
    name="evaluations", pattern="adapters/{run}/evaluations.tsv", record=EvaluationRow, rules=("train_and_evaluate",),
    stage="candidates", runs=("evaluated",), needs=("model",),
    contents="Word errors of evaluation manifests while a training runs (`eval_rows`), for looking only.",
)  # fmt: skip
IN_RUN_TRANSCRIPTS = ResultFile(
    name="in_run_transcripts", pattern="adapters/{run}/in_run/{manifest}.jsonl", record=Transcript,
    rules=("train_and_evaluate",), stage="candidates", runs=("evaluated",), manifests="evaluation", needs=("model",),
    contents="Hypotheses of the last evaluation while a training runs, one line per row.",
)  # fmt: skip
TRANSCRIPTS = ResultFile(
    name="transcripts", pattern="transcripts/{run}/{manifest}.jsonl", record=Transcript,
    rules=("transcribe_run", "merge_shards", "import_transcripts"),
    stage="candidates", runs=EVERY_RUN, manifests="evaluation",
    contents="Hypotheses of a run, one line per row.",
)  # fmt: skip
SETTINGS = ResultFile(
    name="settings", pattern="transcripts/{run}/{manifest}.settings.json", record=RunSettings,
    rules=("transcribe_run", "merge_shards", "import_transcripts"),
    stage="candidates", runs=EVERY_RUN, manifests="evaluation",
    fact=True, contents="Settings that the transcripts were computed with, as far as they are recorded.",
)  # fmt: skip
IMPORT = ResultFile(
    name="import", pattern="transcripts/{run}/{manifest}.import.json", record=ImportFacts,
    rules=("import_transcripts",), stage="candidates", runs=("imported base", "hypotheses"), manifests="evaluation",
    fact=True, contents="How external transcripts were matched to the rows of a manifest.",
)  # fmt: skip
WER = ResultFile(
    name="wer", pattern="wer/{run}/{manifest}.json", record=WerFacts, rules=("score_run",), stage="candidates",
    runs=EVERY_RUN, manifests="evaluation", fact=True, contents="WER and CER of a run, with every word error.",
)  # fmt: skip
MISMATCHES = ResultFile(
    name="mismatches", pattern="mismatches/{manifest}.json", record=MismatchFacts, rules=("match_texts",),
    stage="baseline", manifests="transcribed", fact=True,
    contents="Rows whose audio matches the transcript of another row, by hypotheses of the base model.",
)  # fmt: skip
RUN_MISMATCHES = ResultFile(
    name="run_mismatches", pattern="mismatches/{run}/{manifest}.json", record=MismatchFacts,
    rules=("match_hypotheses",), stage="candidates", runs=("hypotheses",), manifests="evaluation", fact=True,
    contents="The same by the hypotheses of imported transcripts: are they in the right order?",
)  # fmt: skip
EFFECT = ResultFile(
    name="effect", pattern="effect/{run}.json", record=EffectFacts, rules=("measure_effect", "compare_models"),
    stage="candidates", runs=("train", "adapter", "checkpoint"), needs=("model",), fact=True,
    contents="Effect ladder: what an adapter (or a tuned checkpoint) changes in files, weights, logits and text.",
)  # fmt: skip
IN_RUN = ResultFile(
    name="in_run", pattern="in_run/{run}.json", record=InRunFacts, rules=("compare_in_run",), stage="comparison",
    runs=("evaluated",), needs=("model",),
    contents="The saved adapter alone, compared text by text with the last evaluation while it was trained.",
)  # fmt: skip
PAIRED = ResultFile(
    name="paired", pattern="paired/{run}/{manifest}.json", record=PairedFacts, rules=("compare_runs",),
    stage="comparison", runs=CANDIDATES, manifests="evaluation", fact=True,
    contents="Difference in WER between a candidate and the baseline on the same utterances.",
)  # fmt: skip
REACHABLE = ResultFile(
    name="reachable", pattern="reachable/{manifest}.json", record=ReachableFacts, rules=("split_errors",),
    stage="comparison", manifests="evaluation", fact=True,
    contents="The baseline's word errors by origin, and so how many of them tuning could fix.",
)  # fmt: skip
PARITY = ResultFile(
    name="parity", pattern="parity/{run}.json", record=ParityFacts, rules=("compare_settings",), stage="comparison",
    runs=CANDIDATES, fact=True, contents="Settings of a candidate compared with the baseline's, one by one.",
)  # fmt: skip
JUDGEMENTS = ResultFile(
    name="judgements", pattern="reviews/judgements.jsonl", record=ReviewedRow, rules=("read_reviews",),
    stage="comparison", needs=("reviews",), contents="What listeners found, one line per judged row of any manifest.",
)  # fmt: skip
REJECTED_JUDGEMENTS = ResultFile(
    name="rejected_judgements", pattern="reviews/rejected.tsv", record=RejectedJudgement, rules=("read_reviews",),
    stage="comparison", needs=("reviews",), fact=True,
    contents="Every line of a review file that cannot be used, with the reason.",
)  # fmt: skip
REVIEW = ResultFile(
    name="review", pattern="reviews/{manifest}.json", record=ReviewFacts, rules=("score_reviews",), stage="comparison",
    manifests="evaluation", needs=("reviews",), fact=True,
    contents="What listeners found in a manifest, and the WERs with and without wrong references.",
)  # fmt: skip
VERDICT = ResultFile(
    name="verdict", pattern="verdict.json", record=Verdict, rules=("decide_verdict",), stage="verdict",
    contents="Checks, causes and outcomes (src/lora/schemas/verdict.schema.json).",
)  # fmt: skip
GATE = ResultFile(
    name="gate", pattern="gate.json", record=Gate, rules=("decide_verdict",), stage="verdict",
    contents="Whether the study is ready for a sweep; decides the exit code of `snakemake gate`.",
)  # fmt: skip
DURATION_PLOT: ResultFile[Record] = ResultFile(
    name="duration_plot", pattern="plots/durations.{format}", rules=("plot_durations",), stage="report",
    needs=("training",), contents="Plot of the durations of the training manifest.",
)  # fmt: skip
RETENTION_PLOT: ResultFile[Record] = ResultFile(
    name="retention_plot", pattern="plots/retention.{format}", rules=("plot_retention",), stage="report",
    needs=("training",), contents="Plot of what duration thresholds keep.",
)  # fmt: skip
WER_PLOT: ResultFile[Record] = ResultFile(
    name="wer_plot", pattern="plots/wer.{format}", rules=("plot_wer",), stage="report",
    contents="Plot of the WER of every run on every evaluation manifest.",
)  # fmt: skip
BASELINE_PLOT: ResultFile[Record] = ResultFile(
    name="baseline_plot", pattern="plots/baseline.{format}", rules=("plot_baseline",), stage="baseline",
    contents="Plot of the baseline's WER on every evaluation manifest; of the target `baseline` alone.",
)  # fmt: skip
LOSS_PLOT: ResultFile[Record] = ResultFile(
    name="loss_plot", pattern="plots/loss.{run}.{format}", rules=("plot_loss",), stage="report", runs=("train",),
    needs=("model",), contents="Plot of the losses of a training.",
)  # fmt: skip
WEIGHTS_PLOT: ResultFile[Record] = ResultFile(
    name="weights_plot", pattern="plots/weights.{run}.{format}", rules=("plot_weights",), stage="report",
    runs=("train", "adapter", "checkpoint"), needs=("model",),
    contents="Plot of how far each adapted module differs from the base model.",
)  # fmt: skip
REPORT: ResultFile[Record] = ResultFile(
    name="report", pattern="report/index.html", rules=("render_report",), stage="report",
    contents="The full report as one HTML page with its plots, which needs no other file.",
)  # fmt: skip
LANDING: ResultFile[Record] = ResultFile(
    name="landing", pattern="report/verdict.txt", rules=("render_report",), stage="report",
    contents="Verdict, next step and the numbers that decide as text, on which the report of Snakemake opens.",
)  # fmt: skip
SOUNDS: ResultFile[Record] = ResultFile(
    name="sounds", pattern="sounds/{manifest}", rules=("prepare_sounds",), stage="report", manifests="transcribed",
    contents="Folder with the waveform of every row for the listening page (`sounds.jsonl`) and, as WAV, the rows that "
    "a browser cannot play as they are.",
)  # fmt: skip
LISTEN: ResultFile[Record] = ResultFile(
    name="listen", pattern="listen", rules=("render_listening_page",), stage="report",
    contents="Folder of the listening page (`index.html`, docs/listening.md), with all alignments as text "
    "(`aligned.txt`).",
)  # fmt: skip

SWEEP_GATE = ResultFile(
    name="sweep_gate", pattern="sweep_gate.json", record=SweepGate, rules=("open_sweep",), stage="sweep",
    contents="The gate when the sweep was started, and the reason if it was started against the gate.",
)  # fmt: skip
SWEEP = ResultFile(
    name="sweep", pattern="sweep.tsv", record=SweepRow, rules=("summarise_sweep",), stage="sweep",
    contents="Outcome of every entry of the sweep on every evaluation manifest.",
)  # fmt: skip
RECIPES = ResultFile(
    name="recipes", pattern="recipes.json", record=SweepFacts, rules=("compare_recipes",), stage="sweep",
    contents="Recipes (runs that differ in the seed alone) compared with the base model and with each other.",
)  # fmt: skip
HYPOTHESES = ResultFile(
    name="hypotheses", pattern="hypotheses.json", record=HypothesisResults, rules=("decide_hypotheses",), stage="sweep",
    contents="Every hypothesis of the configuration: supported, refuted, undecided, or not run.",
)  # fmt: skip
LEVELS_PLOT: ResultFile[Record] = ResultFile(
    name="levels_plot", pattern="plots/sweep.levels.{format}", rules=("plot_sweep",), stage="sweep",
    contents="Plot of WER over the settings that the sweep varies, with seeds as points.",
)  # fmt: skip
TRADEOFF_PLOT: ResultFile[Record] = ResultFile(
    name="tradeoff_plot", pattern="plots/sweep.tradeoff.{format}", rules=("plot_sweep",), stage="sweep",
    contents="Plot of domain gain against general loss, one point per recipe.",
)  # fmt: skip
CURVE_PLOT: ResultFile[Record] = ResultFile(
    name="curve_plot", pattern="plots/sweep.curve.{format}", rules=("plot_sweep",), stage="sweep",
    contents="Plot of WER over the share of the training data, extrapolated to the target gain.",
)  # fmt: skip

RESULTS: tuple[ResultFile[Any], ...] = (
    CONFIG, AUDIO, AUDIO_RECORD, INTEGRITY, ROWS, REJECTED, MANIFEST_FACTS, LEAKAGE, REPLAY_LEAKAGE, DURATIONS,
    DURATION_SUMMARY, DECISION, MAX_SECONDS, RETENTION, SPLIT_TRAIN, SPLIT_REPLAY, SPLIT_VALIDATION, SPLIT_SIZES,
    STABILITY, ADAPTER_BEST, ADAPTER_LAST, TRAINING, LOSS, EVALUATIONS, IN_RUN_TRANSCRIPTS, TRANSCRIPTS, SETTINGS,
    IMPORT, WER,
    LABELS, LABEL_HYPOTHESES, MISMATCHES, RUN_MISMATCHES, HARDENED, EFFECT, IN_RUN, PAIRED, REACHABLE, PARITY,
    JUDGEMENTS, REJECTED_JUDGEMENTS, REVIEW, VERDICT, GATE, DURATION_PLOT, RETENTION_PLOT, WER_PLOT, BASELINE_PLOT,
    LOSS_PLOT, WEIGHTS_PLOT, REPORT, LANDING, SOUNDS, LISTEN, SWEEP_GATE, SWEEP, RECIPES, HYPOTHESES, LEVELS_PLOT,
    TRADEOFF_PLOT, CURVE_PLOT,
)  # fmt: skip

# What a target other than the diagnosis computes: the baseline alone, the listening page, or the sweep.
OTHER_TARGETS = (BASELINE_PLOT, SOUNDS, LISTEN, IN_RUN)


def runs_of(config: Mapping[str, Any], kinds: Iterable[RunKind]) -> list[str]:
    """Runs of a study that are of one of the kinds: the baseline first, then in the configuration's order."""
    kinds = set(kinds)
    imported = "imported base" in kinds and config.get("base") is not None
    runs = [BASE] if BASE in kinds or imported else []
    candidates = config.get("candidates") or {}
    runs += [run for run, candidate in candidates.items() if not kinds.isdisjoint(candidate)]
    sweep = config.get("sweep") or {}
    if "evaluated" in kinds:
        trained = {run: candidate.get("train") for run, candidate in candidates.items()} | sweep
        runs += [run for run, settings in trained.items() if (settings or {}).get("eval_rows")]
    return runs + (list(sweep) if "sweep" in kinds else [])


def manifests_of(config: Mapping[str, Any], kind: ManifestKind) -> list[str]:
    """Manifests of a study of a kind; none for `packed`, which the manifests' own files decide."""
    names = list(config.get("manifests") or {})
    if kind == "all":
        return names
    if kind == "packed":
        return []
    roles = config.get("roles") or {}
    evaluation = [name for role in ("general", "domain") for name in roles.get(role) or []]
    evaluation = evaluation or [name for name in names if name not in NOT_EVALUATED]
    return [*evaluation, TRAIN] if kind == "transcribed" and _has(config, "model") and TRAIN in names else evaluation


def required_facts(config: Mapping[str, Any], results: str = "results") -> list[str]:
    """Paths of the fact files that the verdict and the report of a study need."""
    return [f"{results}/{path}" for kind in RESULTS if kind.fact for path in kind.paths(config)]


def required_plots(config: Mapping[str, Any], results: str = "results") -> list[str]:
    """Paths of all plots of a diagnosis."""
    plots = [kind for kind in RESULTS if "{format}" in kind.pattern and kind.stage == "report"]
    return [f"{results}/{path}" for kind in plots for path in kind.paths(config)]


def required_results(config: Mapping[str, Any], results: str = "results") -> list[str]:
    """Paths of all files and folders of a diagnosis, without recordings that are inside a manifest's tables."""
    without_sweep = {**config, "sweep": {}}
    kinds = [kind for kind in RESULTS if kind.stage != "sweep" and kind not in OTHER_TARGETS]
    return [f"{results}/{path}" for kind in kinds for path in kind.paths(without_sweep)]


def _has(config: Mapping[str, Any], need: Need) -> bool:
    if need == "model":
        return config.get("model", "unknown") is not None
    if need in {"training", "replay"}:
        return (TRAIN if need == "training" else REPLAY) in (config.get("manifests") or {})
    if need == "reviews":
        return bool(config.get("reviews"))
    return bool((config.get("headroom") or {}).get("harden"))


@dataclass(frozen=True)
class Location:
    """A path of the results folder as an entry of the table: its kind and its wildcards."""

    kind: ResultFile[Any]
    wildcards: dict[str, str]

    @property
    def order(self) -> tuple[int, int]:
        """Sorts paths in the order data flows; files of the baseline run come before those of candidates."""
        stage = "baseline" if self.wildcards.get("run") == BASE else self.kind.stage
        return STAGES.index(stage), RESULTS.index(self.kind)


def locate(path: str) -> Location | None:
    """Find the entry of a path relative to the results folder: a file of the table, or another file in its folder.

    None for a file that no rule of the workflow writes: people may keep other files in a results folder.
    """
    for kind in sorted(RESULTS, key=lambda kind: "{" in kind.pattern):
        wildcards = kind.match(path)
        if wildcards is not None:
            return Location(kind, wildcards)
    folder = path.rpartition("/")[0]
    for kind in RESULTS:
        parent = kind.pattern.rpartition("/")[0]
        found = re.fullmatch(_regex(parent), folder) if parent else None
        if found is not None:
            return Location(kind, found.groupdict())
    return None
