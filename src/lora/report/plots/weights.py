"""The weight change of each adapted module relative to its base weight, by module group and projection."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from lora.formatting import configured_percent, count, module_group, percent
from lora.records.effect import EffectFacts, ModuleDelta
from lora.report.markdown import plain
from lora.report.plots.style import INK, MUTED, SERIES, add_title, draw_message, figure

GROUPS = ("encoder", "decoder_self", "cross", "mlp")
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "fc1", "fc2")
MARKERS = ("o", "s", "D", "^", "v")
SMALLEST = 1e-8  # relative norms below count as zero: float32 resolves 1e-7


def plot_weights(effect: EffectFacts, png: Path, svg: Path) -> None:
    """Plot one mark per module and one row per module group and projection, so that a row shows all layers."""
    measured = [m for m in effect.weights or [] if m.relative_norm is not None]
    rows = _rows(measured)
    with figure(8.6, 1.8 + 0.3 * max(len(rows), 4), png, svg) as canvas:
        title = f"Weight change of {plain(effect.run)}"
        if not measured:
            reason = effect.message or "the adapter's weights were not measured"
            draw_message(canvas, title, f"Unknown: {plain(reason)}")
            return
        axes = canvas.subplots()
        _draw(axes, rows, effect.median_relative_norm)
        unchanged = sum(1 for m in measured if (m.relative_norm or 0.0) < SMALLEST)
        matrices = count(len(measured), "adapted module")
        if effect.checkpoint is not None:
            matrices = count(len(measured), "weight matrix", "weight matrices")
        zero = f", {unchanged} of them unchanged (crosses)" if unchanged else ""
        add_title(axes, title, f"{matrices}, one mark each{zero}")


def _rows(modules: list[ModuleDelta]) -> dict[tuple[str, str], list[ModuleDelta]]:
    """Modules by group and projection, both in the order of computation; unknown names last."""
    rows: dict[tuple[str, str], list[ModuleDelta]] = {}
    for module in sorted(
        modules, key=lambda m: (_place(m.module_group, GROUPS), _place(_projection(m.name), PROJECTIONS))
    ):
        rows.setdefault((module.module_group, _projection(module.name)), []).append(module)
    return rows


def _place(name: str, known: tuple[str, ...]) -> tuple[int, str]:
    return (known.index(name), "") if name in known else (len(known), name)


def _projection(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _draw(axes: Axes, rows: dict[tuple[str, str], list[ModuleDelta]], median: float | None) -> None:
    groups = list(dict.fromkeys(group for group, _ in rows))
    norms = [n for members in rows.values() for m in members if (n := m.relative_norm or 0.0) >= SMALLEST]
    floor = min(norms, default=1e-3) / 2
    for y, ((group, _), members) in enumerate(rows.items()):
        index = groups.index(group)
        colour = SERIES[index % len(SERIES)]
        marker = MARKERS[index % len(MARKERS)]
        for module in members:
            norm = module.relative_norm or 0.0
            if norm < SMALLEST:
                axes.plot(floor, -y, "x", color=colour, markersize=7, markeredgewidth=2)
                continue
            axes.plot(norm, -y, marker, color=colour, markersize=7, alpha=0.75, markeredgewidth=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: configured_percent(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)
    axes.set_xlim(floor / 1.3, max(norms, default=1.0) * 1.6)
    axes.set_yticks([-y for y in range(len(rows))], [projection for _, projection in rows])
    axes.set_ylim(-len(rows) + 0.4, 1.1)
    axes.set_xlabel("norm of the change relative to the norm of the base weight (logarithmic)")
    _label_groups(axes, list(rows), groups)
    if median is not None and median >= SMALLEST:
        axes.axvline(median, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
        axes.annotate(
            f"median {percent(median)}",
            (median, 1),
            (5, -12),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=10,
        )


def _label_groups(axes: Axes, keys: list[tuple[str, str]], groups: list[str]) -> None:
    """The name of each module group to the right of its rows, and a line between groups."""
    for index, group in enumerate(groups):
        ys = [-y for y, key in enumerate(keys) if key[0] == group]
        axes.annotate(
            module_group(group),
            (1, sum(ys) / len(ys)),
            (8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontweight="bold",
            color=SERIES[index % len(SERIES)],
            fontsize=10,
        )
        if index:
            axes.axhline(max(ys) + 0.5, color=MUTED, linewidth=0.6, alpha=0.5)
