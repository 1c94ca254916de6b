"""The formats of transcripts: one table for schema, readers and documentation."""

from pathlib import Path

from lora.configuration.schema import load_schema
from lora.data.transcripts.files import FORMATS
from lora.records.transcript_formats import TRANSCRIPT_FORMATS

CANDIDATES = Path(__file__).parents[3] / "docs/candidates.md"


def test_every_format_has_a_reader_and_is_in_the_schema():
    assert list(FORMATS) == list(TRANSCRIPT_FORMATS)
    assert load_schema()["$defs"]["transcripts"]["properties"]["format"]["enum"] == list(FORMATS)


def test_the_documentation_lists_every_format():
    page = CANDIDATES.read_text(encoding="utf-8")
    for name, description in TRANSCRIPT_FORMATS.items():
        assert f"| `{name}` | {description} |\n" in page
