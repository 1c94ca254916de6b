"""Transcripts of a run, and how external ones were matched to the rows of a manifest."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lora.records.base import ManyRecord, Record, many_record


@many_record
class Transcript(ManyRecord):
    """The hypothesis of a run for one row."""

    id: Annotated[str, Field(description="Id of the row.")]
    reference: Annotated[str, Field(description="Reference transcript of the study's row.")]
    hypothesis: Annotated[str, Field(description="Raw text of the model.")]
    duration: Annotated[float, Field(description="Duration of the row in seconds.")]
    truncated: Annotated[bool, Field(description="Whether generation ended at the token limit.")]
    external_reference: Annotated[
        str | None,
        Field(description="Reference of the external transcript, where it differs from the study's."),
    ] = None

    @property
    def run_reference(self) -> str:
        """The reference that the run itself was scored with."""
        return self.reference if self.external_reference is None else self.external_reference


class ImportFacts(Record):
    """What became of every hypothesis of an external transcript file."""

    run: str = Field(description="Name of the run.")
    manifest: str = Field(description="Name of the manifest.")
    source: str | None = Field(description="Path of the transcript file; null if the run has none for this manifest.")
    format: str | None = Field(description="Format that the file was read as; null without a file.")
    hypotheses: int = Field(
        default=0, description="Hypotheses in the file; of a ctm, the rows and recordings that its words belong to."
    )
    rows: int = Field(default=0, description="Usable rows of the manifest.")
    matched: dict[str, int] = Field(
        default={},
        description="Matched rows by what matched them: `id`, `file name`, `speaker and id`, any of them "
        "`without case`, `time`, `line` (texts without ids).",
    )
    unmatched: list[str] = Field(
        default=[], description="Hypotheses that match no row; they count as rows that the manifest does not have."
    )
    ambiguous: list[str] = Field(
        default=[],
        description="Hypotheses that match several rows, or share a row with another hypothesis; counted like "
        "`unmatched`.",
    )
    rejected: list[str] = Field(default=[], description="Hypotheses of rejected rows, which were left out.")
    missing: list[str] = Field(default=[], description="Rows without a hypothesis.")
    notes: list[str] = Field(default=[], description="Other things that the import did, as sentences.")
