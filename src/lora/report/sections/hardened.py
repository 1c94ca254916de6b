"""Harder versions of a saturated manifest: the curve, what it cost, and how the proposed one becomes a manifest."""

from __future__ import annotations

from lora.diagnosis.headroom.hardening import config_lines, proposed_manifest, write_command
from lora.formatting import UNKNOWN, hours, number, percent, percent_range
from lora.records.tuning import HardenedFacts, HardenedVersion
from lora.report.markdown import code, table, text
from lora.report.study import Study

# Unit of a distortion's level, and what the level is.
LEVELS = {"noise": "dB SNR", "telephone": "Hz upper edge", "reverb": "ms RT60", "speed": "% tempo"}
BAR = 20  # characters that stand for a WER of 1


def hardened(study: Study) -> str:
    if not study.has_model or study.setting("headroom", "harden") is False:
        return "Harder versions of a saturated manifest were not asked for."
    facts = study.hardened.value
    if facts is None:
        return f"Hardened versions of the evaluation are {study.hardened.unknown}."
    if facts.status == "not_needed":
        return "No manifest had to be made harder."
    rows = [_row(version, version == facts.proposal) for version in facts.versions]
    headers = ["distortion", "level", "rows", "baseline WER", "interval", "curve", ""]
    cost = "" if facts.hours is None else f" It cost {hours(facts.hours)} of speech to decode."
    parts = [
        f"### Hardened versions of {code(facts.manifest or UNKNOWN)}",
        "No domain manifest has headroom, so the baseline was measured on graded distortions of this one "
        f"(WER {percent(facts.wer)} as it is).{cost}",
        table(headers, rows, numbers=[1, 2, 3, 4]),
        _proposal(study, facts),
    ]
    return "\n\n".join(parts)


def _row(version: HardenedVersion, proposed: bool) -> list[str]:
    bar = "█" * round(BAR * min(version.wer or 0.0, 1.0))
    return [
        text(version.distortion),
        f"{number(version.level, 5)} {LEVELS.get(version.distortion, '')}".strip(),
        f"{version.utterances:,}",
        percent(version.wer),
        percent_range(version.ci_low, version.ci_high),
        bar,
        "**proposed**" if proposed else "",
    ]


def _proposal(study: Study, facts: HardenedFacts) -> str:
    name = facts.proposed
    if name is None:
        return "None of them is proposed: none leaves room for a gain and is still understood."
    manifests = study.setting("manifests") or {}
    roles = {role: names or [] for role, names in (study.setting("roles") or {}).items()}
    return "\n\n".join(
        [
            f"Proposed is {code(name)}, the mildest that has headroom. Harder recordings are better where they can be "
            "had: a distortion tells where the model has room, not what the target domain needs. Typed in the "
            "study's folder, this command writes the version into a folder of its own; the given data stays as it is.",
            f"```bash\n{write_command(name)}\n```",
            "Then put these lines in the place of `manifests` and `roles` in `config.yaml`, and diagnose again.",
            f"```yaml\n{config_lines(manifests, roles, name, proposed_manifest(name))}\n```",
        ]
    )
