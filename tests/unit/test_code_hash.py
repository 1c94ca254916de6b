"""The hash by which cheap rules notice new code: modules, and the files of a page next to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora import code_hash as hashing


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hashing, "SOURCE", tmp_path)
    for name, text in {
        "command.py": "from lora.site import build\n",
        "lora/site/__init__.py": "",
        "lora/site/build.py": "build = 1\n",
        "lora/site/page.js": "1",
        "lora/other/__init__.py": "",
        "lora/other/page.css": "1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def hash_of(tree: Path) -> str:
    for function in (hashing._content, hashing._digest, hashing._imported, hashing._modules, hashing._page_files):
        function.cache_clear()
    return hashing.code_hash(tree / "command.py")


@pytest.mark.parametrize(
    ("name", "counts"),
    [("command.py", True), ("lora/site/build.py", True), ("lora/site/page.js", True), ("lora/other/page.css", False)],
)
def test_what_counts_as_code_of_a_command(tree: Path, name: str, counts: bool) -> None:
    before = hash_of(tree)
    assert hash_of(tree) == before
    (tree / name).write_text("changed = 2\n" if name.endswith("build.py") else f"{(tree / name).read_text()} \n")
    assert (hash_of(tree) != before) == counts
