"""Commands of this project as steps of a longer one, run one after the other in one process."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from lora.provenance.command import acting_as
from lora.records.base import UserError
from lora.runners import experiment

SCRIPTS = Path(__file__).parents[3] / "scripts"


class StepFailed(Exception):
    """A step ended with this exit code and has told why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class Steps:
    """Runs commands of this project one after the other, in this process: torch is imported once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, path: str) -> str:
        return str(self.folder / path)

    def model(self, *arguments: object) -> None:
        given = [str(argument) for argument in arguments]
        with acting_as(["-m", "lora.runners.experiment", *given]):
            self._check(experiment.main(given))

    def script(self, name: str, *arguments: object) -> None:
        path = SCRIPTS / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"lora_script_{name}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise UserError(f"{path}: no such file; `run` needs a clone of the repository, not only its library")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        given = [str(argument) for argument in arguments]
        with acting_as([os.path.relpath(path), *given]):
            self._check(module.main(given))

    def _check(self, code: int) -> None:
        if code != 0:
            raise StepFailed(code)
