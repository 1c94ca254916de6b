"""Content hashes of values and files, and of samples of files, which take no time whatever their size."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lora.records.base import UserError

HASH_LENGTH = 32
CHECKSUM_LENGTH = 8
SAMPLES, SAMPLE_BYTES = 8, 65_536  # per file, evenly spaced


def content_hash(*parts: str | bytes) -> str:
    """Hash a sequence of parts; ("ab", "c") and ("a", "bc") give different hashes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:HASH_LENGTH]


def checksum(*parts: str) -> str:
    """A short hash, by which a damaged line is recognised."""
    return content_hash(*parts)[:CHECKSUM_LENGTH]


def file_hash(path: Path | str) -> str:
    """Hash a file's bytes. Raises UserError, which names the file, when it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_LENGTH]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def sampled_hash(path: Path | str) -> str:
    """Hash a file's size and samples, which are the whole of a file of up to 512 KB. Raises OSError."""
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        last = max(0, size - SAMPLE_BYTES)
        parts = [size.to_bytes(8, "little")]
        for start in sorted({last * number // (SAMPLES - 1) for number in range(SAMPLES)}):
            file.seek(start)
            parts.append(file.read(SAMPLE_BYTES))
    return content_hash(*parts)
