"""Turn the summary into a page that the Snakemake report can show inline.

Example: python scripts/render_page.py --summary results/summary.md --page results/summary.html
Reads: the summary, and the plots it shows. Writes: one HTML file that needs no other.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from markdown_it import MarkdownIt

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_text

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>LoRA tuning diagnostics</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }}
table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid #d0d7de; padding: 0.3rem 0.7rem; }}
th {{ background: #f6f8fa; }}
img {{ max-width: 100%; }}
code {{ background: #f6f8fa; padding: 0.1rem 0.3rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def page_of(summary: Path) -> str:
    """The summary as HTML; raw HTML in it is shown, never obeyed, and its PNG plots are embedded."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(summary.read_text(encoding="utf-8"))
    for token in (child for block in tokens for child in block.children or []):
        if token.type == "image":
            picture = summary.parent / str(token.attrs["src"])
            if picture.suffix == ".png" and picture.is_file():
                encoded = base64.b64encode(picture.read_bytes()).decode()
                token.attrs["src"] = f"data:image/png;base64,{encoded}"
    # The validator knows no data: links longer than a few types; ours were just made from our own files.
    return PAGE.format(body=markdown.renderer.render(tokens, markdown.options, {}))


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.page)]):
        write_text(args.page, page_of(args.summary))
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summary", required=True, type=Path)
    parser.add_argument("--page", required=True, type=Path)
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
