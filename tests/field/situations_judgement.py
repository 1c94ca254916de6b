"""Which manifest a study is judged on, and what is named first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from computed_studies import computed
from field_cases import Expected, field_case
from small_study import Study, make_study


def small_study(folder: Path, changes: dict[str, Any] | None = None) -> Study:
    """A copy of the small embedded study with other settings."""
    study = computed(make_study).copy(folder / "study")
    study.configure(changes or {})
    return study


@field_case(
    name="domain durations in milliseconds",
    area="data",
    situation="all durations of the domain manifest in milliseconds, next to a set of three rows",
    source="embedded study",
    command="study",
    expected=Expected(first="data.wrong_durations", ready=False),
)
def milliseconds(folder: Path) -> Study:
    study = small_study(folder)
    study.write_rows("domain", [{**row, "duration": 1000 * row["duration"]} for row in study.rows("domain")])
    return study


@field_case(
    name="four training speakers",
    area="data",
    situation="a split by speaker takes a quarter of the rows where a tenth was asked, and leaves too few",
    source="embedded study",
    command="study",
    expected=Expected(
        first="data.too_few_samples",
        says=("`split.by_speaker: false`", "asks for 10"),
        silent_on=("0.0 hours",),
        ready=False,
    ),
)
def four_speakers(folder: Path) -> Study:
    study = small_study(folder, {"durations": {"thresholds": [60], "min_train_samples": 40}})
    rows = [{**row, "speaker_id": f"s{n % 4}"} for n, row in enumerate(study.rows("train"))]
    study.write_rows("train", rows)
    return study
