"""The full report in Chromium: what a reader on a desktop, a phone and on paper meets."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import violations, wait_until

from lora.records.base import write_text
from lora.report.page.render import render_page
from lora.report.study import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]
NARROW = 400  # pixels, a phone


@pytest.fixture(scope="module")
def address(browser: Browser, pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    results = tmp_path_factory.mktemp("opened") / "results"
    shutil.copytree(pristine, results)
    page = results / "report/index.html"
    write_text(page, render_page(Study(results, results / "config.json")))
    return page.as_uri()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the report as a file; no test may end with an error of the page or a request for another file."""
    problems: list[str] = []
    contexts = []

    def open_page(fragment: str = "", width: int = 1400, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 860}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{address}{fragment}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [problem for problem in problems if "ERR_FILE_NOT_FOUND" not in problem]  # the example has no plots


def test_the_contents_lead_to_every_chapter(opened: Open) -> None:
    page = opened()
    links = page.locator("nav li a")
    for at in range(links.count()):
        links.nth(at).click()
        key = page.evaluate("location.hash.slice(1)")
        top = page.evaluate(f"document.getElementById('{key}').getBoundingClientRect().top")
        bottom = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
        assert abs(top) < 40 or abs(bottom) < 2, key
    page.locator("nav li a").first.click()
    wait_until(page, "document.querySelector('nav [aria-current]')?.hash === '#verdict'")


def test_tables_sort_by_their_numbers_and_texts(opened: Open) -> None:
    page = opened("#manifests")
    table = page.locator("#manifests table")

    def column(number: int) -> list[str]:
        return table.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    rows = table.get_by_role("button", name="usable rows")
    rows.click()
    assert column(3) == ["6", "120", "200", "360"]
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    rows.click()
    assert column(3) == ["360", "200", "120", "6"]
    table.get_by_role("button", name="manifest").click()
    assert column(1) == ["domain", "heldout", "test", "train"]
    assert page.evaluate("['1,210 rows', '-10.76 points', '9 rows'].sort(compareCells)") == [
        "-10.76 points",
        "9 rows",
        "1,210 rows",
    ]


def test_details_open_by_address_by_button_and_for_print(opened: Open) -> None:
    page = opened("#training-data-2")
    assert page.locator("#training-data-2").get_attribute("open") is not None
    assert page.locator("#training-data-1").get_attribute("open") is None
    page.get_by_role("button", name="Open all details").click()
    assert page.locator("main details:not([open])").count() == 0
    page.get_by_role("button", name="Close all").click()
    assert page.locator("main details[open]").count() == 0
    page.pdf()
    assert page.locator("main details:not([open])").count() == 0


@pytest.mark.parametrize("opening", ["as loaded", "everything open"])
def test_a_phone_needs_no_sideways_scrolling(opened: Open, opening: str) -> None:
    page = opened(width=NARROW)
    if opening == "everything open":
        page.get_by_role("button", name="Open all details").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    label = "getComputedStyle(document.querySelector('#headroom td:nth-child(2)'), '::before').content"
    assert page.evaluate(label) == '"role: "'


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (1400, "dark"), (NARROW, "light")])
def test_nothing_violates_the_accessibility_check(opened: Open, width: int, scheme: str) -> None:
    page = opened(width=width, color_scheme=scheme)
    page.get_by_role("button", name="Open all details").click()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("width", "texts"),
    [
        (1400, ("Diagnosis: ready for the sweep", "Next step.", "Smallest change that would show", "Forgetting on")),
        (NARROW, ("Diagnosis: ready for the sweep", "Reason.", "Next step.", "WER change of")),
    ],
)
def test_the_first_screen_names_verdict_next_step_and_numbers(opened: Open, width: int, texts: tuple[str, ...]) -> None:
    page = opened(width=width)
    for text in texts:
        box = page.get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["y"] < 860, text


def test_the_page_is_complete_without_scripts(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("main h2").count() > 5
    assert not page.get_by_role("button", name="Close all").is_visible()
