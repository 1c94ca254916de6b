"""Compare hypotheses text by text: of a saved adapter alone, of the last evaluation while it was trained, of the base.

Torch-free.
"""

from __future__ import annotations

from collections.abc import Sequence

from lora.records.base import UserError
from lora.records.in_run import InRunComparison
from lora.records.transcripts import Transcript

MOST_NAMED = 10
Transcripts = Sequence[Transcript]


def compare_texts(manifest: str, in_run: Transcripts, alone: Transcripts, base: Transcripts) -> InRunComparison:
    """Compare the hypotheses of one manifest.

    Args:
        manifest: Name of the manifest.
        in_run: Transcripts of the last evaluation during training.
        alone: Those of the saved adapter, of the same rows.
        base: Those of the base model, of the same rows.

    Raises:
        UserError: The evaluation during training had other rows.
    """
    ids = [row.id for row in alone]
    if [row.id for row in in_run] != ids:
        raise UserError(
            f"manifest {manifest}: its rows are not those that were transcribed while the adapter was trained "
            f"({len(ids)} and {len(in_run)} rows). Train again with the present manifest."
        )
    trained, saved, untuned = ([row.hypothesis for row in rows] for rows in (in_run, alone, base))
    differing = [id for id, then, now in zip(ids, trained, saved, strict=True) if then != now]
    unchanged = [id for id, own, other in zip(ids, saved, untuned, strict=True) if own == other]
    return InRunComparison(
        manifest=manifest,
        rows=len(ids),
        same_as_in_run=len(ids) - len(differing),
        same_as_base=len(unchanged),
        in_run_same_as_base=sum(then == other for then, other in zip(trained, untuned, strict=True)),
        differing_from_in_run=differing[:MOST_NAMED],
        equal_to_base=unchanged[:MOST_NAMED],
    )
