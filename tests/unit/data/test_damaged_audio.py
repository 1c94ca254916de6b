"""Audio that decodes to less than its header says, or to NaN, is an error that names row and file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.data.audio.loading import load_audio
from lora.records.base import UserError
from lora.records.manifests import Utterance


def row(audio: str) -> Utterance:
    return Utterance(id="u", text="x", duration=4.0, audio=audio)


def test_a_file_truncated_in_the_middle(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 64000).astype(np.float32)
    whole = tmp_path / "whole.flac"
    soundfile.write(whole, noise, 16000)
    assert load_audio(row("whole.flac"), tmp_path).shape == (64000,)
    (tmp_path / "cut.flac").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match=r"row u: .*cut\.flac"):
        load_audio(row("cut.flac"), tmp_path)


def test_samples_that_are_not_finite(tmp_path: Path) -> None:
    samples = np.zeros(16000, dtype=np.float32)
    samples[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: nan\.wav contains samples that are NaN or infinite"):
        load_audio(row("nan.wav"), tmp_path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [(3e38, 3e38), (np.inf, -np.inf)])
def test_channels_whose_mean_is_not_finite_are_one_error_without_warnings(
    tmp_path: Path, values: tuple[float, float]
) -> None:
    samples = np.tile(np.array(values, dtype=np.float32), (16000, 1))
    soundfile.write(tmp_path / "huge.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: huge\.wav contains samples that are NaN or infinite"):
        load_audio(row("huge.wav"), tmp_path)


def test_integers_that_were_stored_as_floats(tmp_path: Path) -> None:
    speech = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    soundfile.write(tmp_path / "integers.wav", speech * 32768, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: integers\.wav: the peak is 1[\d.]+; expected samples from -1 to 1"):
        load_audio(row("integers.wav"), tmp_path)
    inline = Utterance(id="u", text="x", duration=1.0, samples=[0.0, -20000.0, 3.0], sampling_rate=16000)
    with pytest.raises(UserError, match=r"row u: its inline samples: the peak is 20000"):
        load_audio(inline, tmp_path)


def test_a_recording_somewhat_over_full_scale(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.full(16000, 1.5, np.float32), 16000, subtype="FLOAT")
    assert load_audio(row("loud.wav"), tmp_path).max() == 1.5
