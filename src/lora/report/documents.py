"""Update generated blocks in documents that people write: text outside the markers stays, and no kill damages a file.

A document is read, changed in memory, written to a temporary file in the same folder, flushed to disk, and renamed over
the original, unless somebody saved the original in the meantime. Bytes outside the markers never change, and an
unchanged document is not written. A marker counts only if it is alone on its line.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lora.records.base import UserError

ATTEMPTS = 5
LEFTOVER_SECONDS = 60.0
FACTS, FACTS_END = "<!-- facts ", " -->"
SUFFIX = ".publish.tmp"
CONFLICT, CONFLICT_END = "<<<<<<<", ">>>>>>>"  # of git
MARKER = re.compile(r"\s*<!-- (BEGIN|END) .*-->\s*")


def begin(name: str) -> str:
    return f"<!-- BEGIN {name} -->"


def end(name: str) -> str:
    return f"<!-- END {name} -->"


def has_block(document: str, name: str) -> bool:
    """Whether a block begins anywhere, also within a quotation or a list that somebody moved it to."""
    return begin(name) in document


def _is(line: str, marker: str) -> bool:
    """Whether a line is a marker, also after the byte order mark that editors of Windows begin a file with."""
    return line.removeprefix("\ufeff").strip() == marker


def replace_block(document: str, name: str, body: str, path: Path | str) -> str:
    """Return the document with `body` between the markers of `name`; a missing block is appended.

    Raises:
        UserError: a marker is missing, repeated, in the wrong order or within another block in `path`, or a merge
            conflict goes across one.
    """
    lines = document.splitlines(keepends=True)
    begins = [i for i, line in enumerate(lines) if _is(line, begin(name))]
    ends = [i for i, line in enumerate(lines) if _is(line, end(name))]
    if not begins and not ends:
        return append_block(document, name, body)
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise UserError(f"{path}: {_marker_problem(name, begins, ends)} The document was not changed.")
    old = lines[begins[0] + 1 : ends[0]]
    other = next((number for number, line in enumerate(old, begins[0] + 2) if MARKER.fullmatch(line)), None)
    if other is not None:
        raise UserError(
            f"{path}: line {other} is a marker of another block between those of lines {begins[0] + 1} and "
            f"{ends[0] + 1}, whose text is replaced: move it outside. The document was not changed."
        )
    if _crosses_conflict(old):
        raise UserError(
            f"{path}: a merge conflict begins or ends between the markers of lines {begins[0] + 1} and {ends[0] + 1}: "
            "resolve it first. The document was not changed."
        )
    inner = _match_newlines(f"{_without_comments(body)}\n", document)
    head = "".join(lines[: begins[0] + 1])
    tail = "".join(lines[ends[0] :])
    return f"{head}{inner}{tail}"


def _crosses_conflict(lines: Iterable[str]) -> bool:
    """Whether a merge conflict begins before these lines or ends after them."""
    is_open = False
    for line in lines:
        if line.startswith(CONFLICT_END) and not is_open:
            return True
        is_open = line.startswith(CONFLICT) or (is_open and not line.startswith(CONFLICT_END))
    return is_open


def append_block(document: str, name: str, body: str, facts: Mapping[str, Any] | None = None) -> str:
    """Return the document with a new block at its end, after one empty line.

    Args:
        document: The document.
        name: Name of the block.
        body: Its text.
        facts: Values for programs (`last_facts`), kept in a comment that readers do not see.
    """
    gap = "" if not document else "\n" if document.endswith("\n") else "\n\n"
    comment = "" if facts is None else f"{FACTS}{_json_in_comment(facts)}{FACTS_END}\n"
    block = f"{gap}{begin(name)}\n{comment}{_without_comments(body)}\n{end(name)}\n"
    return document + _match_newlines(block, document)


def last_facts(document: str) -> dict[str, Any] | None:
    """The facts of the last block that has some; None without any."""
    for line in reversed(document.splitlines()):
        if line.startswith(FACTS) and line.endswith(FACTS_END):
            try:
                facts = json.loads(line.removeprefix(FACTS).removesuffix(FACTS_END))
            except ValueError:
                continue
            if isinstance(facts, dict):
                return facts
    return None


def _json_in_comment(facts: Mapping[str, Any]) -> str:
    """JSON on one line that cannot end the comment it is in."""
    line = json.dumps(facts, sort_keys=True)
    return line.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")


def update_document(path: Path | str, template: str, change: Callable[[str], str]) -> bool:
    """Apply `change` to the document at `path`, or to `template` if the document does not exist.

    Symbolic links are followed, and the file's mode and owner are kept, the owner where the system allows it.

    Returns:
        Whether the document was written; False if nothing changed.

    Raises:
        UserError: the file is not UTF-8 text, is read-only, cannot be written, or somebody else keeps saving it.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise UserError(f"{path}: a folder, pipe or device ({target}); expected a text file, or none to begin one")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)  # not that of a link's target, whose disk may be missing
        _remove_leftovers(target)
        for _ in range(ATTEMPTS):
            old = target.read_bytes() if target.exists() else None
            new = change(template if old is None else _decoded(old, path)).encode("utf-8")
            if new == old:
                return False
            if old is not None and not os.access(target, os.W_OK):
                raise UserError(f"{path}: read-only, and the diagnosis has changed; allow writing: chmod u+w {path}")
            if _put(target, old, new):
                return True
    except OSError as error:
        linked = f" {target}, to which it links" if Path(path).is_symlink() else ""
        raise UserError(f"{path}: cannot write the document{linked}: {error.strerror or error}") from None
    raise UserError(f"{path}: another program keeps saving this file; close it there and publish again")


