"""Cuts of lhotse 1.33: segments, supervisions, channels, and every kind of cut without an audio file."""

import copy
import json

import numpy as np
import pytest

from lora.data.audio.loading import load_audio
from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.records.base import UserError

RECORDING = {
    "id": "a",
    "sources": [{"type": "file", "channels": [0, 1], "source": "a.wav"}],
    "sampling_rate": 16000,
    "num_samples": 64000,
    "duration": 4.0,
    "channel_ids": [0, 1],
}


def part(number, start, duration, **more):
    fields = {"id": f"s{number}", "recording_id": "a", "start": start, "duration": duration, "channel": 1}
    return fields | {"text": f"text {number}", "speaker": f"spk{number}"} | more


def cut(*supervisions, **changes):
    fields = {"id": "cut", "start": 1.0, "duration": 3.0, "channel": 1, "supervisions": list(supervisions)}
    fields |= {"recording": copy.deepcopy(RECORDING), "type": "MonoCut"} | changes
    return {key: value for key, value in fields.items() if value is not None}


def with_source(**changes):
    recording = copy.deepcopy(RECORDING)
    recording["sources"][0] |= changes
    return recording


def test_one_row_per_supervision_limited_to_its_cut(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0.5, 1.0), part(2, 2.5, 2.0), part(3, -0.5, 1.0)))
    result = read_manifest(path)
    assert result.format == "lhotse"
    assert [(r.id, r.offset, r.duration, r.channel, r.speaker_id) for r in result.rows] == [
        ("s1", 1.5, 1.0, 1, "spk1"),
        ("s2", 3.5, 0.5, 1, "spk2"),
        ("s3", 1.0, 0.5, 1, "spk3"),
    ]


def test_a_broken_supervision_rejects_only_itself(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0, 1.0), part(2, "x", 1.0), part(3, 1, 1.0)), cut(part(4, 0, 1.0), "odd", id="other"))
    result = read_manifest(path)
    assert [row.id for row in result.rows] == ["s1", "s3"]
    assert [(entry.line, entry.id, entry.reason.split(":")[0]) for entry in result.rejected] == [
        (1, "s2", "no audio"),
        (2, "other", "no text"),
    ]


def test_a_whole_recording_has_no_offset_and_the_id_of_its_cut(wav, manifest):
    wav("a.wav", 4.0)
    recording = with_source(channels=[0])
    [row] = read_manifest(manifest(cut(part(1, 0, 4.0), start=0, duration=4.0, channel=0, recording=recording))).rows
    assert (row.id, row.offset, row.duration, row.channel) == ("cut", None, 4.0, None)


def test_channels_in_separate_files_and_cuts_with_several_channels(wav, manifest):
    wav("a.wav", 4.0)
    wav("b.wav", 4.0, channels=2)
    several = copy.deepcopy(RECORDING)
    several["sources"] = [
        {"type": "file", "channels": [0], "source": "a.wav"},
        {"type": "file", "channels": [3, 1], "source": "b.wav"},
    ]
    many = {"type": "MultiCut", "channel": [0, 1]}
    path = manifest(
        cut(part(1, 0, 1.0), id="mono", recording=several),
        cut(part(2, 0, 1.0, channel=[0]), id="by-supervision", recording=several, **many),
        cut(part(3, 0, 1.0, channel=[0, 1]), id="both", recording=several, **many),
        cut(part(4, 0, 1.0), id="absent", recording=several, channel=9),
    )
    result = read_manifest(path)
    assert [(r.id, r.audio, r.channel) for r in result.rows] == [
        ("mono", "b.wav", 1),
        ("by-supervision", "a.wav", None),
    ]
    assert [entry.reason for entry in result.rejected] == [
        "no audio: the cut has channels [0, 1]; choose one with `channel` in config.yaml",
        "no audio: no source of the recording contains channel 9",
    ]
    assert [r.audio for r in read_manifest(Source(path, channel=0)).rows] == ["a.wav"] * 4


def test_cuts_without_an_audio_file_are_rejected_with_a_remedy(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    good = part(1, 0, 1.0)
    cases = [
        (cut(good, recording=None, features={"type": "fbank"}), "no audio: features only"),
        (cut(good, type="MixedCut"), "no audio: a MixedCut is several recordings"),
        (cut(type="PaddingCut"), "no audio: a PaddingCut contains no speech"),
        (cut(), "no text: the cut has no supervision"),
        (cut(part(1, 0, 1.0, text=None)), "empty text"),
        (cut(good, recording=with_source(type="url", source="https://x/a.wav")), "no audio: the recording is at a URL"),
        (cut(good, recording=with_source(type="command", source="cat a.wav")), "no audio: the recording is the output"),
        (
            cut(good, recording=with_source(type="memory", source="aaaa")),
            "no audio: the manifest contains the recording",
        ),
        (cut(good, recording=with_source(type="odd")), "no audio: a source of type odd"),
        (
            cut(good, recording={**RECORDING, "transforms": [{"name": "Speed"}]}),
            "no audio: the recording is transformed",
        ),
        (cut(good, duration="long"), "no audio: start or duration"),
        (cut(good, recording=with_source(source="gone.wav")), "missing file: gone.wav"),
        ("[1, 2]", "broken line: a JSON list"),
    ]
    result = read_manifest(manifest(*(row for row, _ in cases)))
    assert not result.rows
    for entry, (_, reason) in zip(result.rejected, cases, strict=True):
        assert entry.reason.startswith(reason), entry


def places(value, path=()):
    """Paths to everything inside nested objects and lists."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


@pytest.mark.parametrize("odd", [None, True, -1, 1e400, "x", [], {}, [[]], {"a": []}], ids=repr)
def test_any_value_in_any_place_gives_a_row_or_a_reason(wav, manifest, odd):
    wav("a.wav", 4.0, channels=2)
    good = cut(part(1, 0, 1.0, custom={"a": 1}))
    cuts = [good]
    for path in list(places(good))[1:]:
        changed = copy.deepcopy(good)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = odd
        cuts.append(changed)
    result = read_manifest(manifest(*cuts))
    assert len(result.rows) + len(result.rejected) == len(cuts)


def test_texts_in_custom_fields(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0, 1.0, custom={"text_pnc": "Text, one."})))
    [row] = read_manifest(Source(path, columns={"text": "text_pnc"})).rows
    assert row.text == "Text, one."
    with pytest.raises(
        UserError, match=r"columns\.text is 'pnc', which no supervision has; expected one of .*text_pnc"
    ):
        read_manifest(Source(path, columns={"text": "pnc"}))
    with pytest.raises(UserError, match=r"columns\.audio has no meaning for lhotse cuts"):
        read_manifest(Source(path, columns={"audio": "x"}))


def test_recordings_or_supervisions_alone_are_an_error(manifest):
    for half in (RECORDING, part(1, 0, 1.0)):
        with pytest.raises(UserError, match="lhotse recordings or supervisions by themselves; join them to cuts"):
            read_manifest(manifest(half))


def test_segment_and_channel_select_the_samples(tmp_path, manifest):
    import soundfile

    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (64000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, 16000, subtype="FLOAT")
    result = read_manifest(manifest(json.dumps(cut(part(1, 0.5, 1.0)))))
    np.testing.assert_array_equal(load_audio(result.rows[0], result.folder), noise[24000:40000, 1])
