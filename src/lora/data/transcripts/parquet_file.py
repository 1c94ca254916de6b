"""Rows of transcripts in a Parquet file, as `datasets` and data frames save them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lora.data.column_names import folded_name
from lora.data.existing_files import require_file
from lora.data.formats.arrow_rows import readable_columns, row_values
from lora.data.manifest_lines import header_problem
from lora.data.transcripts.columns import ANY_TEXT, IDS, REFERENCES
from lora.records.base import UserError

NAMES = frozenset({*IDS, *ANY_TEXT, *REFERENCES})


def read_rows(path: Path, mapped: Collection[str] = ()) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows with their numbers from 1, without columns that are no text or number, such as recordings.

    Bytes are text in columns of ids and texts, and in those that are `mapped`.

    Raises UserError for a file that cannot be read, and for the first broken row: no transcript may be left out.
    """
    import pyarrow
    import pyarrow.parquet

    require_file(path, "transcripts")
    number = 0
    try:
        file = pyarrow.parquet.ParquetFile(path)
        if (problem := header_problem(file.schema_arrow.names)) is not None:
            raise UserError(f"{path}: {problem}")
        texts = [one for one in file.schema_arrow.names if one in mapped or folded_name(one) in NAMES]
        names = readable_columns(file.schema_arrow, texts)
        for batch in file.iter_batches(columns=names):
            for row in row_values(batch):
                number += 1
                if isinstance(row, str):
                    raise UserError(f"{path}: row {number}: {row}")
                yield number, row
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as parquet: {reason}; write the transcripts again") from None
