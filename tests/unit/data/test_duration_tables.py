"""What remains under a duration limit."""

import pytest

from lora.data.durations import duration_table, survives
from lora.data.row_columns import columns_of
from lora.data.tables import read_cells, write_table
from lora.records.base import UserError
from lora.records.manifests import Utterance


def rows(*durations):
    return columns_of(
        [
            Utterance(id=str(i), text="x", duration=d, audio="a.wav", speaker_id=f"s{i % 2}")
            for i, d in enumerate(durations)
        ]
    )


def test_a_row_as_long_as_the_limit_is_kept():
    assert survives(8.0, 8.0)
    assert not survives(8.0001, 8.0)
    assert survives(1e9, None)


def test_counts_shares_and_hours_by_hand():
    table = duration_table("m", rows(4.0, 8.0, 12.0, 36.0), [8, 5, 8])
    assert [(e["threshold"], e["rows"], e["share"]) for e in table] == [
        ("5", 1, "0.2500"),
        ("8", 2, "0.5000"),
        ("all", 4, "1.0000"),
    ]
    assert [e["hours_share"] for e in table] == ["0.0667", "0.2000", "1.0000"]
    assert [e["speakers"] for e in table] == [1, 2, 2]
    last = table[-1]
    assert (last["mean"], last["median"], last["longest"], last["hours"]) == (
        "15.000",
        "10.000",
        "36.000",
        "0.0167",
    )
    assert "mean" not in table[0]


def test_shares_of_an_empty_manifest_are_0():
    assert [e["share"] for e in duration_table("m", rows(), [5])] == ["0.0000", "0.0000"]


def test_tables_survive_tabs_and_line_ends(tmp_path):
    write_table(tmp_path / "t.tsv", ("a", "b"), [{"a": "x\ty\nz", "b": None}])
    assert list(read_cells(tmp_path / "t.tsv", ("a", "b"))) == [["x y z", ""]]


def test_cells_are_written_and_read_without_quotes_or_type_guessing(tmp_path):
    path = tmp_path / "t.tsv"
    write_table(path, ("a", "b"), [{"a": '"007', "b": 0.1 + 0.2}, {"a": "NA", "b": True}, {"a": None, "b": 1}])
    assert path.read_text() == 'a\tb\n"007\t0.30000000000000004\nNA\tTrue\n\t1\n'
    cells = list(read_cells(path, ("a", "b")))
    assert cells == [['"007', "0.30000000000000004"], ["NA", "True"], ["", "1"]]


def test_a_missing_table_and_other_columns_are_errors(tmp_path):
    with pytest.raises(UserError, match="no such table"):
        list(read_cells(tmp_path / "t.tsv", ("a", "b")))
    (tmp_path / "t.tsv").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match=r"t\.tsv: not a table that this software wrote"):
        list(read_cells(tmp_path / "t.tsv", ("a", "b")))
    (tmp_path / "t.tsv").write_text("a\tc\n")
    with pytest.raises(UserError, match=r"t\.tsv:1: the header is not the columns a, b"):
        list(read_cells(tmp_path / "t.tsv", ("a", "b")))
    (tmp_path / "t.tsv").write_text("")
    with pytest.raises(UserError, match=r"t\.tsv:1: the header is not the columns a, b"):
        list(read_cells(tmp_path / "t.tsv", ("a", "b")))
