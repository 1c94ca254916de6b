"""The encoding of a text file: UTF-8, UTF-16 and UTF-32 by their marks, else a code page, guessed and reported."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lora.records.base import UserError

UTF8_BOM = b"\xef\xbb\xbf"
# UTF-32 before UTF-16: its little-endian mark starts with that of UTF-16.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
WESTERN = "cp1252"
TURKISH = "cp1254"
CODE_PAGES = (
    *(WESTERN, "cp1250", "cp1251", "cp1253", TURKISH, "cp1255", "cp1256", "cp932", "gb18030", "big5", "cp949"),
    *("iso8859_2", "iso8859_6", "koi8_r", "koi8_u", "cp866", "cp874", "euc_jp"),
)
# Half-width katakana, as whose bytes Japanese code pages read those of other letters.
KATAKANA = re.compile("[\uff61-\uff9f]")
OTHER_IN_TURKISH = re.compile("[ÐÝÞðýþ]")  # the letters of Western in place of Ğ İ Ş ğ ı ş
NOT_TURKISH = re.compile("[æáéíóú]", re.IGNORECASE)  # other languages with those letters have some of these
GUESSED_FROM = 100_000  # bytes
THIRDS = 3
SHOWN = 60  # characters of a line in a message
NULLS = 0.4  # share of null bytes at even or odd places from which a file without a mark is UTF-16
OTHER_NULLS = 0.02  # at most at the other places: some characters have them there, such as the Chinese one (U+4E00)
BEGINNING = 4096  # bytes of a file that show whether it may be text of a code page
NOT_TEXT = "broken line: not UTF-8, or null bytes in it"
# First bytes of files that are no text, and what to do. Some begin so that their first lines could be read as text.
OTHER_FILES = (
    (b"version https://git-lfs", "a pointer of git-lfs instead of the file; run `git lfs pull`"),
    (b"PK\x03\x04", "a zip archive or spreadsheet; extract it or save it as CSV, and name that file"),
    *((b"BZh%d1AY&SY" % level, "compressed with bzip2; decompress it") for level in range(1, 10)),
    (b"\xfd7zXZ\0", "compressed with xz; decompress it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; extract it, and name the file in it"),
    (b"\x1f\x8b", "compressed with gzip twice; decompress it"),
)
SEPARATOR_LINE = re.compile(rb'\A"?sep=[^\n]"?(?=\r?\n)', re.IGNORECASE)
TAR, TAR_AT = b"ustar", 257  # in the header of the first file
NO_CHARACTER = "mark_as_not_utf8"  # error handler of `_decoded`


class UnknownEncodingError(Exception):
    """Text that is in no known encoding; `line` is the first line that is not UTF-8."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is not UTF-8")
        self.line = line


def text_content(path: Path, content: bytes, expected: str, notes: list[str] | None = None) -> bytes:
    """The text of a file as UTF-8 without a mark, with line feeds as line ends.

    Args:
        path: the file, for error messages.
        content: its bytes, decompressed.
        expected: what the file should be, for the error about a file that is not text.
        notes: where to add the encoding if it is not UTF-8.

    Raises:
        UserError: for a file that is not text, with what it is where that is known, or text in no known encoding.
    """
    if (other := other_file(content)) is not None:
        raise UserError(f"{path}: {other}")
    try:
        text = as_utf8(content, notes)
    except UnknownEncodingError as unknown:
        raise UserError(
            f"{path}:{unknown.line}: the file is not UTF-8, and its encoding cannot be recognised; save it as UTF-8 "
            f"(`iconv -f ENCODING -t UTF-8 {path.name}`)"
        ) from None
    if not _is_text(text):
        raise UserError(f"{path}: not a text file; {expected}")
    return with_line_feeds(text)


