"""The chat template of a speech language model, tried before it is used.

A template is a program, and a damaged one may not end or may fill the memory. So it is first rendered in a process of
its own, which is ended after a few seconds. Torch-free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.asr.limited_process import output_within
from lora.asr.model_files import ModelFiles
from lora.asr.model_json import UnusableModel, read_json

LIMIT = 5  # seconds; a real template takes milliseconds
MEMORY = 2**30  # bytes
MOST_CHARACTERS = 100_000  # that a template adds to its messages
TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json", "processor_config.json", "tokenizer_config.json")
# The environment of transformers. Errors other than a lack of memory are left to the rendering by transformers itself.
PROGRAM = r"""
import contextlib, json, re, sys
import jinja2, jinja2.ext, jinja2.sandbox
template, messages, memory, most = json.load(sys.stdin)
with contextlib.suppress(ImportError, OSError, ValueError):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

def fail(message):
    raise jinja2.TemplateError(message)

environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
)
environment.globals.update(raise_exception=fail, strftime_now=str)
plain = re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", "", template)  # a tag of transformers, which writes nothing
try:
    text = environment.from_string(plain).render(messages=messages, add_generation_prompt=True)
    if len(text) > len(json.dumps(messages)) + most:
        print("long")
except MemoryError:
    print("memory")
except Exception:
    pass
"""


def require_usable_template(
    files: ModelFiles, template: Any, messages: list[dict[str, Any]], render: Callable[[], str], audio_token: str
) -> None:
    """Try a chat template.

    Args:
        files: The model.
        template: The template as it was loaded; of several, the one named `default` is used.
        messages: Those of one utterance.
        render: Renders them as decoding does.
        audio_token: Stands for the audio in the prompt.

    Raises:
        UnusableModel: The template does not end, writes too much, fails, or leaves out the audio.
    """
    owner = f"model {files.identity.id}"
    remedy = "Copy the file from the base model."
    if template is None:
        raise UnusableModel(f"{owner} has no chat template ({TEMPLATE_FILES[0]}). {remedy}")
    where = f"{owner}: {_file_of(files, template)}"
    default = template.get("default") if isinstance(template, dict) else template
    if not isinstance(default, str):
        raise UnusableModel(f"{where}: the chat template is {default!r:.40}; expected text. {remedy}")
    printed, ended = output_within(LIMIT, PROGRAM, [default, messages, MEMORY, MOST_CHARACTERS])
    if printed or not ended:
        raise UnusableModel(
            f"{where}: the chat template takes more than {LIMIT} s or {MEMORY // 2**30} GiB for one utterance, or "
            f"writes more than {MOST_CHARACTERS:,} characters. {remedy}"
        )
    try:
        text = render()
    except Exception as error:  # jinja has errors of its own, and passes on those of Python
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise UnusableModel(f"{where}: the chat template fails: {reason:.200}. {remedy}") from None
    if audio_token not in text:
        raise UnusableModel(f"{where}: the chat template leaves out the audio ({audio_token}). {remedy}")


def _file_of(files: ModelFiles, template: Any) -> str:
    """The file of the model that has the template: which of several counts depends on the family."""
    owner = f"model {files.identity.id}"
    for name in TEMPLATE_FILES:
        path = files.processor_path / name
        if path.is_file():
            is_text = path.suffix == ".jinja"
            written = path.read_text(encoding="utf-8") if is_text else read_json(path, owner).get("chat_template")
            if written == template:
                return name
    return TEMPLATE_FILES[0]
