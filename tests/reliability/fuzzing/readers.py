"""Every reader under fuzz, by name."""

from __future__ import annotations

from fuzzing import manifests
from fuzzing.cases import Reader

READERS: dict[str, Reader] = {reader.name: reader for reader in [*manifests.READERS]}
