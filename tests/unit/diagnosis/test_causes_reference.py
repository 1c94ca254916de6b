"""The table of causes, and the schema generated from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from healthy import complete_config
from jsonschema import Draft202012Validator, ValidationError

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.generated_docs import verdict_schema

# Settings of training that a remedy of data or headroom must not touch.
HYPERPARAMETERS = re.compile(r"learning rate|\brank\b|alpha|dropout|warm-up|\bsteps?\b|weight decay|batch")


def test_a_cause_above_its_severity_breaks_the_schema() -> None:
    validator = Draft202012Validator(verdict_schema())
    cause = {"run": None, "manifest": None, "because": "b", "remedy": "r", "evidence": []}
    verdict = {"ready_for_sweep": True, "max_seconds": None, "eval_manifest": None, "gate_run": None}
    verdict |= {"checks": [], "runs": []}
    for code, kind in CAUSES.items():
        validator.validate({**verdict, "causes": [{**cause, "code": code, "severity": kind.severity}]})
    with pytest.raises(ValidationError):
        validator.validate({**verdict, "causes": [{**cause, "code": "adapter.forgets", "severity": "blocks"}]})
    with pytest.raises(ValidationError):
        validator.validate({**verdict, "causes": [{**cause, "code": "adapter.unknown_code", "severity": "warns"}]})


@pytest.mark.parametrize("code", [c for c in CAUSES if c.startswith(("data.", "headroom."))])
def test_remedies_of_data_and_headroom_name_no_hyperparameter(code: str) -> None:
    assert not HYPERPARAMETERS.search(CAUSES[code].remedy)


def test_meanings_and_remedies_are_sentences() -> None:
    for kind in CAUSES.values():
        assert kind.meaning.endswith(".")
        assert kind.remedy.endswith(".")
        assert not kind.title.endswith(".")


def test_every_code_is_raised_somewhere_and_no_other(repository: Path) -> None:
    text = sources(repository, "diagnosis", leave_out="causes.py")
    raised = {code for code in CAUSES if f'"{code}"' in text}
    assert CAUSES.keys() == raised


def test_every_code_that_facts_carry_is_in_the_table(repository: Path) -> None:
    text = "".join(sources(repository, package) for package in ("asr", "data", "scoring", "runners"))
    carried = set(re.findall(r'"((?:data|headroom|labels|training|adapter|parity)\.[a-z_]+)"', text)) - {"labels.json"}
    settings = {
        f"{section}.{key}" for section, keys in complete_config().items() if isinstance(keys, dict) for key in keys
    }
    assert carried & set(CAUSES)
    assert carried - settings <= set(CAUSES)


def sources(repository: Path, package: str, leave_out: str = "") -> str:
    paths = sorted((repository / "src" / "lora" / package).rglob("*.py"))
    return "".join(path.read_text(encoding="utf-8") for path in paths if path.name != leave_out)
