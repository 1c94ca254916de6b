"""Rows of a JSON file that is not JSON lines: a list, alone or in an object, objects by id, or pretty-printed objects.

Each row has the line on which it starts. A broken row costs only itself where the next one starts on a line of its own
with the indentation of the others, or has their first key; else reading ends there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any, NamedTuple

from lora.data.column_names import SYNONYMS

Parsed = tuple[int, dict[str, Any] | str]
Values = Generator[tuple[int, Any], None, int]  # places and values; returns the place after them
LIST_OF_OBJECTS = re.compile(r"\[\s*\{")
SPACE = re.compile(r"\s*")
FIRST_LINE = re.compile(rb"\s*([^\n]*)(\n\s*[^\s])?")  # and whether anything follows
# How the first line of a pretty-printed list or object may look: `[`, `[{"a": 1},`, `{`, `{"a": {` or `{"a": 1,`, but
# not as a row that breaks off. Without backtracking (`*+`), so that long runs of spaces take no longer than other text.
PRETTY = re.compile(rb'\[\s*+(\{.*)?|\{\s*+("(?:[^"\\]|\\.)*+"\s*+:\s*+(.*,|(?:.*,\s*+"\w++"\s*+:\s*+)?[\[{])?\s*+)?')
# The beginning of a list of rows, or of rows by id, that are all in one line.
IN_ONE_LINE = re.compile(rb'\{\s*+"((?:[^"\\]|\\.)*+)"\s*+:\s*+(\{|\[\s*+\{)')
AFTER_ROWS = re.compile(r"\s*+([\]},{\[]|\Z)")  # what may follow the bracket that closes a list or object of rows
FIRST_KEY = re.compile(
    r'(?:"(?:[^"\\]|\\.)*+"\s*+:\s*+)?\{\s*+("(?:[^"\\]|\\.)*+")\s*+:'
)  # of a row, or of that of an id
LINES_COMPARED, SEVERAL = 50, 3
# Keys of a row whose values are themselves objects or lists of objects.
KEYS_OF_ROWS = frozenset(
    {"audio", "source", "target", "recording", "supervisions", "messages", "conversations", "segments"}
)
# Keys of a list of rows that may follow other fields of its object, as in `{"version": 1, "data": [...]}`; fields of a
# row do not precede it.
LISTS_OF_ROWS = frozenset(
    {"data", "entries", "examples", "items", "predictions", "records", "results", "rows", "samples", "utterances"}
)
FIELDS_OF_ROWS = frozenset({*SYNONYMS["audio"], *SYNONYMS["text"]})
NAMES_OF_COLUMNS = frozenset(chain.from_iterable(SYNONYMS.values()))
COLUMNS_NOT_ROWS = (
    "the file has a list of values for each column instead of rows; write the rows, one per line (a data frame: "
    '`to_json(PATH, orient="records", lines=True)`)'
)
MOST_FIELDS = 50  # of such an object that are looked at
ID = "id"
REST_IS_LOST = " (rows from here on are lost)"
MOST_DIGITS = 400  # of an integer; a float has at most 308


class Broken(NamedTuple):
    """A row that cannot be parsed."""

    reason: str


class _Start(NamedTuple):
    """Where a row starts, and where its line does."""

    place: int
    line: int


class NotJsonError(ValueError):
    """What is wrong with a text at a place; json.JSONDecodeError counts all lines before it, in every broken row."""

    def __init__(self, problem: str, place: int) -> None:
        super().__init__(problem)
        self.place = place


def _integer(digits: str) -> int | float:
    """Integers of thousands of digits, which Python refuses to convert, are infinite for the checks of a row."""
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that gives a key two values means one of them, and nobody knows which."""
    value = dict(pairs)
    if len(value) < len(pairs):
        for key, given in pairs:
            if value[key] != given:
                raise ValueError(f"the key {key!r:.60} has two values")
    return value


