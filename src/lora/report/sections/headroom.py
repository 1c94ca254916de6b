"""D2: headroom of every evaluation manifest, and harder versions of a saturated one."""

from __future__ import annotations

from lora.diagnosis.headroom.hardening import config_lines, proposed_manifest, write_command
from lora.formatting import (
    UNKNOWN,
    caveat,
    configured_percent,
    configured_points,
    count,
    hours,
    number,
    percent,
    percent_range,
    points,
    rate,
    rate_name,
    why_none,
)
from lora.records.hardening import HardenedFacts, HardenedVersion
from lora.records.scores import MOST_TIMES, Power, WerFacts, WerScore
from lora.records.verdict import Verdict
from lora.report.markdown import code, table, text
from lora.report.sections.deciding_numbers import smallest_change
from lora.report.sections.errors import error_sources
from lora.report.study import Study

COLUMNS = ["manifest", "role", "rows", "words", "baseline", "interval", "all rows", "raw"]
COLUMNS += ["CER (raw)", "smallest detectable change", "status"]
STATUS = {
    "headroom.saturated": "saturated",
    "headroom.underpowered": "too small to show a gain",
    "headroom.baseline_broken": "baseline broken",
    "headroom.reference_noise": "suspected reference errors",
}
# Checks that say whether a manifest can be used for the evaluation.
USABLE = {"headroom", "headroom.baseline", "headroom.baseline_works", "headroom.power"}
LEVELS = {"noise": "dB SNR", "telephone": "Hz upper edge", "reverb": "ms RT60", "speed": "% tempo"}
BAR = 20  # characters for a WER of 100 %


def headroom(study: Study) -> str:
    """Baseline scores of every evaluation manifest, the sources of its errors, and harder versions."""
    verdict = study.verdict.value
    rows, notes = [], []
    for manifest in study.evaluations:
        found = study.wer("base", manifest)
        facts = found.value
        if not found.known or facts is None or facts.within is None:
            rows.append([code(manifest), study.role(manifest), *[UNKNOWN] * (len(COLUMNS) - 2)])
            notes.append(f"- The baseline WER of {code(manifest)} is {found.unknown}.")
            continue
        rows.append(_row(study, verdict, manifest, facts, facts.within))
    if not rows:
        return "## D2 · Headroom\n\nNo manifest for evaluation is configured."
    parts = [
        "## D2 · Headroom",
        table(COLUMNS, rows, numbers=range(2, 10)),
        "\n".join(notes),
        _legend(study),
        "![Word error rate of baseline and runs per manifest](plots/wer.png)",
        _hardened(study),
        error_sources(study),
    ]
    return "\n\n".join(part for part in parts if part)


def _legend(study: Study) -> str:
    sentences = [
        "Rows, words and error rates count the rows within `max_seconds` unless the column says *all rows*.",
        "*WER* counts words, *CER* characters, *MER* (mixed) the characters of scripts without spaces and the words of "
        "others.",
        "*Raw* compares the texts as written, with case and punctuation. The CER column counts characters and spaces.",
    ]
    minimum = study.setting("headroom", "min_wer")
    if isinstance(minimum, int | float):
        sentences.append(f"A manifest has headroom if its baseline WER is above {configured_percent(minimum)}.")
    shared = study.setting("statistics", "assumed_shared_errors")
    if isinstance(shared, int | float):
        sentences.append(
            "*Smallest detectable change*: with 80 % power in a two-sided test, by the observed differences of the "
            "gate run. Before a run, or where too few utterances changed, it is predicted from the baseline's errors "
            f"on the assumption that two runs share {configured_percent(shared)} of them."
        )
    return " ".join(sentences)


def _row(study: Study, verdict: Verdict | None, manifest: str, facts: WerFacts, score: WerScore) -> list[str]:
    power = _power(study, manifest, facts)
    detectable = points(smallest_change(study, manifest))
    if power and power.utterances_needed > power.utterances:
        detectable += f" ({_size_needed(power)} for {configured_points(power.target_gain)})"
    interval = percent_range(score.interval.low, score.interval.high)
    return [
        code(manifest),
        study.role(manifest),
        f"{score.utterances:,}",
        f"{score.words:,}",
        f"{rate_name(facts.unit)} {percent(score.wer)}",
        text(f"{interval}{caveat(score.interval)}{why_none(score.interval)}"),
        percent(facts.all.wer if facts.all else None),
        percent(facts.raw.wer if facts.raw else None),
        f"{percent(score.cer)} ({percent(facts.raw.cer if facts.raw else None)})",
        detectable,
        status(verdict, manifest),
    ]


