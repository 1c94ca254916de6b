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


def replay(case: Case, folder: Path) -> Study:
    study = computed(small_accented_study).copy(folder / "study")
    return case.plant(study) or study


for case in REAL:
    if case.source and WILD.is_dir():
        field_case(
            name=case.name,
            area="real model",
            situation="Whisper tiny.en on accented English",
            source=case.source,
            command="study",
            # That the corpus has no full stops warns in every replay, and may come first where the fault only warns.
            expected=Expected(causes=(case.first,)),
        )(functools.partial(replay, case))