def other_file(content: bytes) -> str | None:
    """What a file is by its first bytes, and what to do; None for text and for what is not known."""
    if content[TAR_AT : TAR_AT + len(TAR)] == TAR and b"\0" in content[:TAR_AT]:
        return "a tar archive; extract it, and name the file in it"
    return next((what for start, what in OTHER_FILES if content.startswith(start)), None)


def with_line_feeds(content: bytes) -> bytes:
    """The text with line feeds where its lines, except for the last, end in carriage returns alone, as in Mac OS 9.

    A line that names the separator for spreadsheets (`sep=;`) becomes an empty one.
    """
    if content.find(b"\n", 0, -1) < 0:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return SEPARATOR_LINE.sub(b"", content, count=1)


def _is_text(content: bytes) -> bool:
    """Whether a file begins with text; a null byte in some of its lines costs only these lines."""
    start = content[:GUESSED_FROM]
    if b"\0" not in start:
        return True
    lines = start.split(b"\n")
    if len(content) > len(start) and len(lines) > 1:
        lines.pop()  # not whole
    lines = [line for line in lines if line.strip()]
    return 2 * sum(map(_is_line_of_text, lines)) >= len(lines)


def _is_line_of_text(line: bytes) -> bool:
    return _is_utf8(line) and not any(byte < 32 and byte not in b"\t\r" for byte in line)


def notes_of_files(by_file: Mapping[str, list[str]]) -> list[str]:
    """The note on the first of several files that has one, with its name and the number of the others."""
    noted = [(name, notes[0]) for name, notes in by_file.items() if notes]
    others = f" ({len(noted) - 1} other files are not UTF-8 either)" if len(noted) > 1 else ""
    return [f"{name}: {note}{others}" for name, note in noted[:1]]


def as_utf8(content: bytes, notes: list[str] | None = None, whole: bool = True) -> bytes:
    """The same text as UTF-8 without a mark.

    A file of UTF-8 with single damaged lines is returned as it is, so that only these lines are lost. Bytes that are no
    character of another encoding become bytes that are not UTF-8, with the same effect.

    Args:
        content: of a file, or its beginning.
        notes: where to add the encoding if it is not UTF-8, with a line by which a person sees whether it is right.
        whole: whether `content` is the whole file; its beginning may end within a character.

    Raises:
        UnknownEncodingError: for text in no known encoding.
    """
    if content.startswith(UTF8_BOM):
        return content[mark_length(content) :]
    encoding = _wide_encoding(content)
    if encoding is None:
        damaged = _lines_not_utf8(content, whole)
        if not damaged or _is_damaged_utf8(content, damaged) or _is_binary(content[:BEGINNING]):
            return content
        examined = _without_nulls(content, damaged)
        if not examined:
            return content
        encoding = _code_page(examined)
        if encoding is None and 2 * len(damaged) < content.count(b"\n") + 1:
            return content
        if encoding is None:
            raise UnknownEncodingError(damaged[0])
        text = _decoded(content, encoding, whole)
        if notes is not None:
            shown = text.split(b"\n")[damaged[0] - 1].decode(errors="replace").strip()[:SHOWN]
            notes.append(
                f"not UTF-8, read as {encoding}: line {damaged[0]} is then '{shown}'; if that is wrong, save the file "
                f"as UTF-8 (`iconv -f ENCODING -t UTF-8`)"
            )
        return text
    if notes is not None:
        notes.append(f"read as {encoding.upper().removesuffix('-LE').removesuffix('-BE')}")
    text = _decoded(content, encoding, whole)
    return text[mark_length(text) :]


def mark_length(content: bytes) -> int:
    """Bytes of the marks of UTF-8 at the beginning: programs that add one do not look whether there is one."""
    length = 0
    while content.startswith(UTF8_BOM, length):
        length += len(UTF8_BOM)
    return length


