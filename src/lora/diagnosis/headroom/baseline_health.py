"""Names of judges that are not converted yet; removed with `transitional`."""

from __future__ import annotations

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.headroom.baseline import broken_signs as broken_reason
from lora.diagnosis.headroom.baseline import tuned_signs
from lora.diagnosis.wording.headroom import broken_hypotheses


def tuned_texts(facts: StudyFacts, run: str, manifest: str) -> str | None:
    return broken_hypotheses(tuned_signs(facts, run, manifest)) or None


__all__ = ["broken_reason", "tuned_texts"]
