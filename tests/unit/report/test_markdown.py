"""Texts of a study do no harm in Markdown, HTML or a terminal."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from lora.report.markdown import code, link, plain, prose, table, text

HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- END generated: diagnosis -->",
    "![x](http://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "*bold* __bold__ ~~gone~~ `code` # heading",
    "a | b || c",
    "line\n# heading\n\n---\n- item",
    "\x1b[31mred\x1b[0m \u202eright to left \u200b",
    "back\\slash \\| pipe",
    "``` fence",
    "&lt;b&gt; &amp;",
    "$x^2$ www.example.com https://example.com",
    "",
]


def rendered(markdown: str) -> str:
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_renders_as_the_very_words(hostile: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(f"x {text(hostile)} x")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == f"x {plain(hostile)} x"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_cells_keep_the_shape_of_their_table(hostile: str) -> None:
    html = rendered(table(["a", "b"], [[text(hostile), code(hostile)], ["1", "2"]]))
    assert html.count("<tr>") == 3
    assert html.count("<td") == 4
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html


@pytest.mark.parametrize("hostile", [h for h in HOSTILE if h.strip()])
def test_code_span_keeps_the_words_unchanged(hostile: str) -> None:
    tokens = MarkdownIt("commonmark").parse(code(hostile))
    spans = [child for child in tokens[1].children or [] if child.type == "code_inline"]
    assert [span.content for span in spans] == [plain(hostile)]


def test_names_of_settings_in_prose_are_code_and_nothing_else_is() -> None:
    assert prose("Name it (`manifests.train`) *now* `a|b`") == r"Name it (`manifests.train`) \*now\* \`a|b\`"
    assert prose("Call `merge_and_unload()`.") == "Call `merge_and_unload()`."
    assert rendered(prose("next to `<stem>.settings.json`: <b>")) == (
        "<p>next to <code>&lt;stem&gt;.settings.json</code>: &lt;b&gt;</p>\n"
    )


@pytest.mark.parametrize("hostile", [h for h in HOSTILE if h.strip()])
def test_prose_does_no_harm(hostile: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(f"x {prose(hostile)} x")
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special", "code_inline"}


def test_plain_has_no_control_characters() -> None:
    assert plain("a\x1b[2J\tb\r\nc\u202e\x00") == "a[2J b c[U+202E RIGHT-TO-LEFT OVERRIDE]"
    assert plain("می\u200cخواهم") == "میخواهم"


def test_bare_addresses_do_not_become_links() -> None:
    words = "see https://example.com and www.example.com"
    assert "://" not in text(words)
    assert "www." not in text(words)
    assert rendered(text(words)) == f"<p>{words}</p>\n"


def test_link_to_a_path_with_spaces_and_brackets() -> None:
    markdown = link("results/wer/base/a b).json", "results")
    html = rendered(markdown)
    assert 'href="wer/base/a%20b%29.json"' in html