DECODER = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_object)
PIECE = 2_000  # characters that are decoded first
LONGEST_TOKEN = 20  # characters, except for strings and numbers


def _decode(text: str, place: int) -> tuple[Any, int]:
    """The JSON value that starts at `place`, and the place after it. Raises NotJsonError, RecursionError.

    The decoder gets only the next piece of the text, and a longer one where the value may go beyond it.
    """
    length = PIECE
    while True:
        piece = text[place : place + length]
        is_rest = place + length >= len(text)
        try:
            value, after = DECODER.raw_decode(piece)
            if is_rest or after < len(piece):
                return value, place + after
        except json.JSONDecodeError as error:
            is_cut = error.pos >= len(piece) - LONGEST_TOKEN or error.msg.startswith("Unterminated string")
            if is_rest or not is_cut:
                raise NotJsonError(error.msg, place + error.pos) from None
        length *= 4


def is_document(content: bytes) -> bool:
    """Whether a file is one JSON value over several lines, or contains all its rows in one line."""
    lines = FIRST_LINE.match(content)
    if lines is None or not lines[1].startswith((b"[", b"{")):
        return False
    try:
        row = json.loads(lines[1])
    except (ValueError, RecursionError):
        start = IN_ONE_LINE.match(lines[1])
        begins = start is not None and start[1].decode(errors="replace") not in KEYS_OF_ROWS
        begins = begins or PRETTY.fullmatch(lines[1]) is not None
        return begins and (lines[1].startswith(b"[") or not _has_lines_of_rows(content))
    if isinstance(row, list):
        return lines[2] is None or not all(isinstance(value, str | int | float) for value in row)
    return lines[2] is None and (
        _contains_rows(*next(iter(row.items()), ("", None)))
        or _are_rows_by_id(row)
        or _list_after_fields(lines[1].decode(), 0) is not None
        or _has_columns(lines[1].decode(), 0)
    )


def _has_lines_of_rows(content: bytes) -> bool:
    """Whether most lines after the first, which breaks off, or several are rows: a document has commas between them."""
    lines = [line for line in content.lstrip().split(b"\n", LINES_COMPARED + 1)[1 : LINES_COMPARED + 1] if line.strip()]
    rows = sum(map(_is_row, lines))
    return 2 * rows > len(lines) or rows >= SEVERAL


