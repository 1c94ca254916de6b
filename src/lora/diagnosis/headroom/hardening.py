"""How to use a harder version of a saturated manifest: the command that writes it, and the lines for config.yaml.

Which version is proposed (the mildest one with headroom) is a fact of the step `harden`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lora.diagnosis.facts import StudyFacts

PLAIN = re.compile(
    r"(?!(y|n|yes|no|on|off|null|true|false)$)[a-z][a-z0-9_./-]*", re.IGNORECASE
)  # YAML reads these as text


def proposed_manifest(name: str) -> str:
    """Path of a proposed manifest, relative to the study."""
    return f"data/{name}/manifest.jsonl"


def write_command(name: str) -> str:
    return f"python -m lora.runners.experiment write-hardened --results results --output data/{name}"


def config_lines(manifests: Mapping[str, Any], roles: Mapping[str, Sequence[str]], name: str, path: str) -> str:
    """YAML of `manifests` and `roles` with a new domain manifest added."""
    domain = [name, *(other for other in roles.get("domain", ()) if other != name)]
    lines = ["manifests:", *(f"  {_yaml(key)}: {_yaml(value)}" for key, value in {**manifests, name: path}.items())]
    entries = {"general": roles.get("general", ()), "domain": domain}
    lines += ["roles:", *(f"  {role}: [{', '.join(map(_yaml, names))}]" for role, names in entries.items())]
    return "\n".join(lines)


def harder_version(facts: StudyFacts, manifest: str) -> dict[str, Any] | None:
    """The proposed harder version of a manifest, or how many distortions were tried; None where none was measured."""
    hardened = facts.hardened
    if hardened is None:
        return None
    if hardened.manifest == manifest and hardened.proposal is not None and hardened.proposed is not None:
        return {
            "proposed": hardened.proposed,
            "wer": hardened.proposal.wer,
            "command": write_command(hardened.proposed),
        }
    if hardened.status == "measured" and hardened.proposed is None:
        return {"proposed": None, "tried": len(hardened.versions), "manifest": hardened.manifest}
    return None


def _yaml(value: Any) -> str:
    """A scalar or a mapping on one line; JSON is YAML too."""
    return value if isinstance(value, str) and PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
