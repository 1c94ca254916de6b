"""The settings of a model's feature extractor, and whether the model takes what it computes. Torch-free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lora.asr.families.table import Family
from lora.asr.model_json import UnusableModel, read_json
from lora.data.audio.limits import rate_problem

# In the order in which transformers looks for the settings; the first has them under a key of their own.
PROCESSOR, PREPROCESSOR = "processor_config.json", "preprocessor_config.json"
FEATURES = (PROCESSOR, PREPROCESSOR)
NESTED = ("feature_extractor", "audio_processor")
LONGEST_WINDOW = 3600  # seconds
WINDOW = "chunk_length"  # in seconds
SIZES = ("n_fft", "win_length", "hop_length", "n_mels", "feature_size")
LARGEST_SIZE = 100_000  # of windows and filters, which are computed before anything fails
# Settings of the feature extractor that have to be those of the model, by their names in config.json.
IN_MODEL = {
    "feature_size": "num_mel_bins",
    "projector_window_size": "window_size",
    "projector_downsample_rate": "downsample_rate",
}
WHISPER_HOP = 160  # samples from frame to frame, where the settings do not say
FRAMES_PER_POSITION = 2  # of Whisper's encoder, whose second convolution halves them
COPY = "Copy the file from the base model."


def feature_settings(folder: Path, owner: str) -> dict[str, Any]:
    """Settings of the feature extractor; `owner` starts messages.

    Raises:
        UnusableModel: There are none, or their sampling rate is not one.
    """
    found: Any = None
    name = PROCESSOR
    if (folder / PROCESSOR).is_file():
        processor = read_json(folder / PROCESSOR, owner)
        found = next((processor[key] for key in NESTED if processor.get(key) is not None), None)
    if found is None and (folder / PREPROCESSOR).is_file():
        found = read_json(folder / PREPROCESSOR, owner)
        name = PREPROCESSOR
    rate = found.get("sampling_rate") if isinstance(found, dict) else None
    if found is None or rate is None:
        raise UnusableModel(f'{owner}: neither {" nor ".join(FEATURES)} has a "sampling_rate". {COPY}')
    if not isinstance(rate, int) or isinstance(rate, bool):
        raise UnusableModel(
            f'{owner}: {name}: "sampling_rate" is {rate!r:.40}; expected a whole number, such as 16000. {COPY}'
        )
    if (problem := rate_problem(rate)) is not None:
        raise UnusableModel(f"{owner}: {name}: {problem}. {COPY}")
    for key, value in [item for part in _parts(found) for item in part.items()]:
        longest = LONGEST_WINDOW if key == WINDOW else LONGEST_WINDOW * rate  # others count samples at most
        most = LARGEST_SIZE if key in SIZES else longest
        if isinstance(value, int) and value > most:
            raise UnusableModel(f'{owner}: {name}: "{key}" is above {most:,}, which no model has. {COPY}')
    return dict(found)


def _parts(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Settings and the objects in them."""
    return [settings, *(part for part in settings.values() if isinstance(part, dict))]


def with_own_window(family: Family, features: dict[str, Any], owner: str) -> Family:
    """A Whisper model takes as much audio as `chunk_length` of its feature extractor says, which need not be 30 s."""
    seconds = features.get(WINDOW)
    if family.window_seconds is None or seconds is None:
        return family
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= LONGEST_WINDOW:
        raise UnusableModel(
            f'{owner}: "chunk_length" of the feature extractor is {seconds!r:.60}; expected whole seconds '
            f"from 1 to {LONGEST_WINDOW}. {COPY}"
        )
    return replace(family, window_seconds=float(seconds), padding_seconds=float(seconds))


def require_fitting(family: Family, features: dict[str, Any], config: dict[str, Any], owner: str) -> None:
    """Raise UnusableModel if what the feature extractor computes is not what the model takes."""
    problem = None
    for key, own_key in IN_MODEL.items():
        own = next((part[own_key] for part in _parts(config) if own_key in part), None)
        given = features.get(key)
        if isinstance(own, int) and isinstance(given, int) and given != own:
            problem = f'"{key}" {given}, but "{own_key}" of the model is {own} in config.json'
    positions = config.get("max_source_positions")
    hop = features.get("hop_length", WHISPER_HOP)
    if family.window_seconds is not None and isinstance(positions, int) and isinstance(hop, int) and hop > 0:
        frames = int(family.window_seconds * features["sampling_rate"]) // hop
        if frames != FRAMES_PER_POSITION * positions:
            problem = problem or (
                f"{frames} frames per window (from chunk_length, sampling_rate and hop_length), but the model takes "
                f'{FRAMES_PER_POSITION * positions} (twice "max_source_positions" in config.json)'
            )
    if problem is not None:
        raise UnusableModel(
            f"{owner}: its feature extractor has {problem}. Copy {' or '.join(FEATURES)} from the base model."
        )