def _is_row(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def document_rows(text: str) -> Iterator[Parsed]:
    """(line from 1, row or the reason why it is broken) of every row of a JSON document."""
    line, counted = 1, 0
    try:
        for place, value in _values(text, 0):
            line += text.count("\n", counted, place)
            counted = place
            yield line, _row(value)
    except (ValueError, RecursionError) as error:
        if isinstance(error, NotJsonError):
            line = 1 + text.count("\n", 0, error.place)
        yield line, f"broken line: {_worded(error, text, _Start(0, 0))}{REST_IS_LOST}"


def _row(value: Any) -> dict[str, Any] | str:
    if isinstance(value, Broken):
        return f"broken line: {value.reason}"
    return value if isinstance(value, dict) else f"broken line: a JSON {type(value).__name__}, not an object"


def _values(text: str, place: int) -> Values:
    """The rows of a list, of objects by id, or of one object after the other, each a row or with a list of rows."""
    place = _after_space(text, place)
    if text.startswith("{", place) and _has_columns(text, place):
        yield place, Broken(COLUMNS_NOT_ROWS)
        return len(text)
    have_lists = True
    while place < len(text):
        if text[place] == "[":
            place = yield from _list(text, place)
        elif text[place] == "{":
            listed = _list_after_fields(text, place) if have_lists else None
            key, inner = listed or _first_key(text, place)
            if key is not None and key not in KEYS_OF_ROWS and text[inner : inner + 1] == "{":
                place = yield from _by_id(text, place)
            elif key is not None and (listed or (key not in KEYS_OF_ROWS and LIST_OF_OBJECTS.match(text, inner))):
                place = yield from _list(text, inner)
                place = yield from _after_rows(text, place, key)
            else:
                have_lists = False
                value, end = _decode(text, place)
                if isinstance(value, dict) and _are_rows_by_id(value):  # of which the first is broken
                    end = yield from _by_id(text, place)
                else:
                    yield place, value
                place = end
        else:
            raise NotJsonError("Expecting an object", place)
        place = _after_space(text, place)
        if text[place : place + 1] == ",":
            place = _after_space(text, place + 1)
    return place


def _list(text: str, place: int) -> Values:
    """The elements of the list that starts at `place`; returns the place after it."""
    place = _after_space(text, place + 1)
    start = _Start(place, _line(text, 0, place))
    good: _Start | None = None
    while not _ends(text, place, "]", "{"):
        try:
            value, end = _decode(text, place)
            place = _next(text, end, "]")
            good = start
        except (ValueError, RecursionError) as error:
            value, place = _broken(text, start, error, "{", good or start)
        yield start.place, value
        start = _Start(place, max(start.line, _line(text, start.place, place)))
    return place + 1


def _after_rows(text: str, place: int, key: str) -> Values:
    """The other keys of the object whose first, `key`, has the rows; another list of rows is reported, not read."""
    place = _next(text, place, "}")
    while text[place : place + 1] != "}":
        start = place
        other, end = _decode(text, place)
        inner = _after_space(text, _after_space(text, end) + 1)
        is_list = LIST_OF_OBJECTS.match(text, inner) is not None
        place = _next(text, _decode(text, inner)[1], "}")
        if is_list:
            reason = f"the rows under {other!r:.60} are not read, only those under {key!r:.60}; split the file"
            yield start, Broken(reason)
    return place + 1


def _by_id(text: str, place: int) -> Values:
    """The values of the object that starts at `place`, each with its key as `id` unless it has one."""
    place = _after_space(text, place + 1)
    start = _Start(place, _line(text, 0, place))
    good: _Start | None = None
    while not _ends(text, place, "}", '"'):
        try:
            key, end = _decode(text, place)
            place = _after_space(text, end)
            if text[place : place + 1] != ":":
                raise NotJsonError("Expecting ':' delimiter", place)
            value, end = _decode(text, _after_space(text, place + 1))
            value = {ID: key, **value} if isinstance(value, dict) else value
            place = _next(text, end, "}")
            good = start
        except (ValueError, RecursionError) as error:
            value, place = _broken(text, start, error, '"', good or start)
        yield start.place, value
        start = _Start(place, max(start.line, _line(text, start.place, place)))
    return place + 1


def _ends(text: str, place: int, closing: str, first: str) -> bool:
    """Whether the rows end here: by a closing bracket after which no other row comes, as after a stray one.

    A bracket before bytes that are no JSON is a part of a damaged row.
    """
    is_last = text.startswith(closing, place) and re.compile(rf"\s*+,\s*+{first}").match(text, place + 1) is None
    return is_last and AFTER_ROWS.match(text, place + 1) is not None


def _line(text: str, begin: int, place: int) -> int:
    """Where the line of a place begins; 0 where that is before `begin`."""
    return text.rfind("\n", begin, place) + 1


def _broken(text: str, start: _Start, error: Exception, first: str, like: _Start) -> tuple[Broken, int]:
    """A broken row, and the place of the next one.

    That is the next line that begins with `first` and is indented as the row `like`, else the next object that begins
    with the first key of that row, after a comma or after another object and a byte in place of the comma.

    Raises the error where there is neither.
    """
    following = None
    if _after_space(text, like.line) >= like.place:
        indentation = re.escape(text[like.line : like.place])
        following = re.compile(rf"\n{indentation}(?={first})").search(text, start.place)
    if following is None and (key := FIRST_KEY.match(text, like.place)) is not None:
        name = "" if first == "{" else r'"(?:[^"\\]|\\.){1,200}+"\s*+:\s*+'
        row = rf"{name}\{{\s*+{re.escape(key[1])}\s*+:"
        following = re.compile(rf"(?:,|\}}[^\"{{]?)\s*+(?={row})").search(text, start.place)
    if following is None:
        raise error
    return Broken(_worded(error, text, start)), following.end()


def _worded(error: Exception, text: str, start: _Start) -> str:
    """What is wrong with a row: its column, and its line where that is below the first."""
    if not isinstance(error, NotJsonError):
        return f"not JSON: {error}"
    below = text.count("\n", start.place, error.place) if start.place else 0
    column = 1 + error.place - max(start.line, _line(text, start.place, error.place))
    return f"not JSON: {error}: column {column}" + (f", {below} lines below" if below else "")


def _first_key(text: str, place: int) -> tuple[str | None, int]:
    """The first key of an object and the place of its value; None for an empty object."""
    place = _after_space(text, place + 1)
    if text[place : place + 1] != '"':
        return None, place
    key, end = _decode(text, place)
    return key, _after_space(text, _after_space(text, end) + 1)


def _has_columns(text: str, place: int) -> bool:
    """Whether an object has all values of each column together, as data frames write them where nothing else is said.

    Such are `{"text": {"0": "yes", "1": "no"}}`, `{"text": ["yes", "no"]}` and `{"columns": ["text"], "data": [...]}`.
    """
    try:
        key, inner = _first_key(text, place)
        if text[inner : inner + 1] not in {"{", "["}:
            return False
        if key not in NAMES_OF_COLUMNS | {"columns"} and _first_key(text, inner)[0] != "0":
            return False
        value = _decode(text, place)[0]
    except (ValueError, RecursionError):
        return False
    if {"columns", "data"} <= value.keys():
        return all(isinstance(value[name], list) for name in ("columns", "data"))
    return all(map(_is_column, value.values()))


def _is_column(value: Any) -> bool:
    """Whether a value has others in it, and these have none."""
    inside = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list) and not any(isinstance(one, dict | list) for one in inside)


