"""Chat templates that do not end, fill the memory, fail or leave out the audio: one error that names their file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_families import ASKED, MAKERS

from lora.asr.families import chat_template
from lora.asr.model_files import describe_model
from lora.asr.model_json import UnusableModel
from lora.asr.model_loading import load_model

# Where each family keeps the template if it has no chat_template.jinja.
SETTINGS = {"qwen3_asr": "processor_config.json", "granite_speech": "tokenizer_config.json"}
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture(scope="module", params=list(SETTINGS))
def prompted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    family: str = request.param
    folder: Path = MAKERS[family](tmp_path_factory.mktemp(family) / "model")
    return family, folder


def with_template(prompted: tuple[str, Path], home: Path, template: Any, file: str | None = None) -> None:
    """Load a copy of a model whose template is another one, in its own file or as a setting."""
    family, folder = prompted
    shutil.copytree(folder, home)
    (home / "chat_template.jinja").unlink()
    if file is not None:
        settings = json.loads((home / file).read_text())
        (home / file).write_text(json.dumps({**settings, "chat_template": template}))
    elif template is not None:
        (home / "chat_template.jinja").write_text(template)
    load_model(describe_model(str(home), **ASKED.get(family, {})))


@pytest.mark.parametrize(
    "template",
    [
        ENDLESS,
        f"{{% generation %}}{ENDLESS}{{% endgeneration %}}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ 'a' * 10 ** 6 }}",
    ],
)
def test_templates_without_end(
    prompted: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setattr(chat_template, "LIMIT", 2)
    with pytest.raises(UnusableModel, match=r"chat_template\.jinja: the chat template takes more than 2 s or 1 GiB"):
        with_template(prompted, tmp_path / "m", template)


@pytest.mark.parametrize("template", ["{% for %}", "content {{ a.b.c }}", "content", "{{ raise_exception('no') }}"])
def test_templates_that_fail(prompted: tuple[str, Path], tmp_path: Path, template: str) -> None:
    with pytest.raises(
        UnusableModel, match=r"chat_template\.jinja: the chat template (fails: .+|leaves out the audio)"
    ):
        with_template(prompted, tmp_path / "m", template)


@pytest.mark.parametrize(("template", "words"), [(5, "is 5; expected text"), ("{% for %}", "fails: ")])
def test_templates_among_other_settings(
    prompted: tuple[str, Path], tmp_path: Path, template: object, words: str
) -> None:
    file = SETTINGS[prompted[0]]
    with pytest.raises(UnusableModel, match=rf"{file}: the chat template {words}"):
        with_template(prompted, tmp_path / "m", template, file)


def test_a_model_without_a_template(prompted: tuple[str, Path], tmp_path: Path) -> None:
    if prompted[0] == "granite_speech":  # has a prompt of its own
        with_template(prompted, tmp_path / "m", None)
        return
    with pytest.raises(UnusableModel, match=r"has no chat template \(chat_template\.jinja\)"):
        with_template(prompted, tmp_path / "m", None)
