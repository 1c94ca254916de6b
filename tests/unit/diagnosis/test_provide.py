"""Every unknown check says what to provide; imported hypotheses are all accounted for."""

from __future__ import annotations

import re
import shutil

import pytest
from healthy import HealthyStudy, check_of

ASKS = re.compile(r"\b([Nn]ame|[Pp]rovide|[Bb]ring|[Ww]rite|[Aa]dd|[Mm]end|[Gg]ive|[Tt]rain|Fix|Raise) ")


@pytest.mark.parametrize("without", ["", "model", "train"])
@pytest.mark.parametrize("kind", ["train", "adapter", "checkpoint", "hypotheses"])
def test_every_unknown_check_says_what_to_provide(study: HealthyStudy, without: str, kind: str) -> None:
    study.config["candidates"] = {}
    study.add_run("other", kind)
    if without:
        study.config["model"] = None
        study.config["candidates"] = {"other": {"hypotheses": {"domain": "x.trn"}}}
    if without == "train":
        del study.config["manifests"]["train"]
    study.files = {}  # nothing was computed, so that nothing is known
    shutil.rmtree(study.results)
    unknown = [c for c in study.verdict().checks if c.status == "unknown"]
    assert {"data_sufficiency", "headroom", "adapter_change", "parity"} <= {c.id for c in unknown}
    assert [c.id for c in unknown if "missing" not in c.details] == []
    assert [c.summary for c in unknown if not ASKS.search(c.summary)] == []


def test_without_a_candidate_one_is_asked_for(study: HealthyStudy) -> None:
    study.config["candidates"] = {}
    verdict = study.verdict()
    assert check_of(verdict, "adapter_change").summary.endswith("Add a candidate to `candidates`.")
    assert check_of(verdict, "parity").summary.endswith("Add a candidate to `candidates`.")


ACCOUNT = {"run": "theirs", "manifest": "domain", "source": "x.trn", "format": "trn", "hypotheses": 200, "rows": 200}


def test_brought_hypotheses_are_accounted_for(study: HealthyStudy) -> None:
    study.add_run("theirs", "hypotheses")
    account = "transcripts/theirs/domain.import.json"
    study.files[account] = ACCOUNT | {"matched": {"id": 150, "file name without case": 50}}
    check = check_of(study.verdict(), "parity.ids")
    assert (check.status, check.value) == ("pass", 200)
    assert "150 by id and 50 by the name of its audio file without regard to case." in check.summary
    study.change(
        account, {"matched": {"id": 198}, "unmatched": ["x"], "ambiguous": ["y"], "notes": ["3 words left out"]}
    )
    check = check_of(study.verdict(), "parity.ids")
    assert check.status == "warn"
    for words in ("that fit no row: 1, first x", "share one with another: 1, first y", "3 words left out"):
        assert words in check.summary


def test_brought_transcripts_that_were_decoded_otherwise_are_to_be_made_again(study: HealthyStudy) -> None:
    study.add_run("theirs", "hypotheses")
    study.change("transcripts/theirs/domain.settings.json", {"decode": {"num_beams": 7}})
    (differs,) = [c for c in study.verdict().causes if c.code == "parity.decode"]
    assert differs.remedy == "Transcribe base or theirs again, with the settings of the other."
