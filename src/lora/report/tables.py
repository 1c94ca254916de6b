"""Markdown tables (tabulate's pipe format) whose cells cannot break out of their row."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Cells are Markdown already (see `lora.report.wording`); columns named in `numbers` are aligned right."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    alignment = ["right" if column in numbers else "left" for column in range(len(headers))]
    drawn: str = tabulate(cells, headers=list(headers), tablefmt="pipe", colalign=alignment, disable_numparse=True)
    return drawn
