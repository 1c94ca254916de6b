"""Parity: whether the settings of two runs allow a comparison of their WER."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lora.records.base import Fact, Record
from lora.records.scores import NormalizerIdentity


class SettingDifference(Record):
    """One setting of baseline and candidate."""

    manifest: str = Field(description="Name of the manifest.")
    field: str = Field(description="Name of the setting, e.g. `decode.num_beams`.")
    baseline: Any = Field(description="Value of the baseline; null if not recorded.")
    candidate: Any = Field(description="Value of the candidate; null if not recorded.")
    same: bool | None = Field(description="Whether they are equal; null where either is unknown.")
    code: str = Field(description="Cause code of a difference.")


class SameNormalizerScore(Record):
    """WER of both runs with one normaliser."""

    baseline_wer: float | None = Field(description="WER of the baseline (fraction).")
    tuned_wer: float | None = Field(description="WER of the candidate (fraction).")
    delta: float | None = Field(description="`tuned_wer` - `baseline_wer`.")


class Rescored(Record):
    """Two runs with different normalisers, their raw texts scored again with each of the two.

    Over the utterances within `max_seconds`.
    """

    manifest: str = Field(description="Name of the manifest.")
    baseline: NormalizerIdentity = Field(description="Normaliser of the baseline.")
    candidate: NormalizerIdentity = Field(description="Normaliser of the candidate.")
    utterances: int = Field(description="Number of utterances.")
    reported_delta: float | None = Field(description="Difference of the two WERs as each run was scored (fraction).")
    under_baseline: SameNormalizerScore | None = Field(
        description="Both with the baseline's normaliser; null if that version is not installed."
    )
    under_candidate: SameNormalizerScore | None = Field(
        description="Both with the candidate's normaliser; null if that version is not installed."
    )
    explained_by_normalizer: float | None = Field(
        description="Part of `reported_delta` that the normalisers cause: `reported_delta` minus the difference with "
        "one normaliser (the baseline's, else the candidate's)."
    )


class ReferenceDifference(Record):
    """An utterance whose reference differs between the two runs."""

    id: str = Field(description="Id of the utterance.")
    baseline: str = Field(description="Reference of the baseline.")
    candidate: str = Field(description="Reference of the candidate.")


class DifferingRows(Record):
    """How the rows of two runs differ on one manifest."""

    manifest: str = Field(description="Name of the manifest.")
    missing_ids: list[str] = Field(description="Utterances that only the baseline has.")
    extra_ids: list[str] = Field(description="Utterances that only the candidate has.")
    different_references: list[ReferenceDifference] = Field(
        description="Utterances whose references differ after every normaliser."
    )
    style_only: int = Field(description="References that differ as written, but are equal after some normaliser.")
    different_audio: bool = Field(
        description="Whether ids and references are equal while the recorded content hashes differ: the audio differs."
    )


class ParityFacts(Fact):
    """Settings of a candidate compared with the baseline's on every manifest."""

    run: str = Field(description="Name of the candidate.")
    settings: list[SettingDifference] = Field(default=[], description="Every compared setting, equal or not.")
    rows: list[DifferingRows] = Field(default=[], description="Manifests on which the rows differ.")
    rescored: list[Rescored] = Field(default=[], description="Manifests on which the normalisers differ.")
