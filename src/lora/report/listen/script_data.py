"""Data as JavaScript files, because pages opened from a disk may load scripts but not fetch files.

Texts are untrusted. They are inside a JSON document inside a quoted string, so that no text can end the string, the
script or its element, in any version of JavaScript.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lora.records.base import write_text

# Quote and backslash of the string; `<`, `>`, `&` of HTML; line separators and lone surrogates.
UNSAFE = re.compile("['\\\\<>&\u2028\u2029\x7f-\x9f\ud800-\udfff]")


def data_script(name: str, value: Any) -> str:
    """A script that hands a JSON value to the page under a name."""
    document = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Parsing a quoted document is faster than a literal of the same size.
    return f"Listen.receive({quoted(name)}, JSON.parse({quoted(document)}));\n"


def quoted(text: str) -> str:
    """A JavaScript string literal."""
    return "'" + UNSAFE.sub(_escaped, text) + "'"


def _escaped(found: re.Match[str]) -> str:
    return "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}"


def write_data(page: Path, name: str, value: Any) -> None:
    """Write the data file of a name, `data/<name>.js`."""
    write_text(page / "data" / f"{name}.js", data_script(name, value))
