"""Which study a document is about: name, model, gate run, date, commit, device, and its manifests by their hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lora import layout
from lora.formatting import UNKNOWN
from lora.report.commands import DIGITS, commit_of, devices, executions, last_day
from lora.report.study import Study


@dataclass(frozen=True)
class ManifestOfStudy:
    """A manifest of the study.

    Attributes:
        name: Its name in the configuration.
        role: `training`, `general`, `domain` or `no role`.
        rows: Usable rows; None where they were not read.
        sha256: First digits of the SHA-256 of `results/manifests/<name>.jsonl`; `unknown` where that is missing.
    """

    name: str
    role: str
    rows: int | None
    sha256: str


@dataclass(frozen=True)
class Identity:
    """A study, as plain text: `unknown` where it is not recorded."""

    name: str
    model: str
    model_hash: str
    gate_run: str
    day: str
    commit: str
    device: str
    manifests: tuple[ManifestOfStudy, ...]

    def labelled(self) -> list[tuple[str, str]]:
        """Label and value of everything but the manifests."""
        return [
            ("Study", self.name),
            ("Model", self.model),
            ("Model hash", self.model_hash),
            ("Gate run", self.gate_run),
            ("Last execution", self.day),
            ("Commit", self.commit),
            ("Device", self.device),
        ]


def identity(study: Study) -> Identity:
    """Read the identity of a study from its configuration, settings, rows and run records."""
    done, _ = executions(study.results, study.config)
    folder = study.results.resolve()
    verdict = study.verdict.value
    return Identity(
        name=folder.parent.name if folder.name == "results" else folder.name,
        model=_model(study),
        model_hash=_model_hash(study),
        gate_run=(verdict.gate_run if verdict else None) or "none",
        day=last_day(done) or UNKNOWN,
        commit=commit_of(done),
        device="; ".join(devices(done)) or "no model work",
        manifests=tuple(_manifest(study, name) for name in study.manifests),
    )


def _model(study: Study) -> str:
    if not study.has_model:
        return "none (transcripts alone)"
    revision = study.setting("model", "revision")
    name = study.setting("model", "id") or UNKNOWN
    return f"{name} at {revision}" if revision else f"{name} (no revision)"


def _model_hash(study: Study) -> str:
    for manifest in study.evaluations:
        settings = study.settings(layout.BASE, manifest).value
        if settings is not None and settings.model is not None:
            return settings.model.hash[:DIGITS]
    return UNKNOWN


def _manifest(study: Study, name: str) -> ManifestOfStudy:
    facts = study.find(layout.MANIFEST_FACTS, manifest=name).value
    role = "training" if name == layout.TRAIN else study.role(name)
    try:
        content = (study.results / layout.ROWS.path(manifest=name)).read_bytes()
    except OSError:
        return ManifestOfStudy(name, role, facts.rows if facts else None, UNKNOWN)
    rows = facts.rows if facts else content.count(b"\n")
    return ManifestOfStudy(name, role, rows, hashlib.sha256(content).hexdigest()[:DIGITS])
