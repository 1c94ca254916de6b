"""Every reader under fuzz, by name."""

from __future__ import annotations

from fuzzing import audio, manifests, packed, settings, transcripts, weights
from fuzzing.cases import Reader

MODULES = (manifests, packed, audio, transcripts, weights, settings)
READERS: dict[str, Reader] = {reader.name: reader for module in MODULES for reader in module.READERS}
