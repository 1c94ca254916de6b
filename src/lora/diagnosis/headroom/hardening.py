"""A harder version of a saturated manifest as something to do: the command, and the lines for config.yaml.

The proposal itself (the mildest version with headroom) is a fact of `harden`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lora.diagnosis.facts import StudyFacts
from lora.formatting import percent
from lora.records.hardening import HardenedFacts

PLAIN = re.compile(r"(?!(y|n|yes|no|on|off|null|true|false)$)[a-z][a-z0-9_./-]*", re.IGNORECASE)  # read as text by YAML


def proposed_manifest(name: str) -> str:
    """Where the command puts a proposed manifest, relative to the study."""
    return f"data/{name}/manifest.jsonl"


def write_command(name: str) -> str:
    return f"python -m lora.runners.experiment write-hardened --results results --output data/{name}"


def config_lines(manifests: Mapping[str, Any], roles: Mapping[str, Sequence[str]], name: str, path: str) -> str:
    """`manifests` and `roles` as they should be with a new domain manifest, in YAML; all others stay."""
    domain = [name, *(other for other in roles.get("domain", ()) if other != name)]
    lines = ["manifests:", *(f"  {_yaml(key)}: {_yaml(value)}" for key, value in {**manifests, name: path}.items())]
    entries = {"general": roles.get("general", ()), "domain": domain}
    lines += ["roles:", *(f"  {role}: [{', '.join(map(_yaml, names))}]" for role, names in entries.items())]
    return "\n".join(lines)


def harder(facts: StudyFacts, manifest: str) -> str:
    """The remedy for a saturated manifest: the measured proposal where there is one."""
    found = facts.hardened
    version = None if found is None else found.proposal
    if found is None or found.manifest != manifest or version is None or found.proposed is None:
        wanted = "Evaluate on a harder manifest of the target domain (rarer words, other accents, more noise)"
        return f"{wanted}{_tried(found)}."
    reached = "" if version.wer is None else f" (baseline WER {percent(version.wer)})"
    return (
        f"Evaluate on a harder manifest of the target domain, or on the harder version {found.proposed}{reached}: "
        f"make it with `{write_command(found.proposed)}`, and enter it in config.yaml with the lines that section D2 "
        "of the summary shows."
    )


def _tried(found: HardenedFacts | None) -> str:
    """For a manifest whose versions were measured in vain."""
    if found is None or found.status != "measured" or found.proposed is not None:
        return ""
    return f"; none of the {len(found.versions)} distortions of {found.manifest} leaves room and is still understood"


def _yaml(value: Any) -> str:
    """A scalar or a mapping on one line; JSON is YAML too."""
    return value if isinstance(value, str) and PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