def _put(target: Path, old: bytes | None, new: bytes) -> bool:
    """Write and flush a temporary file, then rename it; False, without a change, if the document is no longer `old`."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=SUFFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new)
            file.flush()
            if old is None:
                temporary.chmod(0o666 & ~_umask())
            else:
                _copy_owner_and_mode(target, temporary)
            os.fsync(file.fileno())
        current = target.read_bytes() if target.exists() else None
        if current != old:
            return False
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)
    return True


def _copy_owner_and_mode(source: Path, copy: Path) -> None:
    state = source.stat()
    with contextlib.suppress(OSError):  # only an administrator gives files away
        os.chown(copy, state.st_uid, state.st_gid)
    copy.chmod(stat.S_IMODE(state.st_mode))


def _flush_folder(folder: Path) -> None:
    """Make the rename durable, on systems that can flush folders."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of killed publishes; recent ones may belong to a running publish."""
    for leftover in target.parent.glob(f".{target.name}.*{SUFFIX}"):
        if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
            leftover.unlink(missing_ok=True)


def _decoded(content: bytes, path: Path | str) -> str:
    try:
        text = content.decode("utf-8")
        wrong = content.find(b"\0")  # as in UTF-16
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong >= 0:
        raise UserError(f"{path}: byte {wrong} is not UTF-8 text; save the document as UTF-8")
    return text


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _without_comments(body: str) -> str:
    """The body with its comment delimiters broken, so that no text in a block can imitate a marker."""
    return body.strip("\n").replace("<!--", "<! --").replace("-->", "-- >")


def _match_newlines(block: str, document: str) -> str:
    return block.replace("\n", "\r\n") if "\r\n" in document else block


def _marker_problem(name: str, begins: list[int], ends: list[int]) -> str:
    positions = ", ".join([*(f"BEGIN in line {i + 1}" for i in begins), *(f"END in line {i + 1}" for i in ends)])
    pair = f'"{begin(name)}" and "{end(name)}"'
    if len(begins) > 1 or len(ends) > 1:
        return f"the markers {pair} must occur once each, found {positions}: keep one pair and delete the others."
    if not ends:
        return f'found {positions} but no "{end(name)}": add that line where the generated text ends.'
    if not begins:
        return f'found {positions} but no "{begin(name)}": add that line where the generated text begins.'
    return f"the markers are in the wrong order ({positions}): put BEGIN before END."
