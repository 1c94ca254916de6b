"""Column names as tables spell them, and pieces of recordings by their start and end."""

import json

import pytest

from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.data.transcripts.reference_rows import reference_rows
from lora.records.base import UserError


def pieces(manifest):
    return [(row.offset, row.duration) for row in manifest.rows]


def table(manifest, kind, header, *rows):
    """The same table as CSV or JSON lines."""
    if kind == "csv":
        return manifest(",".join(header), *(",".join(map(str, row)) for row in rows), name="m.csv")
    return manifest(*(dict(zip(header, row, strict=True)) for row in rows))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("names", "scale"),
    [
        (("start", "end"), 1),
        (("start_time", "end_time"), 1),
        (("begin", "end"), 1),
        (("Start (ms)", "End (ms)"), 1000),
        (("startTime", "endTime"), 1),
        (("start_ms", "end_ms"), 1000),
        (("start", "end"), 1000),
        (("offset", "end"), 1),
        (("onset", "offset"), 1),
        (("Onset (ms)", "Offset (ms)"), 1000),
    ],
)
def test_pieces_by_start_and_end(wav, manifest, kind, names, scale):
    wav("a.wav", 4)
    rows = [("a.wav", 0, 1.5 * scale, "one"), ("a.wav", 1.5 * scale, 3.25 * scale, "two")]
    result = read_manifest(table(manifest, kind, ("audio", *names, "text"), *rows))
    assert pieces(result) == [(0.0, 1.5), (1.5, 1.75)]
    assert [row.id for row in result.rows] == ["a.wav#0-1.5", "a.wav#1.5-1.75"]
    assert (result.columns["offset"], result.columns["end"]) == names
    notes = " ".join(result.notes)
    assert ("rows are pieces of recordings by" in notes) == (names[0] != "offset")
    assert ("in milliseconds" in notes) == (scale == 1000)


def test_start_next_to_a_duration(wav, manifest):
    wav("a.wav", 4)
    path = manifest("audio,start,duration,text", "a.wav,0.5,1.5,one", "a.wav,2,1,two", name="m.csv")
    assert pieces(read_manifest(path)) == [(0.5, 1.5), (2.0, 1.0)]


@pytest.mark.parametrize("name", ["duration_ms", "Duration (ms)", "durationMs", "duration-ms"])
def test_durations_in_milliseconds_by_the_name_of_their_column(wav, manifest, name):
    wav("a.wav", 1.5)
    result = read_manifest(manifest({"audio": "a.wav", name: 1500, "text": "one"}))
    assert pieces(result) == [(None, 1.5)]
    assert result.notes == (f"duration is read from '{name}' in milliseconds",)
    plain = read_manifest(manifest({"audio": "a.wav", name: 9, "duration": 1.5, "text": "one"}))
    assert pieces(plain) == [(None, 1.5)]


def test_a_unit_in_the_cell_is_stronger_than_that_of_the_column(wav, manifest):
    wav("a.wav", 1.5)
    assert pieces(read_manifest(manifest("audio,text,duration_ms", "a.wav,x,1.5 s", name="m.csv"))) == [(None, 1.5)]


def test_times_of_files_that_are_cut_already_are_not_read(wav, manifest):
    """As tables of clips have them: the clip's place in a recording that is not there."""
    wav("a.wav", 1.5)
    wav("b.wav", 2)
    path = manifest("audio,start,end,text", "a.wav,100,101.5,one", "b.wav,101.5,103.5,two", name="m.csv")
    result = read_manifest(path)
    assert pieces(result) == [(None, 1.5), (None, 2.0)]
    assert result.notes == (
        "'start' and 'end' were not read: the files are cut already (line 2 has 100 to 101.5 s, and its file is 1.5 s "
        "long)",
    )
    assert "offset" not in result.columns


def test_columns_that_are_no_times_are_not_read(wav, manifest):
    wav("a.wav", 1.5)
    result = read_manifest(manifest({"audio": "a.wav", "text": "x", "start": "2021-05-03", "end": "2021-05-04"}))
    assert pieces(result) == [(None, 1.5)]
    assert result.notes[0].startswith("'start' and 'end' were not read as times: line 1: offset is not a number: '2021")
    alone = read_manifest(manifest({"audio": "a.wav", "text": "x", "end": 1.0}))
    assert (pieces(alone), alone.notes) == ([(None, 1.5)], ())


