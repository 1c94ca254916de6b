"""The exception for an unusable adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora.records.effect import FileStage, LoadStage


class AdapterProblem(Exception):
    """An unusable adapter.

    It has its cause code, the stages of the effect ladder that were computed before, and what helps where that is not
    the remedy of the code.
    """

    def __init__(
        self,
        code: str,
        message: str,
        file_stage: FileStage | None = None,
        load_stage: LoadStage | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.file_stage = file_stage
        self.load_stage = load_stage
        self.remedy = remedy
