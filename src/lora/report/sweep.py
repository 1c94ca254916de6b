"""The sweep in the plan document: each hypothesis decided, the plots, the test matrix and its commands."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

from lora import layout
from lora.formatting import UNKNOWN, count, outcome_words, p_value, percent, points_range, signed_points
from lora.provenance.hashes import content_hash
from lora.records.comparisons import PairedFacts
from lora.records.sweep import HypothesisResult, HypothesisResults, SweepFacts
from lora.report.brief import open_line
from lora.report.commands import Execution, command_line, devices, executions, remarks, unfenced
from lora.report.documents import append_block, has_block, replace_block, update_document
from lora.report.markdown import code, plain, sentence, table, text
from lora.report.publish import Published, for_document, lower_headings
from lora.report.study import Study
from lora.report.sweep_states import STATES
from lora.report.templates import NOTES, PLAN

SWEEP = "generated: sweep"
HEADING = "# Sweep"
MATRIX = [
    "#",
    "run",
    "date",
    "data",
    "steps",
    "learning rate",
    "target modules",
    "manifest",
    "baseline WER",
    "tuned WER",
    "difference",
    "outcome",
    "notes",
]
PLOTS = (layout.LEVELS_PLOT, layout.TRADEOFF_PLOT, layout.CURVE_PLOT)


def publish_sweep(study: Study, plan_path: Path, notes_path: Path) -> Published:
    """Write the sweep's block of the plan document, and an entry of the notes where its results changed.

    Raises:
        UserError: a document cannot be changed safely.
    """
    body = for_document(sweep_section(study), study.results, plan_path.parent)
    plan = update_document(plan_path, PLAN, lambda document: replace_block(document, SWEEP, body, plan_path))
    key = f"entry {_key(study)}"
    entry = notes_entry(study)

    def with_entry(document: str) -> str:
        return document if has_block(document, key) else append_block(document, key, entry)

    return Published(plan, update_document(notes_path, NOTES, with_entry))


def is_sweep_planned(study: Study) -> bool:
    """Whether a study has a sweep that was not run yet."""
    return bool(study.config.get("sweep")) and not (study.results / layout.HYPOTHESES.path()).is_file()


def publish_sweep_plan(planned: list[str], plan_path: Path) -> bool:
    """Write what the sweep will cost and can show into its block, until its results take that place.

    Args:
        planned: Lines of text.
        plan_path: The plan document.

    Returns:
        Whether the document was written.
    """
    lines = "\n".join(planned)
    body = lower_headings(f"{HEADING}, planned\n\n```text\n{lines}\n```")
    return update_document(plan_path, PLAN, lambda document: replace_block(document, SWEEP, body, plan_path))


def sweep_section(study: Study) -> str:
    """All of the sweep as Markdown, with links relative to the results folder."""
    results = study.find(layout.HYPOTHESES).value
    facts = study.find(layout.RECIPES).value
    if results is None or facts is None:
        return f"{HEADING}\n\nThe sweep has not been run: `lora-diagnose sweep`."
    parts = [HEADING, _table_of(results), *map(_paragraph, results.hypotheses), _winner(facts)]
    parts += [f"![{kind.contents.rstrip('.')}]({kind.path(format='svg')})" for kind in PLOTS]
    return "\n\n".join([*(part for part in parts if part), *_matrix(study)])


def in_words(study: Study, plan_path: Path) -> str:
    """The hypotheses for a terminal: their states in a line, a line each, and what to open."""
    results = study.find(layout.HYPOTHESES).value
    if results is None:
        return "The sweep has not been run.\n"
    states = ", ".join(f"{result.id} {STATES[result.state]}" for result in results.hypotheses)
    plots = [study.results / kind.path(format="png") for kind in PLOTS]
    width = max((len(result.id) for result in results.hypotheses), default=0)
    lines = [
        f"  {result.id:<{width}}  {STATES[result.state].upper():<10} {plain(result.summary)}"
        for result in results.hypotheses
    ]
    return "\n".join([f"SWEEP: {states or 'no hypothesis'}", *lines, open_line([plan_path, *plots]), ""])


def notes_entry(study: Study) -> str:
    """States of the hypotheses, seeds, devices, fallbacks, an override of the gate, where commands and results are."""
    results = study.find(layout.HYPOTHESES).value
    facts = study.find(layout.RECIPES).value
    done = _done(study)
    day = max((one.record.started[:10] for one in done), default=date.today().isoformat())
    decided = results.hypotheses if results else []
    states = ", ".join(f"{text(result.id)} {STATES[result.state]}" for result in decided)
    lines = [f"### {text(day)} · Sweep: {states or 'no hypothesis'}", ""]
    lines += [f"- {text(result.id)}: {text(result.summary)}" for result in decided]
    if facts is not None:
        seeds = sorted({seed for recipe in facts.recipes for seed in recipe.seeds})
        runs = sum(len(recipe.runs) for recipe in facts.recipes)
        lines.append(
            f"- {count(runs, 'run')} of {count(len(facts.recipes), 'recipe')}; seeds {', '.join(map(str, seeds))}"
        )
    lines.append(f"- Device: {text('; '.join(devices(done)) or 'no model work')}")
    of_kind = {
        kind: [message for found, message in remarks(done) if found == kind] for kind in ("fallback", "adjustment")
    }
    lines += [f"- {kind.capitalize()}s: {'; '.join(found) or 'none'}" for kind, found in of_kind.items()]
    gate = study.find(layout.SWEEP_GATE).value
    if gate is not None and gate.sweep_reason is not None:
        lines.append(f"- The gate was overridden: {text(gate.sweep_reason)}")
    root = study.results.name
    lines.append(
        f"- Results: {code(f'{root}/{layout.HYPOTHESES.path()}')}, {code(f'{root}/{layout.SWEEP.path()}')}; "
        "commands: the plan document, and `experiment.json` in the folder of every adapter"
    )
    return "\n".join(lines)


def _table_of(results: HypothesisResults) -> str:
    rows = [
        [
            text(result.id),
            text(result.statement),
            f"**{STATES[result.state]}**",
            "" if result.value is None else signed_points(result.value),
            "" if result.value is None else points_range(result.low, result.high),
            "" if result.p is None else p_value(result.p),
        ]
        for result in results.hypotheses
    ]
    return table(["id", "hypothesis", "result", "difference", "interval", "p (adjusted)"], rows, numbers=[3, 4])


def _paragraph(result: HypothesisResult) -> str:
    predicts = f" Predicted: {sentence(result.predicts)}" if result.predicts else ""
    return (
        f"**{text(result.id)}. {STATES[result.state].capitalize()}.** {sentence(result.summary)} "
        f"{sentence(result.next_step)}{predicts}"
    )


def _winner(facts: SweepFacts) -> str:
    """The recipe with the lowest WER, and whether that is more than the luck of having many."""
    winner = facts.winner
    if winner is None or winner.winner is None:
        return ""
    found = next(one for one in winner.comparisons if one.recipe == winner.winner)
    difference = found.against_base
    ends = points_range(difference.interval.low, difference.interval.high)
    parts = [
        f"Lowest WER of {count(len(winner.comparisons), 'recipe')}: {text(winner.winner)}, "
        f"{signed_points(difference.difference)} ({ends} with all recipes taken into account"
        f"{'' if difference.scope == 'recipe' else ', for these adapters only'})"
    ]
    if winner.rivals:
        parts.append(f"not shown to be better than {text(', '.join(winner.rivals))}")
    elif len(winner.comparisons) > 1:
        parts.append("better than every other recipe")
    return "; ".join(parts) + "."


def _matrix(study: Study) -> list[str]:
    """One row per run and manifest, and the commands of every run."""
    rows, commands = [], []
    done = {(one.output.split("/")[0], one.output.split("/")[1]): one for one in _done(study) if "/" in one.output}
    for number, (run, settings) in enumerate(_runs(study.config).items(), start=1):
        trained = done.get(("adapters", run))
        executed = [one for one in (trained, done.get(("transcripts", run))) if one is not None]
        day = max((one.record.started[:10] for one in executed), default="")
        for manifest in layout.manifests_of(study.config, "evaluation"):
            found = study.paired(run, manifest)
            about = [str(number), code(run), text(day), _data(settings), text(settings["max_steps"])]
            about += [text(settings["learning_rate"]), _modules(settings), code(manifest)]
            rows.append([*about, *_numbers(found.value), text(found.plain_reason)])
        commands += [
            f"# {number} {run}",
            *(unfenced(command_line(one.record.command, study.results.parent)) for one in executed),
        ]
    if not rows:
        return []
    listing = "\n".join(commands)
    return [
        "## Test matrix",
        "Rows within `max_seconds`; intervals of one run are those of this adapter, without other seeds.",
        table(MATRIX, rows, numbers=[0, 4, 5, 8, 9, 10]),
        "Commands by number of the run, from the study's folder:",
        f"```bash\n{listing}\n```",
    ]


def _numbers(facts: PairedFacts | None) -> list[str]:
    score = facts.within if facts is not None else None
    if score is None:
        return [UNKNOWN, UNKNOWN, "", ""]
    ends = points_range(score.interval.low, score.interval.high)
    return [
        percent(score.baseline_wer),
        percent(score.tuned_wer),
        f"{signed_points(score.delta)} ({ends})",
        outcome_words(score.outcome, score.detectable_difference),
    ]


def _data(settings: dict[str, Any]) -> str:
    parts = [f"{settings['data_share']:.0%} of train" if settings["data_share"] < 1 else "train"]
    if settings["replay_share"]:
        parts.append(f"{settings['replay_share']:.0%} replay")
    return text(", ".join([*parts, f"seed {settings['seed']}"]))


def _modules(settings: dict[str, Any]) -> str:
    modules = settings["target_modules"]
    return text(modules if isinstance(modules, str) else ", ".join(modules))


def _runs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings of every run that the study trains."""
    candidates = {run: c["train"] for run, c in (config.get("candidates") or {}).items() if "train" in c}
    return {**candidates, **(config.get("sweep") or {})}


def _done(study: Study) -> list[Execution]:
    """Executions of trainings and transcriptions."""
    runs = _runs(study.config)
    done, _ = executions(study.results, study.config, runs)
    folders = [one.output.split("/") for one in done]
    return [
        one
        for one, parts in zip(done, folders, strict=True)
        if parts[0] in {"adapters", "transcripts"} and parts[1] in runs
    ]


def _key(study: Study) -> str:
    """A hash of the sweep's decisions and of the gate under which it ran."""
    digest = hashlib.sha256()
    for kind in (layout.HYPOTHESES, layout.SWEEP, layout.SWEEP_GATE):
        path = study.results / kind.path()
        digest.update(path.read_bytes() if path.is_file() else b"")
    return content_hash("sweep", digest.hexdigest())[:16]
