"""Regular expressions of an adapter's configuration, tried before peft uses them.

An expression such as `((a+)+)+!` takes longer than anybody waits, and Python cannot interrupt it. So all are tried in a
process of their own, which is ended after a few seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lora.asr.limited_process import output_within

LIMIT = 3  # seconds for all expressions and names
REPEATS = re.compile(r"[*+?{]")
# Writes the key of each expression before it is tried; peft reports those that are none.
PROGRAM = """
import json, re, sys
expressions, names = json.load(sys.stdin)
for key, expression in expressions:
    print(key, flush=True)
    try:
        compiled = re.compile(expression)
    except re.error:
        continue
    for name in names:
        compiled.match(name)
"""


def slow_expression(config: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The key of an expression that cannot be matched with these names of modules in a few seconds, else None."""
    expressions = list(_expressions(config))
    if not expressions:
        return None
    printed, ended = output_within(LIMIT, PROGRAM, [expressions, list(names)])
    if ended:
        return None
    return printed.split()[-1] if printed.split() else expressions[0][0]


def _expressions(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and expressions as peft matches them; names without repetition are always fast."""
    forms = {
        "target_modules": r"({})\Z",
        "exclude_modules": r"({})\Z",
        "rank_pattern": r"(.*\.)?({})$",
        "alpha_pattern": r"(.*\.)?({})$",
        "layers_pattern": r"(?:^|.*?\.){}\.(?P<idx>\d+)\.",
        "modules_to_save": r"(^|.*\.){}($|\..*)",
    }
    for key, form in forms.items():
        value = config.get(key)
        is_list_of_names = key in {"target_modules", "exclude_modules"} and not isinstance(value, str)
        if value is None or is_list_of_names:
            continue
        for one in [value] if isinstance(value, str) else value if isinstance(value, list | dict) else []:
            if isinstance(one, str) and REPEATS.search(one):
                yield key, form.replace("{}", one)
