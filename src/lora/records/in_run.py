"""Whether a saved adapter transcribes what was transcribed while it was trained."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Fact, Record
from lora.records.settings import RunSettings


class InRunComparison(Record):
    """Hypotheses of one evaluation manifest, text by text."""

    manifest: str = Field(description="Name of the manifest.")
    rows: int = Field(description="Rows compared: those that `eval_rows` chose.")
    same_as_in_run: int = Field(
        description="Rows whose hypothesis by the saved adapter equals that of the last evaluation during training."
    )
    same_as_base: int = Field(description="Rows whose hypothesis by the saved adapter equals the base model's.")
    in_run_same_as_base: int = Field(description="Rows whose hypothesis during training equals the base model's.")
    differing_from_in_run: list[str] = Field(
        description="Ids of the first ten rows whose hypothesis differs from the one during training."
    )
    equal_to_base: list[str] = Field(
        description="Ids of the first ten rows whose hypothesis by the saved adapter equals the base model's."
    )


class InRunFacts(Fact):
    """The adapter `last`, loaded alone in a new process, on the rows that were evaluated during training."""

    run: str = Field(description="Name of the run.")
    step: int | None = Field(default=None, description="Step of the last evaluation during training.")
    rows: int | None = Field(default=None, description="Rows compared, of all manifests.")
    same_as_in_run: int | None = Field(default=None, description="Those with the same hypothesis as during training.")
    same_as_base: int | None = Field(default=None, description="Those with the same hypothesis as the base model.")
    manifests: list[InRunComparison] = Field(default=[], description="The counts by manifest.")
    settings: RunSettings | None = Field(
        default=None, description="Settings of the transcripts by the saved adapter; `decode` is `train.eval_decode`."
    )
