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
