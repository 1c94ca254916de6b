"""One look for all plots, and one way to save them: same facts, same bytes.

Colours are Okabe and Ito's, which people with any colour vision can distinguish; nothing is encoded by colour alone.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lora.records.temporary_files import temporary_for

INK = "#24292f"
MUTED = "#6e7781"
PALE = "#d8dee4"
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY)

SETTINGS: Any = {  # matplotlib types its keys one by one
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eaeef2",
    "grid.linewidth": 1.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "text.parse_math": False,  # names and messages of a study are text, never mathematics
    "svg.hashsalt": "lora-tuning-diagnostics",
    "svg.fonttype": "path",
}


@contextmanager
def figure(width: float, height: float, png: Path, svg: Path) -> Iterator[Figure]:
    """A figure of width x height inches in the common style, saved to both files at the end."""
    with rc_context(SETTINGS):
        canvas = Figure(figsize=(width, height), layout="constrained")
        yield canvas
        _save(canvas, png, "png", {"Software": None})
        _save(canvas, svg, "svg", {"Date": None, "Creator": None})


def add_title(axes: Axes, title: str, subtitle: str) -> None:
    """A bold title and a muted subtitle above the axes."""
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=26)
    muted = axes.annotate(
        subtitle, (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points", color=MUTED, fontsize=10
    )
    muted.set_in_layout(False)  # a long line must not squeeze the axes


def draw_message(canvas: Figure, title: str, reason: str) -> None:
    """A title and the reason why there is nothing to plot."""
    axes = canvas.subplots()
    axes.set_axis_off()
    axes.text(0.02, 0.7, title, fontsize=13, fontweight="bold", transform=axes.transAxes)
    wrapped = textwrap.fill(" ".join(reason.split()), 78)
    axes.text(0.02, 0.6, wrapped, color=MUTED, va="top", linespacing=1.5, transform=axes.transAxes)


def _save(canvas: Figure, path: Path, kind: str, metadata: dict[str, None]) -> None:
    """Write the file completely or not at all."""
    buffer = io.BytesIO()
    canvas.savefig(buffer, format=kind, metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_for(path)
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(path)
