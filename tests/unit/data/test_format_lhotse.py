"""Cuts of lhotse 1.33: pieces, supervisions, channels, and every kind that holds no file of audio."""

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
    named = {"id": f"s{number}", "recording_id": "a", "start": start, "duration": duration, "channel": 1}
    return named | {"text": f"text {number}", "speaker": f"spk{number}"} | more


def cut(*supervisions, **changes):
    made = {"id": "cut", "start": 1.0, "duration": 3.0, "channel": 1, "supervisions": list(supervisions)}
    made |= {"recording": copy.deepcopy(RECORDING), "type": "MonoCut"} | changes
    return {key: value for key, value in made.items() if value is not None}


def with_source(**changes):
    recording = copy.deepcopy(RECORDING)
    recording["sources"][0] |= changes
    return recording


def test_one_row_a_supervision_cut_to_the_cut(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0.5, 1.0), part(2, 2.5, 2.0), part(3, -0.5, 1.0)))
    found = read_manifest(path)
    assert found.format == "lhotse"
    assert [(r.id, r.offset, r.duration, r.channel, r.speaker_id) for r in found.rows] == [
        ("s1", 1.5, 1.0, 1, "spk1"),
        ("s2", 3.5, 0.5, 1, "spk2"),
        ("s3", 1.0, 0.5, 1, "spk3"),
    ]


def test_a_broken_supervision_costs_only_itself(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0, 1.0), part(2, "x", 1.0), part(3, 1, 1.0)), cut(part(4, 0, 1.0), "odd", id="other"))
    found = read_manifest(path)
    assert [row.id for row in found.rows] == ["s1", "s3"]
    assert [(entry.line, entry.id, entry.reason.split(":")[0]) for entry in found.rejected] == [
        (1, "s2", "no audio"),
        (2, "other", "no text"),
    ]


def test_a_whole_recording_is_no_piece_and_keeps_the_name_of_its_cut(wav, manifest):
    wav("a.wav", 4.0)
    recording = with_source(channels=[0])
    [row] = read_manifest(manifest(cut(part(1, 0, 4.0), start=0, duration=4.0, channel=0, recording=recording))).rows
    assert (row.id, row.offset, row.duration, row.channel) == ("cut", None, 4.0, None)


def test_channels_in_files_of_their_own_and_cuts_of_several(wav, manifest):
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
    found = read_manifest(path)
    assert [(r.id, r.audio, r.channel) for r in found.rows] == [("mono", "b.wav", 1), ("by-supervision", "a.wav", None)]
    assert [entry.reason for entry in found.rejected] == [
        "no audio: a cut of channels [0, 1]; choose one with `channel` in config.yaml",
        "no audio: no source of the recording holds channel 9",
    ]
    assert [r.audio for r in read_manifest(Source(path, channel=0)).rows] == ["a.wav"] * 4


def test_what_holds_no_file_of_audio_is_rejected_with_what_to_do(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    good = part(1, 0, 1.0)
    cases = [
        (cut(good, recording=None, features={"type": "fbank"}), "no audio: features only"),
        (cut(good, type="MixedCut"), "no audio: a MixedCut is several recordings"),
        (cut(type="PaddingCut"), "no audio: a PaddingCut holds no speech"),
        (cut(), "no text: the cut has no supervision"),
        (cut(part(1, 0, 1.0, text=None)), "empty text"),
        (cut(good, recording=with_source(type="url", source="https://x/a.wav")), "no audio: the recording lies behind"),
        (cut(good, recording=with_source(type="command", source="cat a.wav")), "no audio: the recording is the output"),
        (cut(good, recording=with_source(type="memory", source="aaaa")), "no audio: the recording lies inside"),
        (cut(good, recording=with_source(type="odd")), "no audio: a source of type odd"),
        (cut(good, recording={**RECORDING, "transforms": [{"name": "Speed"}]}), "no audio: the recording is changed"),
        (cut(good, duration="long"), "no audio: start or duration"),
        (cut(good, recording=with_source(source="gone.wav")), "missing file: gone.wav"),
        ("[1, 2]", "broken line: a JSON list"),
    ]
    found = read_manifest(manifest(*(row for row, _ in cases)))
    assert not found.rows
    for entry, (_, reason) in zip(found.rejected, cases, strict=True):
        assert entry.reason.startswith(reason), entry


def places(value, path=()):
    """Paths to everything inside nested objects and lists."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


@pytest.mark.parametrize("odd", [None, True, -1, 1e400, "x", [], {}, [[]], {"a": []}], ids=repr)
def test_anything_in_any_place_is_a_row_or_a_reason(wav, manifest, odd):
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
    found = read_manifest(manifest(*cuts))
    assert len(found.rows) + len(found.rejected) == len(cuts)


def test_texts_in_custom_fields(wav, manifest):
    wav("a.wav", 4.0, channels=2)
    path = manifest(cut(part(1, 0, 1.0, custom={"text_pnc": "Text, one."})))
    [row] = read_manifest(Source(path, columns={"text": "text_pnc"})).rows
    assert row.text == "Text, one."
    with pytest.raises(UserError, match=r"columns\.text names 'pnc', which no supervision has; found .*text_pnc"):
        read_manifest(Source(path, columns={"text": "pnc"}))
    with pytest.raises(UserError, match=r"columns\.audio means nothing for lhotse cuts"):
        read_manifest(Source(path, columns={"audio": "x"}))


def test_halves_of_a_manifest_are_no_manifest(manifest):
    for half in (RECORDING, part(1, 0, 1.0)):
        with pytest.raises(UserError, match="recordings or supervisions of lhotse by themselves; join them to cuts"):
            read_manifest(manifest(half))


def test_the_piece_and_channel_are_what_is_heard(tmp_path, manifest):
    import soundfile

    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (64000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, 16000, subtype="FLOAT")
    found = read_manifest(manifest(json.dumps(cut(part(1, 0.5, 1.0)))))
    np.testing.assert_array_equal(load_audio(found.rows[0], found.folder), noise[24000:40000, 1])
