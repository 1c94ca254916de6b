"""Chromium for tests that open pages: one per test process, skipped in one line where it is not installed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is not installed; .ci/run installs it")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-test.txt)")
    with api.sync_playwright() as playwright:
        # Root has no sandbox in containers.
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


def wait_until(page: Page, expression: str, seconds: float = 60) -> None:
    """Wait until JavaScript gives true. Playwright's own waiting evaluates texts inside the page, which forbids it."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {seconds} s: {expression}"
        time.sleep(0.02)


def violations(page: Page) -> list[str]:
    """Violated rules of the axe accessibility check, each with the elements that violate it."""
    pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python is not installed (requirements-test.txt)"
    )
    from axe_playwright_python.sync_playwright import Axe

    # Without `preload`, which fetches style sheets again and no page of ours allows.
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in found]
