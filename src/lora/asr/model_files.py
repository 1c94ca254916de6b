"""Find, check and identify a model from its files, without loading it. Torch-free.

Everything about a model that the transcript cache's fingerprint needs is read from JSON files here, so that a fully
cached run never imports torch.

Reads: a local model folder, or the Hugging Face cache (downloading missing files). Writes: nothing.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.asr.families.table import FAMILIES, Family
from lora.asr.feature_settings import FEATURES, feature_settings, require_fitting, with_own_window
from lora.asr.hub import from_hub
from lora.asr.model_json import UnusableModel, is_present, read_json
from lora.asr.weights_file import header_problem, numbers_problem, tensors_in, weights_problem
from lora.data.existing_files import is_file
from lora.data.unchanged_files import FileStates
from lora.provenance.hashes import HASH_LENGTH
from lora.records.base import UserError
from lora.records.settings import ModelIdentity

WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
CONFIGURATION, GENERATION = "config.json", "generation_config.json"
ADAPTER_CONFIG = "adapter_config.json"  # in a model folder: an adapter that other programs load automatically
OWN_ADAPTER = "adapter_model.safetensors"
MISSING_SHOWN = 5  # files in a message
MOST_LAYERS = 1000
# Libraries make a name for each of them.
MOST_SIZES = {"num_labels": 1_000_000, "default_num_special_tokens": 1_000_000}
MOST_SIZE = 2**63 - 1
ATTENTION = {"attn_implementation", "_attn_implementation"}  # a name of the library, or a repository of kernels
DEEPEST = 20
MOST_PRINTED = 10**300  # larger integers of a JSON file do not fit into a float
TEKKEN = "tekken.json"
TOKENIZER = ("tokenizer.json", "vocab.json", "tokenizer.model", TEKKEN)
TEXT_FILES = (
    *TOKENIZER,
    *FEATURES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "normalizer.json",
    "chat_template.jinja",
    "chat_template.json",
)


@dataclass(frozen=True)
class ModelFiles:
    """A model folder and the contents of its JSON files.

    Attributes:
        path: The folder.
        identity: What is recorded of the model in results.
        family: Properties of its family.
        config: config.json.
        generation: generation_config.json, empty if there is none.
        features: Settings of the feature extractor.
        sampling_rate: In Hz.
        states: Sizes and times of the files that the identity is a hash of, before they were read.
        language: `model.language` of the study, None for the model's default.
        prompt: `model.prompt` of the study, None for the model's default.
        tokenizer_path: Folder of tokenizer and feature extractor, None for `path`. A checkpoint that was saved without
            a tokenizer uses the base model's.
    """

    path: Path
    identity: ModelIdentity
    family: Family
    config: dict[str, Any]
    generation: dict[str, Any]
    features: dict[str, Any]
    sampling_rate: int
    states: FileStates
    language: str | None = None
    prompt: str | None = None
    tokenizer_path: Path | None = None

    @property
    def processor_path(self) -> Path:
        """Folder that tokenizer and feature extractor are loaded from."""
        return self.tokenizer_path or self.path


def has_tokenizer(folder: Path) -> bool:
    """Whether a model folder contains a tokenizer."""
    return any((folder / name).is_file() for name in TOKENIZER)


def describe_model(
    model_id: str,
    revision: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    tokenizer_from: str | None = None,
    tokenizer_revision: str | None = None,
) -> ModelFiles:
    """Find, check and identify a model: a local folder if it exists, otherwise a hub id.

    Args:
        model_id: Folder or hub id (owner/name).
        revision: Branch, tag or commit on the hub, None for the main branch. Its commit is recorded.
        language: `model.language` of the study.
        prompt: `model.prompt` of the study.
        tokenizer_from: Model whose tokenizer is used if this one has none.
        tokenizer_revision: Branch, tag or commit of that model on the hub.

    Raises:
        UnusableModel: Files are missing or damaged, or the model type is not supported.
        UserError: The model cannot be found, or the family does not take a language or prompt.
    """
    if sys.flags.optimize > 1:
        raise UserError("PYTHONOPTIMIZE=2 (python -OO) removes docstrings, which transformers reads; unset it")
    folder = Path(model_id)
    if folder.is_dir():
        revision = None  # a local folder has no revision; its hash identifies its state
    else:
        folder = from_hub(model_id, revision)
        revision = folder.name  # a snapshot's folder is named by its commit
    owner = f"model {model_id}"
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / CONFIGURATION).is_file():
        raise UnusableModel(
            f"{owner} contains an adapter ({ADAPTER_CONFIG}) and no model. Set model.id to its base model, "
            "and `adapter` of a candidate to this folder."
        )
    config = read_json(folder / CONFIGURATION, owner)
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        raise UnusableModel(
            f'{owner}: "model_type" in {CONFIGURATION} is {model_type!r}, which is not supported; '
            f"expected one of {', '.join(sorted(FAMILIES))}"
        )
    if (refused := _refused_value(config)) is not None:
        raise UnusableModel(f"{owner}: {CONFIGURATION}: {refused}. Copy the file from the base model.")
    weights = weight_files(folder, model_id)
    other = None
    if tokenizer_from is not None and not has_tokenizer(folder):
        other = describe_model(tokenizer_from, tokenizer_revision)
    needed = [("tokenizer", TOKENIZER), ("feature extractor", FEATURES)] if other is None else []
    for purpose, names in needed:
        if not any((folder / name).is_file() for name in names):
            raise UnusableModel(f"{owner} has no {purpose} ({' or '.join(names)}). Copy it from the base model.")
    features = feature_settings(folder, owner) if other is None else other.features
    family = with_own_window(FAMILIES[model_type], features, owner)
    require_fitting(family, features, config, owner)
    for key, value in (("language", language), ("prompt", prompt)):
        if value is not None and key not in family.model_keys:
            raise UserError(f"model.{key} is {value!r}, but {model_type} models take no {key}. Remove the key.")
    if config.get("has_lora_adapter"):  # the adapter is part of the model
        weights += [folder / name for name in (ADAPTER_CONFIG, OWN_ADAPTER) if is_present(folder / name, owner)]
    texts = folder if other is None else other.path
    text_files = [texts / name for name in sorted(TEXT_FILES) if is_present(texts / name, owner)]
    for path in text_files:
        if path.suffix == ".json":
            content = read_json(path, owner)  # libraries report a damaged one without its name
            if path.name == TEKKEN and (refused := _refused_value(content)) is not None:
                raise UnusableModel(f"{owner}: {TEKKEN}: {refused}. Copy the file from the base model.")
    generation = folder / GENERATION
    identifying = [folder / CONFIGURATION, *text_files, *weights]
    states = FileStates([*identifying, generation])
    return ModelFiles(
        path=folder,
        identity=ModelIdentity(
            id=model_id,
            revision=revision,
            hash=_hash_files(identifying),
            family=model_type,
            window_seconds=family.window_seconds,
        ),
        family=family,
        config=config,
        generation=read_json(generation, owner) if is_present(generation, owner) else {},
        features=features,
        sampling_rate=int(features["sampling_rate"]),
        states=states,
        language=language,
        prompt=prompt,
        tokenizer_path=None if other is None else other.path,
    )


def weight_files(folder: Path, model_id: str) -> list[Path]:
    """The safetensors file, or the index and all shards that it names.

    Raises:
        UnusableModel: A file is missing or incomplete.
    """
    if (folder / WEIGHTS).is_file():
        _check_weights(folder / WEIGHTS, model_id)
        return [folder / WEIGHTS]
    if not (folder / SHARDS).is_file():
        pickles = sorted(path.name for path in [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")])
        ignored = f" ({', '.join(pickles)} may execute code when read and is ignored)" if pickles else ""
        raise UnusableModel(
            f"model {model_id} has no weights in safetensors: {WEIGHTS} is missing{ignored}. Save the model with "
            "`save_pretrained`."
        )
    index = read_json(folder / SHARDS, f"model {model_id}")
    by_tensor = index.get("weight_map")
    shards = sorted({str(name) for name in by_tensor.values()}) if isinstance(by_tensor, dict) else []
    missing = [name for name in shards if not is_file(folder / name)]
    if missing or not shards:
        more = f" and {len(missing) - MISSING_SHOWN} more" if len(missing) > MISSING_SHOWN else ""
        named = f"{', '.join(f'{name:.80}' for name in missing[:MISSING_SHOWN])}{more}"
        problem = f"names missing files: {named}" if missing else "names no files"
        raise UnusableModel(f"model {model_id}: {SHARDS} {problem}. Copy all of its files.")
    first: dict[str, str] = {}
    for name in shards:
        _check_weights(folder / name, model_id)
        for tensor in tensors_in(folder / name):
            if tensor in first:  # which of them would be loaded is a matter of their order
                raise UnusableModel(
                    f"model {model_id}: {first[tensor]} and {name} both have the tensor {tensor}: they are of "
                    "different models. Copy all files from one model."
                )
            first[tensor] = name
    return [folder / SHARDS, *(folder / name for name in shards)]


def _check_weights(path: Path, model_id: str) -> None:
    if (problem := weights_problem(path) or numbers_problem(path) or header_problem(path)) is not None:
        raise UnusableModel(f"model {model_id}: {path.name}: {problem}.")


def _refused_value(config: dict[str, Any], where: str = "") -> str | None:
    """A size with which nothing would end while the model is built, or code of others; None if there is neither."""
    for key, value in config.items():
        name = f"{where}{key}"
        most = MOST_SIZES.get(key, MOST_LAYERS if key.endswith("layers") else MOST_SIZE)
        if isinstance(value, dict):
            if where.count(".") < DEEPEST and (found := _refused_value(value, f"{name}.")) is not None:
                return found
        elif isinstance(value, int) and value > most:
            size = f"{value:.6g}" if value < MOST_PRINTED else f"above {MOST_PRINTED:.0e}"
            return f'"{name}" is {size}, which no model has'
        elif isinstance(value, str) and "/" in value and not ATTENTION.isdisjoint(name.split(".")):
            return f'"{name}" is {value!r:.80}, code of the hub, which is not executed'
    return None


def _hash_files(paths: list[Path]) -> str:
    """Hash of the names and bytes of files, in this order."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:HASH_LENGTH]


def family_of(model_id: str) -> Family | None:
    """Family of a local model by its configuration; None if the model is not local or of another family.

    Its window is needed for the decision on max_seconds before a model is loaded; that of a model on the hub is known
    only after transcription.
    """
    folder = Path(model_id)
    family = FAMILIES.get(model_type_of(model_id) or "")
    if family is None or not any((folder / name).is_file() for name in FEATURES):
        return family
    owner = f"model {model_id}"
    return with_own_window(family, feature_settings(folder, owner), owner)


def model_type_of(model_id: str) -> str | None:
    """`model_type` of a local model; None if the model is not local or of no family."""
    if not (Path(model_id) / CONFIGURATION).is_file():
        return None
    model_type = written_model_type(model_id)
    return model_type if model_type in FAMILIES else None


def written_model_type(folder: str) -> str | None:
    """`model_type` of a model folder as written, of whatever family; None if it is not text."""
    model_type = read_json(Path(folder) / CONFIGURATION, f"model {folder}").get("model_type")
    return model_type if isinstance(model_type, str) else None