def _power(study: Study, manifest: str, facts: WerFacts) -> Power | None:
    """By the observed spread of the gate run where that is known, else predicted from the baseline."""
    run = study.verdict.value.gate_run if study.verdict.value else None
    paired = study.paired(run, manifest).value if run is not None else None
    observed = paired.within.power if paired and paired.within else None
    is_used = observed is not None and observed.detectable_difference == smallest_change(study, manifest)
    return observed if is_used else facts.power


def baselines(study: Study) -> str:
    """The columns that decide, for the plan document: role, rows, WER with interval, smallest change, status."""
    rows = []
    for manifest in study.evaluations:
        facts = study.wer("base", manifest).value
        score = facts.within if facts else None
        found = [UNKNOWN, UNKNOWN]
        if facts is not None and score is not None:
            found = [f"{score.utterances:,}", text(f"{rate_name(facts.unit)} {rate(score.wer, score.interval)}")]
        shown = points(smallest_change(study, manifest))
        rows.append([code(manifest), study.role(manifest), *found, shown, status(study.verdict.value, manifest)])
    headers = ["manifest", "role", "rows", "baseline", "smallest change that would show", "status"]
    return table(headers, rows, numbers=[2]) if rows else "No manifest for evaluation is configured."


def _size_needed(power: Power) -> str:
    """`1,210 rows, 1.7 h, 31 speakers`: the size of a set of the same kind that can show the target gain."""
    if power.out_of_reach:
        return f"more than {MOST_TIMES} times its rows"
    parts = [count(power.utterances_needed, "row")]
    if power.hours_needed is not None:
        parts.append(hours(power.hours_needed))
    if power.speakers_needed is not None:
        parts.append(count(power.speakers_needed, "speaker"))
    return ", ".join(parts)


def status(verdict: Verdict | None, manifest: str) -> str:
    """The causes that concern the baseline on this manifest; without any, the result of its checks."""
    if verdict is None:
        return UNKNOWN
    codes = [cause.code for cause in verdict.causes if cause.manifest == manifest and cause.run in {None, "base"}]
    causes = [STATUS[name] for name in codes if name in STATUS]
    if causes:
        return ", ".join(dict.fromkeys(causes))
    statuses = {check.status for check in verdict.checks if check.manifest == manifest and check.id in USABLE}
    usable = {"fail": "not usable", "unknown": UNKNOWN, "warn": "usable, with a warning", "pass": "usable"}
    return next((label for status, label in usable.items() if status in statuses), "not checked")


def _hardened(study: Study) -> str:
    """The WER of graded distortions of a saturated manifest, and how to use the proposed one."""
    if not study.has_model or study.setting("headroom", "harden") is False:
        return "Harder versions of a saturated manifest were not requested."
    facts = study.hardened.value
    if facts is None:
        return f"The results of harder versions are {study.hardened.unknown}."
    if facts.status == "not_needed":
        return "No manifest needed a harder version."
    rows = [_version(version, version == facts.proposal) for version in facts.versions]
    headers = ["distortion", "level", "rows", "baseline WER", "interval", "WER as a bar", ""]
    cost = "" if facts.hours is None else f" This took {hours(facts.hours)} of speech to decode."
    parts = [
        f"#### Harder versions of {code(facts.manifest or UNKNOWN)}",
        "No domain manifest has headroom, so the baseline was measured on graded distortions of this one "
        f"(WER {percent(facts.wer)} without distortion).{cost}",
        table(headers, rows, numbers=[1, 2, 3, 4]),
        _proposal(study, facts),
    ]
    return "\n\n".join(parts)


def _version(version: HardenedVersion, proposed: bool) -> list[str]:
    return [
        text(version.distortion),
        f"{number(version.level, 5)} {LEVELS.get(version.distortion, '')}".strip(),
        f"{version.utterances:,}",
        percent(version.wer),
        percent_range(version.ci_low, version.ci_high),
        "█" * round(BAR * min(version.wer or 0.0, 1.0)),
        "**proposed**" if proposed else "",
    ]


def _proposal(study: Study, facts: HardenedFacts) -> str:
    name = facts.proposed
    if name is None:
        return "No version is proposed: none has headroom and is still intelligible to the model."
    manifests = study.setting("manifests") or {}
    roles = {role: names or [] for role, names in (study.setting("roles") or {}).items()}
    return "\n\n".join(
        [
            f"The proposed version is {code(name)}, the mildest one with headroom. Prefer harder recordings if you can "
            "get them: a distortion shows where the model has room to improve, not what the target domain needs. Run "
            "this command in the study's folder. It writes the version into a new folder and leaves your data as "
            "it is.",
            f"```bash\n{write_command(name)}\n```",
            "Then replace `manifests` and `roles` in `config.yaml` by these lines, and run the diagnosis again.",
            f"```yaml\n{config_lines(manifests, roles, name, proposed_manifest(name))}\n```",
        ]
    )
