"""A model as files: what it is, where it lies, how it decodes by default. Torch-free.

Everything that names a transcript cache is read here as JSON, so that a fully cached run never imports torch.
Reads: a local model folder in hub shape, or the hub's cache (downloading what is missing). Writes: nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.provenance import HASH_LENGTH
from lora.records import ModelIdentity, UserError

WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
CONFIGURATION = "config.json"
ADAPTER_CONFIG = "adapter_config.json"  # in a model's folder: an adapter that other programs would load unasked
TOKENIZER = ("tokenizer.json", "vocab.json", "tokenizer.model")
FEATURES = ("preprocessor_config.json", "processor_config.json")
TEXT_FILES = (*TOKENIZER, *FEATURES, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
              "merges.txt", "normalizer.json")  # fmt: skip
HUB_PATTERNS = [WEIGHTS, SHARDS, "model-*.safetensors", "*.json", "merges.txt", "tokenizer.model"]


@dataclass(frozen=True)
class Family:
    """What holds for every model of one `model_type`.

    `window_seconds`: longer audio is cut by the feature extractor; null = nothing is cut.
    `padding_seconds`: the grid step an utterance is padded to. `tokens_per_second`: token cap of greedy
    decoding, null = the model's own limit. `decode_keys`: arguments of its `generate` beside those of every
    model.
    """

    window_seconds: float | None
    padding_seconds: float
    tokens_per_second: float | None
    decode_keys: tuple[str, ...] = ()


# The place where further families enter, together with a class in `lora.asr.families`.
FAMILIES: dict[str, Family] = {
    # 6.5 tokens a second is what its authors recommend against repetition loops, for a vocabulary of 32,768.
    "moonshine": Family(window_seconds=None, padding_seconds=1.0, tokens_per_second=6.5),
    "whisper": Family(
        window_seconds=30.0,
        padding_seconds=30.0,
        tokens_per_second=None,
        decode_keys=(
            "language", "task", "return_timestamps", "condition_on_prev_tokens",
            "compression_ratio_threshold", "logprob_threshold", "no_speech_threshold",
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ModelFiles:
    """Where a model lies and what its JSON files say. `generation` is its own generation_config.json."""

    path: Path
    identity: ModelIdentity
    family: Family
    config: dict[str, Any]
    generation: dict[str, Any]
    sampling_rate: int


def describe_model(model_id: str, revision: str | None = None) -> ModelFiles:
    """Find, check and identify a model: a local folder where one exists, else a hub id.

    Raises UserError naming what is missing, or the supported types where the type is not one of them.
    """
    folder = Path(model_id)
    if folder.is_dir():
        revision = None  # a folder is what it is; its hash tells two states apart
    else:
        folder = _from_hub(model_id, revision)
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / CONFIGURATION).is_file():
        raise UserError(
            f"model {model_id}: holds an adapter ({ADAPTER_CONFIG}) and no model; name its base model in model.id, and "
            "this folder as the `adapter` of a candidate"
        )
    config = _read_json(folder / CONFIGURATION, f"model {model_id}")
    model_type = config.get("model_type")
    if model_type not in FAMILIES:
        raise UserError(
            f"model {model_id}: {CONFIGURATION} says model_type {model_type!r}, which is not supported; "
            f"supported: {', '.join(sorted(FAMILIES))}"
        )
    weights = weight_files(folder, model_id)
    for purpose, names in (("tokenizer", TOKENIZER), ("feature extractor", FEATURES)):
        if not any((folder / name).is_file() for name in names):
            raise UserError(f"model {model_id}: no {purpose} ({' or '.join(names)}); copy it from its base model")
    family = FAMILIES[model_type]
    text_files = [folder / name for name in sorted(TEXT_FILES) if (folder / name).is_file()]
    generation = folder / "generation_config.json"
    return ModelFiles(
        path=folder,
        identity=ModelIdentity(
            id=model_id,
            revision=revision,
            hash=_hash_files([folder / CONFIGURATION, *text_files, *weights]),
            family=model_type,
            window_seconds=family.window_seconds,
        ),
        family=family,
        config=config,
        generation=_read_json(generation, f"model {model_id}") if generation.is_file() else {},
        sampling_rate=_sampling_rate(folder, model_id),
    )


def weight_files(folder: Path, model_id: str) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / SHARDS).is_file():
        others = sorted(path.name for path in [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")])
        found = f" (found {', '.join(others)}, which can run code when read and is not used)" if others else ""
        raise UserError(f"model {model_id}: no weights in safetensors: {WEIGHTS} is missing{found}")
    index = _read_json(folder / SHARDS, f"model {model_id}")
    shards = sorted({str(name) for name in index.get("weight_map", {}).values()})
    missing = [name for name in shards if not (folder / name).is_file()]
    if missing or not shards:
        raise UserError(
            f"model {model_id}: {SHARDS} names shards that are missing: {', '.join(missing) or 'none named'}"
        )
    return [folder / SHARDS, *(folder / name for name in shards)]


def _sampling_rate(folder: Path, model_id: str) -> int:
    """Hz the feature extractor expects; newer folders hold it inside processor_config.json."""
    for name in FEATURES:
        if (folder / name).is_file():
            values = _read_json(folder / name, f"model {model_id}")
            values = values.get("feature_extractor", values)
            if isinstance(values.get("sampling_rate"), int):
                return int(values["sampling_rate"])
    raise UserError(
        f"model {model_id}: {' and '.join(FEATURES)} name no sampling_rate; copy the file from the base model"
    )


def _from_hub(model_id: str, revision: str | None) -> Path:
    """The hub's snapshot folder of a model id. Credentials stay inside the hub library."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    where = f"model {model_id}" + (f" at revision {revision}" if revision else "")
    try:
        return Path(snapshot_download(model_id, revision=revision, allow_patterns=HUB_PATTERNS))
    except HFValidationError:
        raise UserError(f"{where}: no such folder, and not a hub id (owner/name)") from None
    except LocalEntryNotFoundError:
        raise UserError(f"{where}: no such folder, and the hub cannot be reached") from None
    except (HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"{where}: no such folder, and the hub does not give it: {reason}") from None


def _hash_files(paths: list[Path]) -> str:
    """One hash over names and bytes, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:HASH_LENGTH]


def _read_json(path: Path, owner: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{owner}: {path.name} is missing") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{owner}: {path.name} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"{owner}: {path.name} does not hold a JSON object")
    return value


def window_seconds(model_id: str) -> float | None:
    """Input window (seconds) of a local model's family; null where there is none, or nothing local to tell.

    Read before anything is loaded, for the decision on max_seconds; a model still on the hub is judged
    after transcription.
    """
    configuration = Path(model_id) / CONFIGURATION
    if not configuration.is_file():
        return None
    family = FAMILIES.get(_read_json(configuration, f"model {model_id}").get("model_type", ""))
    return family.window_seconds if family is not None else None
