"""Whether a file of weights is a whole safetensors file, by its header. Torch-free.

Format: 8 bytes with the length of the header (little-endian), the header as JSON (`dtype`, `shape` and `data_offsets`
of every tensor), then the data of the tensors without gaps.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

LENGTH = 8  # bytes that say how long the header is
LONGEST_HEADER = 100_000_000  # bytes, the limit of the safetensors library
POINTER = b"version https://git-lfs"
PICKLES = (b"\x80", b"PK\x03\x04")  # of pickle protocol 2 and later, and of torch.save
PARAMETERS = (".weight", ".bias")
NUMBERS = {"F64", "F32", "F16", "BF16"}
COPY_AGAIN = "copy the file again from where it was saved"


def weights_problem(path: Path) -> str | None:
    """What is wrong with a file of weights, and what to do; None for a whole one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64)
        if not start:
            return f"the file is empty (0 bytes); {COPY_AGAIN}"
        if start.startswith(POINTER):
            return "a pointer of git-lfs instead of the weights; run `git lfs pull`"
        length = int.from_bytes(start[:LENGTH], "little")
        if start[LENGTH : LENGTH + 1] != b"{" or length > LONGEST_HEADER:
            if start.startswith(PICKLES):
                return "a pickle, which may execute code when read and is not read; save it as safetensors"
            return f"not a safetensors file; {COPY_AGAIN}"
        file.seek(LENGTH)
        header = file.read(length)
    end = None if len(header) < length else _end_of_data(header)
    if len(header) == length and end is None:
        return f"its header is damaged; {COPY_AGAIN}"
    if end is None or LENGTH + length + end > size:
        missing = "" if end is None else f" of {LENGTH + length + end}"
        return f"incomplete: it has {size}{missing} bytes; {COPY_AGAIN}"
    return None


def _end_of_data(header: bytes) -> int | None:
    """Where the data of the last tensor ends, counted from the end of the header; None for no header."""
    try:
        tensors = json.loads(header)
        offsets = [entry["data_offsets"] for name, entry in tensors.items() if name != "__metadata__"]
        return max((int(end) for _, end in offsets), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def numbers_problem(path: Path) -> str | None:
    """What is wrong with the number types of a model's weights in a whole file; None for floating point.

    Integers and 8-bit numbers are those of a quantised model, whose scales are lost when they are read as weights.
    """
    for name, entry in tensors_in(path).items():
        if name.endswith(PARAMETERS) and entry.get("dtype") not in NUMBERS:
            found = str(entry.get("dtype"))
            return (
                f"{name} has numbers of the type {found:.20}; expected float32, float16 or bfloat16. Save the model "
                "without quantisation"
            )
    return None


def numbers_in(path: Path) -> int:
    """How many numbers a whole file has, in all of its tensors."""
    return sum(math.prod(entry["shape"]) for entry in tensors_in(path).values())


def tensors_in(path: Path) -> dict[str, dict[str, Any]]:
    """The header's entries of a whole file, by the names of its tensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        header: dict[str, dict[str, Any]] = json.loads(file.read(length))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


def header_problem(path: Path) -> str | None:
    """What safetensors refuses in a file of weights, such as tensors that overlap; None if it opens the file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):  # reads the header alone
            return None
    except (SafetensorError, OSError) as error:
        return f"cannot be read: {error}; {COPY_AGAIN}"
