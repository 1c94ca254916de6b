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

from lora.asr.families.table import FAMILIES, Family
from lora.provenance.hashes import HASH_LENGTH
from lora.records.base import UserError
from lora.records.settings import ModelIdentity

WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
CONFIGURATION = "config.json"
ADAPTER_CONFIG = "adapter_config.json"  # in a model's folder: an adapter that other programs would load unasked
OWN_ADAPTER = "adapter_model.safetensors"
TOKENIZER = ("tokenizer.json", "vocab.json", "tokenizer.model", "tekken.json")
FEATURES = ("preprocessor_config.json", "processor_config.json")
TEXT_FILES = (*TOKENIZER, *FEATURES, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
              "merges.txt", "normalizer.json", "chat_template.jinja", "chat_template.json")  # fmt: skip
HUB_PATTERNS = [
    WEIGHTS,
    SHARDS,
    "model-*.safetensors",
    "*.json",
    "*.jinja",
    "merges.txt",
    "tokenizer.model",
    OWN_ADAPTER,
]


@dataclass(frozen=True)
class ModelFiles:
    """Where a model lies and what its JSON files say. `generation` is its own generation_config.json, `features`
    the settings of its feature extractor.

    `language` and `prompt` are how the model is asked, null leaves it to the model.
    """

    path: Path
    identity: ModelIdentity
    family: Family
    config: dict[str, Any]
    generation: dict[str, Any]
    features: dict[str, Any]
    sampling_rate: int
    language: str | None = None
    prompt: str | None = None


def describe_model(
    model_id: str, revision: str | None = None, language: str | None = None, prompt: str | None = None
) -> ModelFiles:
    """Find, check and identify a model: a local folder where one exists, else a hub id.

    Of the hub the commit is recorded that `revision` (null: the main branch) stands for. Raises UserError naming what
    is missing, the supported types where the type is not one of them, or a question that the family cannot be asked.
    """
    folder = Path(model_id)
    if folder.is_dir():
        revision = None  # a folder is what it is; its hash tells two states apart
    else:
        folder = _from_hub(model_id, revision)
        revision = folder.name  # snapshots lie in folders named by their commit
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
    for key, value in (("language", language), ("prompt", prompt)):
        if value is not None and key not in family.model_keys:
            raise UserError(f"model.{key}: {value!r}, but {model_type} models take no {key}; leave it out")
    if config.get("has_lora_adapter"):  # an adapter that is part of the model
        weights += [folder / name for name in (ADAPTER_CONFIG, OWN_ADAPTER) if (folder / name).is_file()]
    text_files = [folder / name for name in sorted(TEXT_FILES) if (folder / name).is_file()]
    generation = folder / "generation_config.json"
    features = _features(folder, model_id)
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
        features=features,
        sampling_rate=int(features["sampling_rate"]),
        language=language,
        prompt=prompt,
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


def _features(folder: Path, model_id: str) -> dict[str, Any]:
    """Settings of the feature extractor, its sampling rate among them; newer folders hold them in a larger file."""
    for name in FEATURES:
        if (folder / name).is_file():
            values = _read_json(folder / name, f"model {model_id}")
            values = values.get("feature_extractor") or values.get("audio_processor") or values
            if isinstance(values.get("sampling_rate"), int):
                return values
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
