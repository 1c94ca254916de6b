"""The summary of a diagnosis, `results/summary.md`: same facts, same bytes; no time, host or absolute path."""

from __future__ import annotations

from lora.report.sections.adapter import adapters
from lora.report.sections.budget import error_budgets
from lora.report.sections.comparisons import comparisons
from lora.report.sections.conclusion import conclusion
from lora.report.sections.data import training_data
from lora.report.sections.labels import labels
from lora.report.sections.parity import parity
from lora.report.sections.scores import all_checks, headroom
from lora.report.study import Study


def summarise(study: Study) -> str:
    """Verdict first, then the facts behind it in the order D1, D2, comparisons, D3, D4, P."""
    sections = [conclusion, training_data, headroom, comparisons, error_budgets]
    sections += [adapters, labels, parity, all_checks]
    return "\n\n".join(part for part in (section(study) for section in sections) if part) + "\n"
