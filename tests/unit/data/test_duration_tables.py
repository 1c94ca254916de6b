"""What survives a threshold."""

from lora.data.durations import duration_table, survives
from lora.data.row_columns import columns_of
from lora.data.tables import read_table, write_table
from lora.records.manifests import Utterance


def rows(*durations):
    return columns_of(
        [
            Utterance(id=str(i), text="x", duration=d, audio="a.wav", speaker_id=f"s{i % 2}")
            for i, d in enumerate(durations)
        ]
    )


def test_the_threshold_itself_survives():
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


def test_an_empty_manifest_divides_by_nothing():
    assert [e["share"] for e in duration_table("m", rows(), [5])] == ["0.0000", "0.0000"]


def test_tables_survive_tabs_and_line_ends(tmp_path):
    write_table(tmp_path / "t.tsv", ("a", "b"), [{"a": "x\ty\nz", "b": None}])
    assert read_table(tmp_path / "t.tsv", ("a", "b")) == [{"a": "x y z", "b": ""}]
