"""The commented config.yaml of a new study, from what is known of its manifests and model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lora.data.formats.interface import Entry
from lora.formatting import count, hours

NOT_WATCHED = "none: forgetting is not watched; name a manifest of general speech"
YAML_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
LANGUAGE_COLUMNS = ("language", "lang", "locale")
HEADER = """# A study of LoRA tuning. This file is yours: `lora-diagnose init` wrote it once and never changes it.
# Paths are relative to this folder. Every key, its default and its meaning: docs/configuration.md of the tool.
"""
CANDIDATES = """
# Runs that are compared with the model as it is. The first one with `train:` decides the gate.
candidates:
  lora:
    # Defaults of docs/configuration.md. Typical changes: max_steps: 200, learning_rate: 0.0005, rank: 16, alpha: 32
    train: {}
"""
OTHERS = """
# Which length of training rows, how many are needed, and what gain is worth showing (0.01: one point of WER):
# durations: {max_seconds: auto, min_train_samples: 200}
# statistics: {target_gain: 0.01}

# Transcripts of other tools: candidates: {theirs: {hypotheses: {MANIFEST: their.trn}}}
# Runs to train once the gate is open (`lora-diagnose sweep`):
# sweep:
#   rate: {max_steps: 200, grid: {learning_rate: [1e-4, 3e-4, 1e-3], seed: [1, 2, 3]}}
"""


@dataclass(frozen=True)
class FoundManifest:
    """What was found out about a manifest; `rows` is None where its recordings are inside its files."""

    path: str
    format: str
    rows: int | None = None
    rejected: int = 0
    hours: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ()
    notes: Sequence[str] = ()
    files: int = 0

    def described(self) -> str:
        """`nemo, 1,200 rows, 2.1 h, 3 rows cannot be used, text=sentence`."""
        if self.rows is None:
            return f"{self.format}, {count(self.files, 'file')} with recordings inside"
        parts = [self.format, count(self.rows, "row"), hours(self.hours)]
        if self.rejected:
            parts.append(f"{count(self.rejected, 'row')} cannot be used")
        parts += [f"{name}={column}" for name, column in self.columns.items() if name != column]
        return ", ".join([*parts, *self.notes])


@dataclass(frozen=True)
class StudyPaths:
    """What a configuration is written from; paths are relative to the study folder."""

    model: str
    revision: str | None
    model_kind: str | None
    takes_language: bool
    language: str | None
    manifests: Mapping[str, FoundManifest]
    general: Sequence[str]
    domain: Sequence[str]
    adapters: Mapping[str, str]


def study_text(paths: StudyPaths) -> str:
    """The text of config.yaml."""
    lines = [HEADER, "model:"]
    lines.append(f"  id: {_scalar(paths.model)}" + (f"  # {_comment(paths.model_kind)}" if paths.model_kind else ""))
    if paths.revision is not None:
        lines.append(f"  revision: {_scalar(paths.revision)}")
    elif paths.model_kind is None:
        lines.append("  # revision: COMMIT  # pin it, so that a later upload changes nothing")
    if paths.language is not None and paths.takes_language:
        lines.append(f"  language: {_scalar(paths.language)}")
    elif paths.takes_language or paths.model_kind is None:
        lines.append("  # language: en  # of the recordings; multilingual models guess it otherwise")
    lines += ["", "manifests:"]
    for name, found in paths.manifests.items():
        lines.append(f"  {_key(name)}: {_scalar(found.path)}  # {_comment(found.described())}")
    watched = "can show forgetting" if paths.general else NOT_WATCHED
    lines += ["", "roles:", f"  general: {_list(paths.general)}  # {watched}"]
    lines.append(f"  domain: {_list(paths.domain)}  # can show a gain")
    lines.append(CANDIDATES.rstrip())
    lines += [
        f"  {_key(name)}: {{adapter: {_scalar(path)}}}  # trained earlier" for name, path in paths.adapters.items()
    ]
    if not paths.adapters:
        lines.append("  # earlier: {adapter: PATH}  # an adapter that was trained earlier is diagnosed in the same run")
    return "\n".join([*lines, OTHERS])


def languages_of(entries: Iterable[Entry]) -> list[str]:
    """Language codes that a manifest names, sorted; a region (`de-CH`) is left out."""
    codes = set()
    for entry in entries:
        row = entry.row if isinstance(entry.row, dict) else {}
        for value in map(row.get, LANGUAGE_COLUMNS):
            if isinstance(value, str) and value:
                codes.add(value.replace("_", "-").split("-")[0].lower())
    return sorted(codes)


def _scalar(text: str) -> str:
    """A text as YAML reads it back, on one line."""
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    """A name in quotes where YAML reads it as a number, a date, true, false or null."""
    return name if name[:1].isalpha() and name.lower() not in YAML_WORDS else _scalar(name)


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, names))}]"


def _comment(text: str) -> str:
    """Text that stays inside a comment, whatever a manifest's columns are called."""
    return "".join(character if character.isprintable() else " " for character in text)