def test_one_bad_piece_costs_one_row(wav, manifest):
    wav("a.wav", 4)
    rows = [{"audio": "a.wav", "text": "x", "start": n, "end": n + 1} for n in range(3)]
    result = read_manifest(manifest(*rows, {**rows[0], "end": -1}, {**rows[0], "start": "soon"}))
    assert len(result.rows) == 3
    assert [(r.line, r.reason) for r in result.rejected] == [
        (4, "zero length: it ends at -1 s and starts at 0 s"),
        (5, "offset is not a number: 'soon'; expected seconds such as 3.2, '3.2 s' or '0:03.2'"),
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        {"onset": 1.0},
        {"offset": "x"},
        {"offset": None},
        {"end": 1e9},
        {"start": "0", "end": "9" * 30},
        {"offset": 0, "onset": 2},
    ],
)
@pytest.mark.parametrize(
    ("names", "scale"), [(("offset", "duration"), 1), (("start", "end"), 1), (("start", "end"), 1000)]
)
def test_a_damaged_row_does_not_decide_what_times_are(wav, manifest, names, scale, damaged):
    """Its columns may be others, or its values beyond every file."""
    audio = wav("a.wav", 9).name
    rows = [{"audio": audio, "text": "x", names[0]: second * scale, names[1]: 4 * scale} for second in range(1, 4)]
    seconds = [4.0 if names[1] == "duration" else 4.0 - row for row in range(1, 4)]
    result = read_manifest(manifest({**rows[0], **damaged, "id": "damaged"}, *rows))
    read = [(row.offset, row.duration) for row in result.rows if row.id != "damaged"]
    assert read == list(zip([1.0, 2.0, 3.0], seconds, strict=True))


@pytest.mark.parametrize(
    ("names", "unused", "scale"),
    [(("offset", "duration"), "onset", 1), (("start", "duration"), "onset", 1), (("start", "end"), "offset", 1000)],
)
def test_an_empty_column_does_not_decide_what_times_are(wav, manifest, names, unused, scale):
    wav("a.wav", 9)
    last = 2 if names[1] == "duration" else 5
    rows = [("a.wav", "x", 1 * scale, 2 * scale, ""), ("a.wav", "y", 3 * scale, last * scale, "")]
    seconds = [2.0, 2.0] if names[1] == "duration" else [1.0, 2.0]
    result = read_manifest(table(manifest, "csv", ("audio", "text", *names, unused), *rows))
    assert pieces(result) == list(zip([1.0, 3.0], seconds, strict=True))


@pytest.mark.parametrize("start", ["start", "offset"])
def test_a_row_whose_times_contradict_each_other_is_rejected_where_the_others_agree(wav, manifest, start):
    wav("a.wav", 9)
    rows = [{"audio": "a.wav", "text": "x", start: n, "end": n + 1.5, "duration": 1.54} for n in range(1, 5)]
    result = read_manifest(manifest(*rows[:3], {**rows[3], "end": 7}, {**rows[3], "end": "late"}))
    assert pieces(result) == [(1.0, 1.54), (2.0, 1.54), (3.0, 1.54), (4.0, 1.54)]
    reasons = [(row.line, row.reason) for row in result.rejected]
    assert reasons == [(4, "duration is 1.54 s, but it starts at 4 s and ends at 7 s")]
    recordings = [{**row, "duration": 9} for row in rows]
    assert pieces(read_manifest(manifest(*recordings))) == [(float(n), 9.0) for n in range(1, 5)]


def test_columns_of_cut_files_stay_unread_next_to_a_row_with_an_offset(wav, manifest):
    rows = [{"audio": wav(f"{n}.wav", 2).name, "text": "x", "start": n * 5, "end": n * 5 + 2} for n in range(1, 4)]
    result = read_manifest(manifest({**rows[0], "offset": -1}, *rows))
    assert {(row.offset, row.duration) for row in result.rows} == {(None, 2.0)}
    assert "the files are cut already" in " ".join(result.notes)


def test_configured_columns_of_start_and_end(wav, manifest):
    wav("a.wav", 4)
    path = manifest({"audio": "a.wav", "text": "x", "from": 1, "to_ms": 2500})
    assert pieces(read_manifest(Source(path, columns={"offset": "from", "end": "to_ms"}))) == [(1.0, 1.5)]


def test_references_without_audio_are_pieces_where_recordings_repeat(manifest):
    rows = [{"Audio": "a.wav", "Start": n, "End": n + 2, "Text": "x"} for n in (0, 2)]
    assert pieces(reference_rows(Source(manifest(*rows)), silence=True)) == [(0.0, 2.0), (2.0, 2.0)]
    rows[1]["Audio"] = "b.wav"
    assert pieces(reference_rows(Source(manifest(*rows)), silence=True)) == [(None, 0.0), (None, 0.0)]


def test_whole_recordings_with_several_texts_are_noted(wav, manifest):
    wav("a.wav", 4)
    header = ("id", "audio", "text", "xmin", "xmax")
    path = table(manifest, "csv", header, ("1", "a.wav", "one", 0, 2), ("2", "a.wav", "two", 2, 4))
    (note,) = read_manifest(path).notes
    assert note.startswith(
        "2 of the first 2 rows are whole recordings that other rows have with other texts, such as a.w"
    )
    assert note.endswith("not read: xmax, xmin")
    columns = {"offset": "xmin", "end": "xmax"}
    assert pieces(read_manifest(Source(path, columns=columns))) == [(0.0, 2.0), (2.0, 2.0)]
    path = table(manifest, "jsonl", header[:3], ("1", "a.wav", "one"), ("2", "a.wav", "one"))
    assert read_manifest(path).notes == ()


