"""The typed records that files of a study hold (facts, transcripts, settings, verdict), and their way to and from JSON.

Every stage of the workflow writes records, and only `lora.diagnosis` judges them: this package is the contract between
all wings and imports none of them. Durations are seconds, WER is a fraction (0.12 = 12 %), losses are nats a token.
A fact that could not be computed because of a diagnosable cause has `status: impossible`, the cause code and a message.
"""

from lora.records.base import Fact, Record, UserError, read_lines, write_lines, write_text
from lora.records.comparisons import (
    BudgetLine,
    ErrorBudget,
    Mapsswe,
    Outcome,
    PairedFacts,
    PairedScore,
    ParityFacts,
    SettingDifference,
    WordPair,
)
from lora.records.data import DurationDecision, MaxSeconds, SplitOption, SplitSizes
from lora.records.provenance import RunRecord
from lora.records.scores import (
    Edit,
    Interval,
    NormalizerIdentity,
    Power,
    UtteranceErrors,
    WerFacts,
    WerScore,
)
from lora.records.tuning import (
    EffectFacts,
    FileRung,
    HardenedFacts,
    HardenedVersion,
    LabelFacts,
    LabelStructure,
    LoadRung,
    LogitsRung,
    LossComparison,
    ModuleDelta,
    OwnHypotheses,
    StyleProfile,
    TextRung,
    TrainFacts,
    ValidationPoint,
)
from lora.records.utterances import (
    AdapterIdentity,
    ManifestIdentity,
    ModelIdentity,
    RunSettings,
    Transcript,
    Utterance,
)
from lora.records.verdict import Cause, Check, CheckStatus, Gate, RunOutcome, Severity, Verdict

__all__ = [
    "AdapterIdentity",
    "BudgetLine",
    "Cause",
    "Check",
    "CheckStatus",
    "DurationDecision",
    "Edit",
    "EffectFacts",
    "ErrorBudget",
    "Fact",
    "FileRung",
    "Gate",
    "HardenedFacts",
    "HardenedVersion",
    "Interval",
    "LabelFacts",
    "LabelStructure",
    "LoadRung",
    "LogitsRung",
    "LossComparison",
    "ManifestIdentity",
    "Mapsswe",
    "MaxSeconds",
    "ModelIdentity",
    "ModuleDelta",
    "NormalizerIdentity",
    "Outcome",
    "OwnHypotheses",
    "PairedFacts",
    "PairedScore",
    "ParityFacts",
    "Power",
    "Record",
    "RunOutcome",
    "RunRecord",
    "RunSettings",
    "SettingDifference",
    "Severity",
    "SplitOption",
    "SplitSizes",
    "StyleProfile",
    "TextRung",
    "TrainFacts",
    "Transcript",
    "UserError",
    "Utterance",
    "UtteranceErrors",
    "ValidationPoint",
    "Verdict",
    "WerFacts",
    "WerScore",
    "WordPair",
    "read_lines",
    "write_lines",
    "write_text",
]
