"""Hardened evaluation manifests: baseline WER on distorted audio, where the manifests have no headroom."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Record


class HardenedVersion(Record):
    """Baseline WER on one deterministic distortion of a manifest."""

    distortion: str = Field(description="Kind of distortion.")
    level: float = Field(description="Strength of the distortion, in its own unit.")
    utterances: int = Field(description="Utterances within `max_seconds`.")
    wer: float | None = Field(description="WER of the baseline (fraction).")
    ci_low: float | None = Field(description="Lower end of its confidence interval.")
    ci_high: float | None = Field(description="Upper end of its confidence interval.")

    @property
    def label(self) -> str:
        return f"{self.distortion}-{self.level:g}"


class HardenedFacts(Record):
    """Whether an evaluation manifest needs hardening, and what each distortion gives."""

    status: Literal["not_needed", "measured"] = Field(
        description="`not_needed`: a domain manifest has headroom (or nothing could be measured)."
    )
    manifest: str | None = Field(default=None, description="Manifest that was distorted.")
    proposed: str | None = Field(
        default=None, description="Name of the proposed manifest: `<manifest>-<distortion>-<level>`."
    )
    wer: float | None = Field(default=None, description="WER of the baseline on the undistorted manifest (fraction).")
    max_seconds: float | None = Field(default=None, description="`max_seconds` of the study in seconds.")
    sampling_rate: int | None = Field(default=None, description="Sampling rate in Hz of the distorted audio.")
    hours: float | None = Field(default=None, description="Hours of speech that were decoded for all versions.")
    versions: list[HardenedVersion] = Field(
        default=[], description="One entry per distortion and level, mildest first within each distortion."
    )

    @property
    def proposal(self) -> HardenedVersion | None:
        """The version that `proposed` names."""
        return next((v for v in self.versions if f"{self.manifest}-{v.label}" == self.proposed), None)
