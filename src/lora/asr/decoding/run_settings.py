"""Everything that could make two transcripts incomparable, and the fingerprint that names it. Torch-free.

The fingerprint covers hashes and values, never paths: a moved study keeps its transcripts. It covers the versions of
the libraries that touch samples, tensors or text, because a text made by another version is not evidence about this
one; the version of peft counts only where an adapter takes part. Batch size is left out: one padding step a batch
makes the text independent of it (tested on a CPU; on a GPU sums may differ in the last digit).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lora.asr.decoding.effective_decode import effective_decode
from lora.asr.devices import Device
from lora.asr.model_files import ModelFiles
from lora.asr.recipe import RECIPE
from lora.provenance.hashes import content_hash
from lora.provenance.versions import version
from lora.records.manifests import Utterance
from lora.records.settings import AdapterIdentity, ManifestIdentity, RunSettings

SOFTWARE = ("torch", "transformers", "tokenizers", "peft", "numpy", "soxr", "soundfile")


@dataclass(frozen=True)
class Conditions:
    """What holds for every utterance of a run, whatever manifest it stands in."""

    files: ModelFiles
    device: Device
    decode: dict[str, Any]
    preprocess: dict[str, Any]
    software: dict[str, str]
    adapter: AdapterIdentity | None

    @property
    def fingerprint(self) -> str:
        software = {name: found for name, found in self.software.items() if self.adapter or name != "peft"}
        values = {
            "model": self.files.identity.hash,
            "adapter": self.adapter.hash if self.adapter else None,
            "decode": self.decode,
            "preprocess": self.preprocess,
            "device": self.device.settings(),
            "software": software,
            "recipe": RECIPE["transcribe"],
        }
        return content_hash(json.dumps(values, sort_keys=True))

    def settings(self, run: str, manifest: ManifestIdentity) -> RunSettings:
        return self._record(run=run, manifest=manifest, fingerprint=self.fingerprint)

    def impossible(self, run: str, code: str, message: str) -> RunSettings:
        """Settings of a run whose subject is broken; nothing was transcribed."""
        return self._record(run=run, status="impossible", code=code, message=message)

    def _record(self, **values: Any) -> RunSettings:
        return RunSettings(
            model=self.files.identity,
            adapter=self.adapter,
            preprocess=self.preprocess,
            decode=self.decode,
            device=self.device.settings(),
            software=self.software,
            **values,
        )


def conditions(
    files: ModelFiles,
    device: Device,
    decode: dict[str, Any],
    target_rms: float | None = None,
    adapter: AdapterIdentity | None = None,
) -> Conditions:
    """Raises UserError where `decode` names an argument the model does not take."""
    return Conditions(
        files=files,
        device=device,
        decode=effective_decode(files, decode),
        preprocess={
            "sampling_rate": files.sampling_rate,
            "target_rms": target_rms,
            "resampler": "soxr HQ",
            "padding_seconds": files.family.padding_seconds,
        },
        # Without the local part: 2.13.0+cpu is 2.13.0, and the device is a setting of its own.
        software={name: found.partition("+")[0] for name in SOFTWARE if (found := version(name)) is not None},
        adapter=adapter,
    )


def manifest_identity(name: str, rows: list[Utterance], hashes: list[str]) -> ManifestIdentity:
    """Identity of rows by id, text and samples, whatever their order."""
    entries = sorted(f"{row.id}\0{row.text}\0{key}" for row, key in zip(rows, hashes, strict=True))
    return ManifestIdentity(name=name, rows=len(rows), content_hash=content_hash(*entries))
