"""Load a model whose files have all of its weights: transformers fills missing ones with random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

# Only training uses it, and many published models lack it.
UNUSED = ("masked_spec_embed",)
SHOWN = 3  # names in a message


def complete_model(model_class: Any, folder: Path, **options: Any) -> Any:
    """The model in a folder; `options` go to `from_pretrained`.

    Raises:
        ValueError: Weights are missing, not finite, of other sizes, or those of more layers than the model has.
    """
    model, info = model_class.from_pretrained(folder, output_loading_info=True, ignore_mismatched_sizes=True, **options)
    if resized := sorted(info["mismatched_keys"]):
        name, stored, built = resized[0]
        more = f", and {len(resized) - 1} more differ" if len(resized) > 1 else ""
        raise ValueError(
            f"config.json does not fit the weights: {name} is {list(stored)} in the files and {list(built)} by "
            f"config.json{more}. Copy both from one model"
        )
    missing = sorted(name for name in info["missing_keys"] if not name.endswith(UNUSED))
    if missing:
        others = sorted(info["unexpected_keys"])
        instead = f" and contain {_named(others)} instead" if others else ""
        raise ValueError(f"its files lack {_named(missing)}{instead}. Save the model again, or copy all of its files")
    layers = {name: len(module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)}
    surplus = sorted(name for name in info["unexpected_keys"] if _is_beyond(name, layers))
    if surplus:
        raise ValueError(f"config.json has fewer layers than the files, which contain {_named(surplus)}. Correct it")
    broken = [name for name, value in model.named_parameters() if not bool(value.isfinite().all())]
    if broken:
        raise ValueError(f"NaN or infinite numbers in {_named(broken)}. Use an earlier checkpoint, or copy it again")
    return model


def _is_beyond(name: str, layers: dict[str, int]) -> bool:
    """Whether a weight is of a layer that the model does not have; `layers` are the lengths of its lists of layers."""
    parts = name.split(".")
    lists = ((".".join(parts[:position]), part) for position, part in enumerate(parts) if part.isdecimal())
    return any(int(number) >= layers[where] for where, number in lists if where in layers)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} weights ({', '.join(names[:SHOWN])}{more})"