def _decoded(content: bytes, encoding: str, whole: bool) -> bytes:
    """Text of another encoding as UTF-8, with a byte that is not UTF-8 for all that is no character."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=NO_CHARACTER)
    return decoder.decode(content, final=whole).encode(errors="surrogateescape")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end  # which surrogateescape encodes as the byte FF


codecs.register_error(NO_CHARACTER, _mark)


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32; None for a file that is neither."""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    start = content[:4096]
    if len(start) >= 4 and b"\0" in start:
        for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            half, other = start[first::2], start[1 - first :: 2]
            if half.count(0) > NULLS * len(half) and other.count(0) <= OTHER_NULLS * len(other):
                return encoding
    return None


def _lines_not_utf8(content: bytes, whole: bool) -> list[int]:
    """Numbers of the lines that are not UTF-8, from 1."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return []
    lines = content.split(b"\n")
    damaged = [number for number, line in enumerate(lines, start=1) if not _is_utf8(line)]
    return damaged if whole else [number for number in damaged if number < len(lines)]


def _is_utf8(line: bytes) -> bool:
    return _is_encoded(line, "utf-8")


def _is_binary(start: bytes) -> bool:
    """Whether half or more of the lines at the beginning of a file have null bytes, which no code page has."""
    lines = start.split(b"\n")
    return 2 * sum(b"\0" in line for line in lines) >= len(lines)


def _is_damaged_utf8(content: bytes, damaged: list[int]) -> bool:
    """Whether as many other lines have characters beyond ASCII, or twice as many are in damaged lines as other bytes.

    A line in another encoding may be UTF-8 by chance, or was added by another program.
    """
    lost = set(damaged)
    lines = content.split(b"\n")
    if sum(not line.isascii() and number not in lost for number, line in enumerate(lines, start=1)) >= len(damaged):
        return True
    text = b"\n".join(lines[number - 1] for number in damaged).decode(errors="surrogateescape")
    other = sum("\udc80" <= character <= "\udcff" for character in text)
    return sum(not character.isascii() for character in text) - other > 2 * other


def _without_nulls(content: bytes, damaged: list[int]) -> list[bytes]:
    """The damaged lines that may be text of another encoding, which has no null bytes."""
    lines = content.split(b"\n")
    return [lines[number - 1] for number in damaged if b"\0" not in lines[number - 1]]


def _code_page(examined: Sequence[bytes]) -> str | None:
    """The most plausible code page of lines, None where none is.

    A damaged line may be impossible in the code page of the others. So that of two thirds of the lines counts where
    only such lines kept it from being chosen for all, or none is plausible for all.
    """
    page = _plausible(examined)
    if len(examined) < THIRDS:
        return page
    thirds = Counter(_plausible(examined[first::THIRDS]) for first in range(THIRDS))
    likely, votes = thirds.most_common(1)[0]
    if votes == 1 or likely is None or (page is not None and all(_is_encoded(line, likely) for line in examined)):
        return page
    return likely


def _plausible(lines: Sequence[bytes]) -> str | None:
    """The code page of a text; Western where that is plausible at all, because short texts fit several."""
    from charset_normalizer import from_bytes

    text = b"\n".join(lines)[:GUESSED_FROM]
    found = [match for match in from_bytes(text, cp_isolation=list(CODE_PAGES)) if not _is_katakana(str(match))]
    matches = [encoding for match in found for encoding in match.could_be_from_charset]  # with those of equal text
    if WESTERN in matches:
        return TURKISH if TURKISH in matches and _is_turkish(text.decode(WESTERN)) else WESTERN
    return matches[0] if matches else None


def _is_katakana(text: str) -> bool:
    """Whether every third character beyond ASCII is half-width katakana, which Japanese texts have in single words."""
    return 3 * len(KATAKANA.findall(text)) > sum(not character.isascii() for character in text)


def _is_turkish(text: str) -> bool:
    """Whether a text that was read as Western is Turkish; the two code pages differ in six letters."""
    return OTHER_IN_TURKISH.search(text) is not None and NOT_TURKISH.search(text) is None


def _is_encoded(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
