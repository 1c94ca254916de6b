"""The summary of a diagnosis, `results/summary.md`: same facts, same bytes; no time, host or absolute path."""

from __future__ import annotations

from lora.report.sections.candidates import candidates
from lora.report.sections.comparisons import comparisons
from lora.report.sections.conclusion import all_checks, conclusion
from lora.report.sections.errors import error_budgets
from lora.report.sections.headroom import headroom
from lora.report.sections.labels import labels
from lora.report.sections.parity import parity
from lora.report.sections.training_data import training_data
from lora.report.study import Study

SECTIONS = (
    conclusion,
    training_data,
    headroom,
    comparisons,
    error_budgets,
    candidates,
    labels,
    parity,
    all_checks,
)


def summarise(study: Study) -> str:
    """The verdict, then the facts behind it: D1, D2, the comparisons, D3, D4, P."""
    sections = [section(study) for section in SECTIONS]
    return "\n\n".join(section for section in sections if section) + "\n"
