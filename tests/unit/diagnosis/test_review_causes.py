"""What listeners found: outcomes that wrong references change, headroom that is only wrong references, suspicion."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval, merged, paired, score
from test_reachable_causes import suspect

from lora.data.tables import write_table
from lora.records.reviews import RejectedJudgement

CODE = "headroom.wrong_references"
PATH = "reviews/domain.json"


def scores(corrected: float, outcome: str = "better") -> list[dict[str, Any]]:
    """The healthy domain as given (900 errors in 2,400 words), and with the corrected number of errors."""
    comparison = paired("lora", "domain")["within"]
    given = {"baseline": score(200, 2400, 900, 0.33, 0.42), "runs": {"lora": comparison}}
    other = {
        "baseline": score(198, 2400, round(corrected * 2400), 0.0, 1.0),
        "runs": {"lora": {**comparison, "outcome": outcome, "delta": -0.01}},
    }
    return [
        {"references": references, "usable_audio": False, **numbers}
        for references, numbers in (("given", given), ("without_wrong", other), ("corrected", other))
    ]


def counts(right: int, wrong: int) -> dict[str, Any]:
    return {"judged": right + wrong, "reference_right": right, "reference_wrong": wrong, "corrected": wrong}


def noise(right: int, wrong: int, wer: float, reference_wer: float) -> dict[str, Any]:
    rows = right + wrong
    return {
        "counts": counts(right, wrong), "rows": rows, "share": wrong / rows, "interval": interval(0.01, 0.4),
        "words": 1000, "errors": round(1000 * wer), "reference_errors": round(1000 * reference_wer), "wer": wer,
        "reference_wer": reference_wer, "reference_interval": interval(0.0, 0.1),
    }  # fmt: skip


def add_review(study: HealthyStudy, **changes: Any) -> None:
    """Listeners found 2 of 30 references wrong, which changes little."""
    study.configure({"reviews": ["reviews/anna.tsv"]})
    study.files[PATH] = merged(
        {
            "manifest": "domain",
            "max_seconds": 10.0,
            "rows": 200,
            "counts": counts(28, 2),
            "noise": noise(18, 2, 0.37, 0.01),
            "errors": {"errors": 900, "in_wrong_rows": 9, "caused": 5, "uncorrected": 0},
            "changes": [{"run": "lora", "worse": 20, "worse_judged": 3, "better": 60, "better_judged": 10}],
            "scores": scores(0.372),
        },
        changes,
    )


def test_without_reviews_nothing_is_asked(study: HealthyStudy) -> None:
    add_review(study)
    study.configure({"reviews": []})
    assert not [c for c in study.verdict().checks if c.id in {"headroom.reviews", "headroom.judgements"}]


def test_few_wrong_references_change_nothing(study: HealthyStudy) -> None:
    add_review(study)
    verdict = study.verdict()
    check = check_of(verdict, "headroom.reviews", manifest="domain")
    assert (check.status, check.reason, check.value) == ("pass", "ok", 0.1)
    assert check.evidence == ["results/reviews/domain.json"]
    assert check.details["wer"] == {"given": 0.375, "corrected": pytest.approx(0.372, abs=1e-3)}
    assert check.details["one_sided"] is None
    assert CODE not in codes(verdict)
    assert verdict.ready_for_sweep is True


def test_an_outcome_that_wrong_references_change_warns(study: HealthyStudy) -> None:
    add_review(study, scores=scores(0.30, "underpowered"))
    verdict = study.verdict()
    cause = cause_of(verdict, CODE)
    assert (cause.severity, cause.reason, cause.run, cause.manifest) == ("warns", "outcome_changes", "base", "domain")
    assert (cause.details["given"]["outcome"], cause.details["corrected"]["outcome"]) == ("better", "underpowered")
    assert "write-corrected --results results --manifest domain --output data/domain-corrected" in cause.remedy
    assert verdict.ready_for_sweep is True


def test_corrections_of_one_side_are_named(study: HealthyStudy) -> None:
    changes = [{"run": "lora", "worse": 20, "worse_judged": 18, "better": 60, "better_judged": 2}]
    add_review(study, scores=scores(0.30, "underpowered"), changes=changes, counts=counts(26, 4))
    cause = cause_of(study.verdict(), CODE)
    assert cause.details["one_sided"] == changes[0]
    assert "18 of 20 rows that got worse were judged and 2 of 60 that got better" in cause.because
    assert cause.remedy.startswith("First judge the rows that got better")


def test_headroom_of_wrong_references_warns_before_the_suspicion_of_them(study: HealthyStudy) -> None:
    add_review(study, scores=scores(0.03))
    suspect(study, 12)
    verdict = study.verdict()
    assert cause_of(verdict, CODE).reason == "no_headroom"
    assert codes(verdict).index(CODE) < codes(verdict).index("headroom.reference_noise")
    assert check_of(verdict, "headroom.reviews", manifest="domain").details["floor"] == 0.05


@pytest.mark.parametrize(("wrong", "reference_wer", "warned"), [(6, 0.2, True), (6, 0.15, False), (2, 0.2, False)])
def test_noise_above_what_is_left_to_gain_warns(
    study: HealthyStudy, wrong: int, reference_wer: float, warned: bool
) -> None:
    add_review(study, noise=noise(20, wrong, 0.37, reference_wer))
    verdict = study.verdict()
    assert (CODE in codes(verdict)) is warned
    assert check_of(verdict, "headroom.reviews").reason == ("mostly_references" if warned else "ok")


def test_general_manifests_have_no_headroom_to_lose(study: HealthyStudy) -> None:
    add_review(study, noise=noise(20, 6, 0.37, 0.3), scores=scores(0.03))
    study.files["reviews/heldout.json"] = {**study.files.pop(PATH), "manifest": "heldout"}
    verdict = study.verdict()
    assert check_of(verdict, "headroom.reviews", manifest="heldout").status == "pass"
    assert CODE not in codes(verdict)


def test_a_manifest_that_nobody_judged_is_not_asked(study: HealthyStudy) -> None:
    add_review(study, counts=counts(0, 0), noise=None)
    assert not [c for c in study.verdict().checks if c.id == "headroom.reviews"]


def test_scores_that_could_not_be_computed_are_unknown(study: HealthyStudy) -> None:
    add_review(study, status="impossible", code="parity.manifest", message="other rows", scores=[])
    assert check_of(study.verdict(), "headroom.reviews").status == "unknown"


@pytest.mark.parametrize(
    ("refuted", "confirmed", "reason"), [(9, 3, "suspected"), (10, 0, "refuted"), (0, 0, "suspected")]
)
def test_listeners_refute_suspected_references(study: HealthyStudy, refuted: int, confirmed: int, reason: str) -> None:
    study.configure({"headroom": {"max_reference_errors": 0.01}})
    answered = refuted + confirmed
    precision = confirmed / answered if answered else None
    suspicion = {
        "suspected": 12,
        "confirmed": confirmed,
        "refuted": refuted,
        "precision": precision,
        "interval": interval(0.0, 1.0),
    }
    add_review(study, suspicion=suspicion)
    suspect(study, 12)
    verdict = study.verdict()
    check = check_of(verdict, "headroom.references", manifest="domain")
    assert check.reason == reason
    assert ("headroom.reference_noise" in codes(verdict)) is (reason == "suspected")
    assert check.details["judged"] == ({"confirmed": confirmed, "refuted": refuted} if answered else None)


def test_lines_that_cannot_be_used_warn(study: HealthyStudy) -> None:
    add_review(study)
    assert check_of(study.verdict(), "headroom.judgements").status == "pass"
    row = {"file": "reviews/anna.tsv", "line": 7, "manifest": "domain", "id": "x", "reason": "id is 'x'. Correct it."}
    write_table(study.results / "reviews/rejected.tsv", tuple(RejectedJudgement.model_fields), [row])
    check = check_of(study.verdict(), "headroom.judgements")
    assert (check.status, check.value) == ("warn", 1)
    assert check.details["first"] == [{key: row[key] for key in ("file", "line", "reason")}]
    assert check.summary == (
        "1 line of 1 review file cannot be used; the first is reviews/anna.tsv:7: id is 'x'. Correct it."
    )
