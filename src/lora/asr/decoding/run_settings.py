"""Settings that could make two transcripts incomparable, and their fingerprint. Torch-free.

The fingerprint covers hashes and values but no paths, so that a moved study keeps its transcripts. It covers the
versions of the libraries that process samples, tensors or text, because hypotheses of another version are no evidence
about this one; the version of peft counts only with an adapter. It does not cover the batch size: with one padding step
per batch the hypotheses do not depend on it (tested on a CPU; on a GPU sums may differ in the last digit).
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
from lora.records.settings import AdapterIdentity, ManifestIdentity, RunSettings

SOFTWARE = ("torch", "transformers", "tokenizers", "peft", "numpy", "soxr", "soundfile")


@dataclass(frozen=True)
class Conditions:
    """Settings of a run that are the same for all of its manifests."""

    files: ModelFiles
    device: Device
    decode: dict[str, Any]
    preprocess: dict[str, Any]
    software: dict[str, str]
    adapter: AdapterIdentity | None

    @property
    def fingerprint(self) -> str:
        """Name of the run's transcript cache: a hash of everything that can change a hypothesis."""
        software = {name: release for name, release in self.software.items() if self.adapter or name != "peft"}
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
        """Settings of the transcripts of one manifest."""
        return self._record(run=run, manifest=manifest, fingerprint=self.fingerprint)

    def impossible(self, run: str, code: str, message: str) -> RunSettings:
        """Settings of a run that could not transcribe anything, with the cause code."""
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
    """Conditions of a run from the study's settings.

    Raises:
        UserError: `decode` contains an argument that the model does not take.
    """
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
        # Without the local part (2.13.0+cpu is 2.13.0): the device is a setting of its own.
        software={name: release.partition("+")[0] for name in SOFTWARE if (release := version(name)) is not None},
        adapter=adapter,
    )
