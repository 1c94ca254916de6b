"""Reported situations, replayed with a real Whisper on real speech; none without the folder of model and recordings.

They are the planted faults of `make wild` that have a public report.
"""

from __future__ import annotations

import functools
from pathlib import Path

from cases import Case
from computed_studies import computed
from field_cases import Expected, field_case
from real_plants import REAL
from small_study import Study
from wild_studies import WILD, small_accented_study

from lora.diagnosis.causes import CAUSES


def replay(case: Case, folder: Path) -> Study:
    study = computed(small_accented_study).copy(folder / "study")
    return case.plant(study) or study


for case in REAL:
    if case.source and WILD.is_dir():
        blocks = CAUSES[case.first].severity == "blocks"
        field_case(
            name=case.name,
            area="real model",
            situation="Whisper tiny.en on accented English",
            source=case.source,
            command="study",
            # The corpus has no full stops, which warns; what only warns as well may come after it.
            expected=Expected(first=case.first) if blocks else Expected(causes=(case.first,)),
        )(functools.partial(replay, case))
