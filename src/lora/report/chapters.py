"""What the full report consists of: one chapter per question, each written as Markdown from the facts of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lora.report.commands import commands_section
from lora.report.sections.candidates import candidates
from lora.report.sections.checks import all_checks
from lora.report.sections.comparisons import comparisons
from lora.report.sections.errors import error_budgets
from lora.report.sections.headroom import headroom
from lora.report.sections.labels import labels
from lora.report.sections.overview import manifest_table, overview
from lora.report.sections.parity import parity
from lora.report.sections.reviews import reviews
from lora.report.sections.training_data import training_data
from lora.report.study import Study


@dataclass(frozen=True)
class Chapter:
    """One chapter of the report.

    Attributes:
        key: Fragment of its address in the page.
        write: Its Markdown: a heading, then what everybody reads, then `###` headings for the details; links are
            relative to the results folder. An empty text leaves the chapter out.
        question: Name of the question that it answers (`sections.verdict.answers`); empty for none.
    """

    key: str
    write: Callable[[Study], str]
    question: str = ""


def _comparisons(study: Study) -> str:
    return "\n\n".join(part for part in (comparisons(study), error_budgets(study)) if part)


def _commands(study: Study) -> str:
    return commands_section(study.results, study.config)


def _manifests(study: Study) -> str:
    listed = manifest_table(study)
    return f"## Manifests of the study\n\n{listed}" if listed else ""


CHAPTERS = (
    Chapter("verdict", overview),
    Chapter("training-data", training_data, question="data_sufficiency"),
    Chapter("headroom", headroom, question="headroom"),
    Chapter("comparisons", _comparisons),
    Chapter("reviews", reviews),
    Chapter("adapter", candidates, question="adapter_change"),
    Chapter("labels", labels, question="labels"),
    Chapter("parity", parity, question="parity"),
    Chapter("checks", all_checks),
    Chapter("manifests", _manifests),
    Chapter("commands", _commands),
)
