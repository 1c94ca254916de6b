"""Read a study's results folder for the report: a missing or unreadable file is a reason, never an exception."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from lora import layout
from lora.diagnosis.judged_rows import with_judged_comparison, with_judged_rows
from lora.formatting import UNKNOWN
from lora.layout import ResultFile
from lora.records.base import Record
from lora.records.comparisons import PairedFacts
from lora.records.durations import DurationDecision
from lora.records.effect import EffectFacts
from lora.records.hardening import HardenedFacts
from lora.records.labels import LabelFacts
from lora.records.parity import ParityFacts
from lora.records.reachable import ReachableFacts
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.training import TrainFacts
from lora.records.transcripts import ImportFacts
from lora.records.verdict import RunOutcome, Verdict
from lora.report.markdown import code, plain, text
from lora.results import read_result

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class StudyFact(Generic[R]):
    """A record, or the reason why it is unknown; an impossible fact has both.

    Attributes:
        value: The record; None where its file is missing or unreadable.
        reason: Why the fact is unknown, as Markdown; "" where it is known.
        plain_reason: The same for a terminal.
    """

    value: R | None
    reason: str = ""
    plain_reason: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None and not self.reason

    @property
    def unknown(self) -> str:
        return f"{UNKNOWN}: {self.reason}" if self.reason else UNKNOWN


@dataclass(frozen=True)
class Study:
    """The facts of one study; `results` is its results folder."""

    results: Path
    config_path: Path

    def find(self, kind: ResultFile[R], **wildcards: str) -> StudyFact[R]:
        """Read a result file; a missing or unreadable one is a reason, never an exception."""
        loaded = read_result(self.results, kind, **wildcards)
        if loaded.problem == "missing":
            return StudyFact(None, f"{code(loaded.path)} does not exist", f"{plain(loaded.path)} does not exist")
        message = loaded.message.removeprefix(f"{self.results}/")
        if loaded.code is not None:
            return StudyFact(
                loaded.value, f"{text(message)} ({code(loaded.code)})", plain(f"{message} ({loaded.code})")
            )
        return StudyFact(loaded.value, text(message), plain(message))

    def table(self, kind: ResultFile[Any], **wildcards: str) -> list[dict[str, str]]:
        """Cells of a table as text; none where the file is missing or unreadable."""
        try:
            with (self.results / kind.path(**wildcards)).open(encoding="utf-8", newline="") as lines:
                reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
                return [{k: v or "" for k, v in row.items() if k} for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error):
            return []

    def exists(self, kind: ResultFile[Any], **wildcards: str) -> bool:
        return (self.results / kind.path(**wildcards)).is_file()

    @cached_property
    def config(self) -> dict[str, Any]:
        try:
            value = json.loads(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def setting(self, *keys: str) -> Any:
        """A value of the configuration; None where it or a parent is missing."""
        value: Any = self.config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    @cached_property
    def manifests(self) -> list[str]:
        """Names of all manifests, `train` first, then as the configuration lists them."""
        names = list(self.config.get("manifests") or {})
        return sorted(names, key=lambda name: name != "train")

    @cached_property
    def evaluations(self) -> list[str]:
        """Manifests that have a role; without roles every one that is not trained on."""
        named = {name for names in (self.config.get("roles") or {}).values() for name in names or []}
        return [name for name in self.manifests if (name in named if named else name not in layout.NOT_EVALUATED)]

    @cached_property
    def candidates(self) -> list[str]:
        return list(self.config.get("candidates") or {})

    @cached_property
    def has_model(self) -> bool:
        """False only where the configuration says `model: null`."""
        return "model" not in self.config or self.config["model"] is not None

    def role(self, manifest: str) -> str:
        roles = self.config.get("roles") or {}
        return next((role for role, names in roles.items() if manifest in (names or [])), "no role")

    @cached_property
    def verdict(self) -> StudyFact[Verdict]:
        return self.find(layout.VERDICT)

    def run_outcome(self, run: str, manifest: str) -> RunOutcome | None:
        """What the verdict says of a run on a manifest; None where it does not name them."""
        outcomes = self.verdict.value.runs if self.verdict.value else []
        return next((one for one in outcomes if (one.run, one.manifest) == (run, manifest)), None)

    @cached_property
    def decision(self) -> StudyFact[DurationDecision]:
        return self.find(layout.DECISION)

    @cached_property
    def labels(self) -> StudyFact[LabelFacts]:
        return self.find(layout.LABELS)

    @cached_property
    def hardened(self) -> StudyFact[HardenedFacts]:
        return self.find(layout.HARDENED)

    @cached_property
    def judged_rows(self) -> str:
        """`within` (rows of at most `max_seconds`) or `all`."""
        return self.setting("headroom", "rows") or "within"

    def wer(self, run: str, manifest: str) -> StudyFact[WerFacts]:
        """Error rates of a run; `within` counts the rows that are judged (`headroom.rows`)."""
        found = self.find(layout.WER, run=run, manifest=manifest)
        return replace(found, value=with_judged_rows(found.value, self.judged_rows) if found.value else None)

    def reachable(self, manifest: str) -> StudyFact[ReachableFacts]:
        return self.find(layout.REACHABLE, manifest=manifest)

    def paired(self, run: str, manifest: str) -> StudyFact[PairedFacts]:
        """A comparison with the baseline; `within` counts the rows that are judged (`headroom.rows`)."""
        found = self.find(layout.PAIRED, run=run, manifest=manifest)
        return replace(found, value=with_judged_comparison(found.value, self.judged_rows) if found.value else None)

    def settings(self, run: str, manifest: str) -> StudyFact[RunSettings]:
        return self.find(layout.SETTINGS, run=run, manifest=manifest)

    def imported(self, run: str, manifest: str) -> StudyFact[ImportFacts]:
        return self.find(layout.IMPORT, run=run, manifest=manifest)

    def parity(self, run: str) -> StudyFact[ParityFacts]:
        return self.find(layout.PARITY, run=run)

    def effect(self, run: str) -> StudyFact[EffectFacts]:
        return self.find(layout.EFFECT, run=run)

    def training(self, run: str) -> StudyFact[TrainFacts]:
        return self.find(layout.TRAINING, run=run)
