"""Reads a results folder for the documents. What is missing or broken is a reason in words, never an exception."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from lora.formatting import UNKNOWN
from lora.records.base import Fact, Record, UserError
from lora.records.comparisons import PairedFacts, ParityFacts
from lora.records.data import DurationDecision
from lora.records.effect import EffectFacts
from lora.records.imports import ImportFacts
from lora.records.labels import LabelFacts
from lora.records.reachable import ReachableFacts
from lora.records.scores import WerFacts
from lora.records.tuning import HardenedFacts, TrainFacts
from lora.records.utterances import RunSettings
from lora.records.verdict import Verdict
from lora.report.markdown import code, plain, text

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Found(Generic[R]):
    """A record, or the reason why it is unknown; an impossible fact has both.

    `why_not` is Markdown, `told` the same for a terminal.
    """

    value: R | None
    why_not: str = ""
    told: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None and not self.why_not

    @property
    def unknown(self) -> str:
        return f"{UNKNOWN}: {self.why_not}" if self.why_not else UNKNOWN


@dataclass(frozen=True)
class Study:
    """The facts of one study; `results` is its results folder."""

    results: Path
    config_path: Path

    def find(self, relative: str, kind: type[R]) -> Found[R]:
        path = self.results / relative
        try:
            value = kind.read(path)
        except (UserError, OSError) as error:
            return Found(None, *self._reason(relative, error))
        if isinstance(value, Fact) and value.status == "impossible":
            named = f" ({code(value.code)})" if value.code else ""
            message = value.message or "no message"
            return Found(
                value, f"{text(message)}{named}", plain(f"{message} ({value.code})" if value.code else message)
            )
        return Found(value)

    def table(self, relative: str) -> list[dict[str, str]]:
        """Rows of a TSV file with a header; a missing file has none."""
        try:
            with (self.results / relative).open(encoding="utf-8", newline="") as lines:
                reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
                return [{k: v or "" for k, v in row.items() if k} for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error):
            return []

    def exists(self, relative: str) -> bool:
        return (self.results / relative).is_file()

    @cached_property
    def config(self) -> dict[str, Any]:
        try:
            value = json.loads(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def setting(self, *keys: str) -> Any:
        """A value of the configuration, null where it or a parent is missing."""
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
        """Manifests that have a role; without roles every one but the training manifest."""
        named = {name for names in (self.config.get("roles") or {}).values() for name in names or []}
        return [name for name in self.manifests if (name in named if named else name != "train")]

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
    def verdict(self) -> Found[Verdict]:
        return self.find("verdict.json", Verdict)

    @cached_property
    def decision(self) -> Found[DurationDecision]:
        return self.find("durations/decision.json", DurationDecision)

    @cached_property
    def labels(self) -> Found[LabelFacts]:
        return self.find("labels.json", LabelFacts)

    @cached_property
    def hardened(self) -> Found[HardenedFacts]:
        return self.find("hardened.json", HardenedFacts)

    def wer(self, run: str, manifest: str) -> Found[WerFacts]:
        return self.find(f"wer/{run}/{manifest}.json", WerFacts)

    def reachable(self, manifest: str) -> Found[ReachableFacts]:
        return self.find(f"reachable/{manifest}.json", ReachableFacts)

    def paired(self, run: str, manifest: str) -> Found[PairedFacts]:
        return self.find(f"paired/{run}/{manifest}.json", PairedFacts)

    def settings(self, run: str, manifest: str) -> Found[RunSettings]:
        return self.find(f"transcripts/{run}/{manifest}.settings.json", RunSettings)

    def imported(self, run: str, manifest: str) -> Found[ImportFacts]:
        return self.find(f"transcripts/{run}/{manifest}.import.json", ImportFacts)

    def parity(self, run: str) -> Found[ParityFacts]:
        return self.find(f"parity/{run}.json", ParityFacts)

    def effect(self, run: str) -> Found[EffectFacts]:
        return self.find(f"effect/{run}.json", EffectFacts)

    def training(self, run: str) -> Found[TrainFacts]:
        return self.find(f"adapters/{run}/train.json", TrainFacts)

    def _reason(self, relative: str, error: Exception) -> tuple[str, str]:
        """As Markdown, and for a terminal."""
        if not self.exists(relative):
            return f"`{plain(relative)}` does not exist", f"{plain(relative)} does not exist"
        reason = str(error).replace(f"{self.results}/", "")
        return text(reason), plain(reason)
