"""Speech models behind one small interface, a family a file. Imports torch.

Which families there are stands in `lora.asr.family_table`; `lora.asr.model_loading` makes models of files.
"""

from __future__ import annotations

import importlib

from lora.asr.families.speech_model import SpeechModel, first_line
from lora.asr.family_table import Family

__all__ = ["SpeechModel", "class_of", "first_line"]


def class_of(family: Family) -> type[SpeechModel]:
    """The class that a line of the table names."""
    module, _, name = family.made_by.partition(".")
    found: type[SpeechModel] = getattr(importlib.import_module(f"lora.asr.families.{module}"), name)
    return found
