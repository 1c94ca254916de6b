"""Download a model from the Hugging Face hub. Torch-free.

Reads: the hub. Writes: its cache (`HF_HOME`).
"""

from __future__ import annotations

from pathlib import Path

from lora.records.base import UserError

# Weights in safetensors, the adapter that some models contain, and what describes model, tokenizer and features.
HUB_PATTERNS = [
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*.safetensors",
    "*.json",
    "*.jinja",
    "merges.txt",
    "tokenizer.model",
    "adapter_model.safetensors",
]


def from_hub(model_id: str, revision: str | None) -> Path:
    """Snapshot folder of a model id. huggingface_hub handles credentials; they are not read here."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    where = f"model {model_id}" + (f" at revision {revision}" if revision else "")
    try:
        return Path(snapshot_download(model_id, revision=revision, allow_patterns=HUB_PATTERNS))
    except HFValidationError:
        raise UserError(f"{where}: no such folder, and not a hub id (owner/name). Correct model.id.") from None
    except LocalEntryNotFoundError:
        raise UserError(f"{where}: no such folder, and the Hugging Face hub cannot be reached") from None
    except (HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"{where}: no such folder, and downloading it from the hub failed: {reason}") from None
