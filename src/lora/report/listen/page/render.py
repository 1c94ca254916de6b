"""Write the page into its folder: the filled-in template, the style sheet, and all scripts as one file."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lora.records.base import write_text

HERE = Path(__file__).parent
# Joined in this order into page.js: one file is loaded faster than many.
SCRIPTS = (
    "store.js",
    "rows.js",
    "queues.js",
    "alignment.js",
    "virtual_list.js",
    "player.js",
    "scatter.js",
    "reviews.js",
    "address.js",
    "details.js",
    "main.js",
)


def write_page(folder: Path, model: str) -> None:
    """Write index.html, style.css and page.js; `model` is part of the title."""
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    write_text(folder / "index.html", templates.get_template("index.html.j2").render(model=model) + "\n")
    write_text(folder / "style.css", (HERE / "style.css").read_text(encoding="utf-8"))
    write_text(folder / "page.js", "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS))