def test_notes_on_separators_and_written_times(wav, manifest):
    wav("a.wav", 4)
    path = manifest("audio;text;duration", "a.wav;x;4,0", 'a.wav;y;"4"', "a.wav;z;0:04", name="m.csv")
    assert read_manifest(path).notes == (
        "its columns are separated by semicolons",
        "2 values of 'duration' are written like '4,0' (line 2: 4 s)",
    )
    plain = manifest(json.dumps({"audio": "a.wav", "text": "x", "duration": "4.00"}))
    assert read_manifest(plain).notes == ()


@pytest.mark.parametrize(
    ("channel", "named"), [("A", True), ("left", True), ("ch-1", True), ("BBC", False), ("0", False)]
)
def test_names_of_channels_are_noted(wav, manifest, channel, named):
    wav("a.wav", channels=2)
    path = manifest({"audio": "a.wav", "channel": channel, "text": "one"})
    result = read_manifest(path)
    note = f"'channel' was not read, all channels are mixed: line 1 has '{channel}'; expected numbers from 0"
    assert result.notes == ((note,) if named else ())
    assert [row.channel for row in result.rows] == [0 if channel == "0" else None]
    assert read_manifest(Source(path, channel=1)).notes == ()


@pytest.mark.parametrize(("channels", "numbers"), [(2, (1, 2)), (1, (1, 1)), (2, ("1.0", "2.0")), (4, (1, 4, 2))])
def test_channels_counted_from_1_are_read_as_that(wav, manifest, channels, numbers):
    wav("a.wav", channels=channels)
    wav("stereo.wav", channels=2)
    rows = [{"audio": "a.wav", "id": f"r{place}", "channel": one, "text": "x"} for place, one in enumerate(numbers)]
    result = read_manifest(manifest(*rows, {"audio": "stereo.wav", "channel": 1, "text": "x"}))
    assert [row.channel for row in result.rows] == [*(int(float(one)) - 1 for one in numbers), 0]
    line = 1 + [int(float(one)) for one in numbers].index(channels)
    assert result.notes == (
        f"'channel' is read as counted from 1: no row has channel 0, and line {line} has channel {channels} of a file "
        f"with {channels} channel{'s' if channels > 1 else ''}",
    )


def test_channels_are_counted_from_0_where_a_row_has_0_or_none_is_the_last(wav, manifest):
    wav("a.wav", channels=2)
    wav("mono.wav")
    rows = [{"audio": "a.wav", "id": f"r{one}", "channel": one, "text": "x"} for one in (0, 1, 2)]
    assert [row.channel for row in read_manifest(manifest(*rows)).rows] == [0, 1, 2]
    assert read_manifest(manifest(rows[1])).notes == ()
    assert [row.channel for row in read_manifest(Source(manifest(*rows[1:]), channel=1)).rows] == [1, 1]
    once = {"audio": "mono.wav", "channel": 1, "text": "x"}
    unclear = manifest(*({**rows[1], "id": str(number)} for number in range(20)), once)
    with pytest.raises(UserError, match=r"m\.jsonl: 'channel' may count channels from 0 or from 1: .* line 21 has"):
        read_manifest(unclear)


@pytest.mark.parametrize(("others", "first"), [(24, 1), (8, 0)])
def test_one_row_of_channel_0_does_not_decide_how_the_others_count(wav, manifest, others, first):
    wav("a.wav", channels=2)
    rows = [{"audio": "a.wav", "id": f"r{n}", "channel": 1 + n % 2, "text": "x"} for n in range(others)]
    result = read_manifest(manifest(*rows[:3], {**rows[0], "id": "odd", "channel": 0}, *rows[3:]))
    assert [row.channel for row in result.rows if row.id != "odd"] == [1 + n % 2 - first for n in range(others)]
    reasons = [row.reason for row in result.rejected]
    assert reasons == (["channel is 0, and the other rows count from 1"] if first else [])
    assert any("only 1 row with channel 0, and line 2 has channel 2" in note for note in result.notes) == bool(first)


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ('he said \\"no\\" twice', True),
        ('"he said \\"no\\", twice"', True),
        ('"he said ""no"", twice"', False),
        ('"in C:\\dir\\"', False),
        ('"{""said"": ""\\""no\\"" twice""}"', False),
    ],
)
def test_backslashes_before_quotes_are_noted(tmp_path, text, noted):
    """As pandas writes them with `escapechar="\\\\", doublequote=False`."""
    (tmp_path / "a.wav").write_bytes(b"x")
    path = tmp_path / "m.csv"
    path.write_text(f"audio,text,duration\na.wav,plain,1\na.wav,{text},1\n")
    notes = read_manifest(path).notes
    assert any("its quotes have backslashes" in note for note in notes) == noted
