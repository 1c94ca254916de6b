"""The diagnosis on one page, for the plan document: what a lead asks first, the plan's tables, where the rest is."""

from __future__ import annotations

from lora import layout
from lora.report.commands import executions, remarks, seeds
from lora.report.listening import PAGE as LISTENING_PAGE
from lora.report.markdown import code, link
from lora.report.sections.candidates import adapter_table
from lora.report.sections.comparisons import outcomes_table
from lora.report.sections.headroom import baselines
from lora.report.sections.overview import about, causes, first_view, hypotheses, manifest_table, title
from lora.report.sections.parity import settings_compared
from lora.report.sections.training_data import split_sizes, thresholds
from lora.report.study import Study

MOST_CAUSES = 5  # in full; the report has all


def one_page(study: Study) -> str:
    """Markdown with links relative to the results folder; its first heading is of level 1."""
    verdict = study.verdict.value
    parts = [
        title(study),
        about(study),
        *first_view(study),
        "![Word error rate of the baseline and of every run, per manifest](plots/wer.png)",
        causes(study, most=MOST_CAUSES),
        hypotheses(study),
        "## Counts per duration threshold",
        thresholds(study, lengths=False),
    ]
    if layout.TRAIN in study.manifests:
        parts.append(split_sizes(study))
    parts += ["## Baseline headroom", baselines(study)]
    if verdict is not None and verdict.runs:
        parts += ["## Baseline against tuned", outcomes_table(study)]
    if verdict is not None and verdict.gate_run is not None:
        parts += ["## Adapter", adapter_table(study, verdict.gate_run), "## Parity", settings_compared(study)]
    parts += ["## Manifests", manifest_table(study), "## Commands, seeds and output paths", _where(study)]
    return "\n\n".join(part for part in parts if part)


def _where(study: Study) -> str:
    """Files with the commands and the report, seeds, devices, fallbacks and adjustments."""
    done, unreadable = executions(study.results, study.config)
    root = study.results.name
    lines = [f"- Commands: {link(f'{root}/{layout.COMMANDS}', root)}, in their order, to run from the study's folder."]
    lines.append(f"- Seeds: {seeds(done)}.")
    lines.append(f"- Full report: {link(f'{root}/{layout.REPORT.path()}', root)}, one page with all tables and plots.")
    if (study.results / LISTENING_PAGE).is_file():
        lines.append(f"- Listen to what was recognised: {link(f'{root}/{LISTENING_PAGE}', root)}.")
    lines.append(f"- Facts behind every number: {code(f'{root}/')}, file by file in `docs/results.md`.")
    found = remarks(done)
    lines += [f"- {kind.capitalize()}: {remark}." for kind, remark in found]
    if not found:
        lines.append("- No device or dtype fallback, and no adjustment, was recorded.")
    lines += [f"- The run record {code(name)} cannot be read." for name in unreadable]
    return "\n".join(lines)
