"""A manifest's format by layout and content; what is ambiguous, unknown or wrongly named is an error."""

import argparse
import gzip
import json
import os
from pathlib import Path

import pytest
import yaml

from lora.configuration.schema import SCHEMA_PATH
from lora.data.column_names import SYNONYMS, Columns
from lora.data.formats.interface import Entry, ManifestFormat, Reading
from lora.data.formats.registry import FORMATS, detect_format, formats_table, manifest_files
from lora.data.manifest import read_manifest
from lora.data.source import Source, add_source_arguments, format_choices, source_from_args
from lora.records.base import UserError

REPOSITORY = Path(__file__).parents[3]


def test_the_registry_lists_every_format_once_under_its_name():
    assert format_choices() == ("auto", *FORMATS)
    assert [name for name, known in FORMATS.items() if known.name != name or not known.description] == []


def test_schema_and_docs_follow_the_registry():
    manifest = yaml.safe_load(SCHEMA_PATH.read_text())["$defs"]["manifest"]["properties"]
    assert manifest["format"]["type"] == "string"
    assert set(manifest["columns"]["properties"]) == set(SYNONYMS)
    page = (REPOSITORY / "docs/data.md").read_text()
    assert formats_table() in page, f"docs/data.md: replace the table of formats by\n{formats_table()}"
    assert [name for name in FORMATS if f"**`{name}`" not in page and f", `{name}`" not in page] == []


def test_an_unknown_format_in_the_configuration_names_the_known_ones():
    with pytest.raises(
        UserError,
        match=r"format: 'kalid' is not a manifest format; expected one of auto, kaldi, .*Did you mean 'kaldi'",
    ):
        Source.from_config({"path": "data/train", "format": "kalid"})
    assert Source.from_config({"path": "data/train", "format": "kaldi"}).format == "kaldi"


def test_a_new_format_needs_nothing_but_its_entry_in_the_registry(wav, tmp_path, monkeypatch):
    def read(source):
        lines = [line.split("|") for line in source.path.read_text().splitlines()]
        entries = [Entry(line, {"audio": audio, "text": text}) for line, (audio, text) in enumerate(lines, start=1)]
        return Reading(source.format, source.path.parent, entries, Columns(), source.channel, table=False)

    ljspeech = ManifestFormat(
        name="ljspeech", description="`audio|text`", read=read, matches_file=lambda sample: b"|" in sample.start
    )
    monkeypatch.setattr("lora.data.formats.registry.FORMATS", {"ljspeech": ljspeech, **FORMATS})
    wav("a.wav")
    path = tmp_path / "metadata.txt"
    path.write_text("a.wav|Hello there.\n")
    parser = argparse.ArgumentParser()
    add_source_arguments(parser)
    by_flag = source_from_args(parser.parse_args(["--manifest", str(path), "--format", "ljspeech"]))
    for source in (Source(path), by_flag, Source.from_config({"path": str(path), "format": "ljspeech"})):
        result = read_manifest(source)
        assert (result.format, [row.text for row in result.rows]) == ("ljspeech", ["Hello there."])
        assert manifest_files(source) == [path]
    assert "| `ljspeech`" in formats_table()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("m.jsonl", '{"audio": "a.wav", "text": "x"}', "jsonl"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": "x"}', "jsonl"),
        ("m.json", '{"audio_filepath": "a.wav", "duration": 1, "text": "x"}', "nemo"),
        ("m.json", 'broken\n\n{"audio_filepath": "a.wav", "duration": 1, "text": "x"}', "nemo"),
        ("m.jsonl", '{"id": "c", "start": 0, "duration": 1, "supervisions": [], "type": "MonoCut"}', "lhotse"),
        ("m.jsonl", '{"file_name": "a.wav", "text": "x"}', "audiofolder"),
        ("m.jsonl", "", "jsonl"),
        ("m.txt", "unknown content", "jsonl"),
        ("m.csv", "audio,text\n", "csv"),
        ("m.CSV", "\ufefffile_name,text\n", "audiofolder"),
        ("m.tsv", "client_id\tpath\tsentence\n", "common_voice"),
        ("m.tsv", "path\tsentence\n", "tsv"),
    ],
)
def test_the_format_of_a_file_is_detected_from_its_content(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_text(content)
    assert detect_format(Source(path)).format == expected
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(content.encode()))
    assert detect_format(Source(packed)).format == expected


def test_a_folder_that_matches_two_formats_needs_format(tmp_path):
    (tmp_path / "wav.scp").write_text("u a.wav\n")
    (tmp_path / "text").write_text("u x\n")
    (tmp_path / "metadata.csv").write_text("file_name,text\na.wav,x\n")
    with pytest.raises(UserError, match="could be kaldi or audiofolder; choose one with `format`"):
        detect_format(Source(tmp_path))
    assert detect_format(Source(tmp_path, format="kaldi")).format == "kaldi"
    assert detect_format(Source(tmp_path, format="audiofolder")).format == "audiofolder"
    with pytest.raises(UserError, match="no manifest of format datasets found in this folder"):
        detect_format(Source(tmp_path, format="datasets"))


def test_a_configured_format_overrides_the_content(wav, tmp_path):
    wav("a.wav")
    path = tmp_path / "m.txt"
    path.write_text("path\tsentence\na.wav\tHello.\n")
    with pytest.raises(
        UserError, match=r"none of 2 lines can be read.*; for a table, set `format: csv` or `format: tsv`"
    ):
        read_manifest(path)
    assert [row.text for row in read_manifest(Source(path, format="tsv")).rows] == ["Hello."]
    with pytest.raises(UserError, match="format kaldi is a folder, but this is a file"):
        read_manifest(Source(path, format="kaldi"))
    with pytest.raises(UserError, match="`split` selects a part of a folder, but this is a file"):
        read_manifest(Source(path, split="dev"))


def test_folders_without_a_manifest(tmp_path):
    with pytest.raises(UserError, match=r"no manifest found in this folder; expected wav\.scp and text"):
        read_manifest(tmp_path)
    with pytest.raises(UserError, match="no such manifest"):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["m.jsonl", "m.csv", "m.tsv", "m.jsonl.gz", "m.parquet", "metadata.parquet", "m.arrow"]
)
def test_random_bytes_raise_one_error(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x00\x01garbage" + os.urandom(4096))
    with pytest.raises(UserError, match=str(path)):
        read_manifest(path)


def test_deep_nesting_and_very_long_lines_are_rejected_with_a_reason(wav, tmp_path):
    wav("a.wav")
    path = tmp_path / "m.jsonl"
    good = json.dumps({"audio": "a.wav", "text": "x"})
    path.write_text("[" * 200_000 + "\n" + '{"audio": "' + "a" * 2_000_000 + '", "text": "x"}\n' + good + "\n")
    result = read_manifest(path)
    assert [row.line for row in result.rows] == [3]
    assert [entry.reason.split(":")[0] for entry in result.rejected] == ["broken line", "missing file"]