def _list_after_fields(text: str, place: int) -> tuple[str, int] | None:
    """The key of a list of rows that follows other fields of the object at `place`, and where the list starts."""
    place = _after_space(text, place + 1)
    for _ in range(MOST_FIELDS):
        if text[place : place + 1] != '"':
            return None
        try:
            key, end = _decode(text, place)
            inner = _after_space(text, _after_space(text, end) + 1)
            if key in LISTS_OF_ROWS and _begins_rows(text, inner):
                return key, inner
            if key in FIELDS_OF_ROWS:
                return None
            place = _next(text, _decode(text, inner)[1], "}")
        except (ValueError, RecursionError):
            return None
    return None


def _begins_rows(text: str, place: int) -> bool:
    """Whether a list of objects begins at a place, of which the first may be damaged."""
    first = _after_space(text, place + 1)
    if not text.startswith("[", place) or text.startswith("]", first):
        return False
    try:
        return isinstance(_decode(text, first)[0], dict)
    except (ValueError, RecursionError):
        return True


def _next(text: str, place: int, closing: str) -> int:
    """The place of the next element, or of the closing bracket."""
    place = _after_space(text, place)
    if text[place : place + 1] == ",":
        return _after_space(text, place + 1)
    if text[place : place + 1] != closing:
        raise NotJsonError("Expecting ',' delimiter", place)
    return place


def _after_space(text: str, place: int) -> int:
    return place if (space := SPACE.match(text, place)) is None else space.end()


def _are_rows_by_id(value: dict[str, Any]) -> bool:
    """Whether most values of an object are rows, and not fields of the object."""
    return 2 * sum(isinstance(inner, dict) and key not in KEYS_OF_ROWS for key, inner in value.items()) > len(value)


def _contains_rows(key: str, value: Any) -> bool:
    """Whether the first value of an object is a row or a list of rows, and not a field of the object."""
    inside = isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
    return key not in KEYS_OF_ROWS and inside
