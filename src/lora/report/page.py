"""The summary as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from pathlib import Path

from markdown_it import MarkdownIt

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
    """Render a summary as HTML: raw HTML in it is escaped, and its PNG plots are embedded."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(summary.read_text(encoding="utf-8"))
    for token in (child for block in tokens for child in block.children or []):
        if token.type == "image":
            picture = summary.parent / str(token.attrs["src"])
            if picture.suffix == ".png" and picture.is_file():
                encoded = base64.b64encode(picture.read_bytes()).decode()
                token.attrs["src"] = f"data:image/png;base64,{encoded}"
    # Rendered without the link validator, which rejects the data: links made above from our own files.
    return PAGE.format(body=markdown.renderer.render(tokens, markdown.options, {}))
