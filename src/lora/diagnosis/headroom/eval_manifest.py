"""Which domain manifest a study is judged on. Computed from the baseline alone: no candidate influences the choice."""

from __future__ import annotations

from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.headroom.baseline import baseline, broken_signs, has_headroom
from lora.diagnosis.headroom.power import could_show_target, foreseen, foreseen_power


def choose_eval_manifest(facts: StudyFacts) -> str | None:
    """The domain manifest that the study is judged on; None where none has headroom.

    It is the manifest with headroom that could show the smallest difference (ties by name). A fault that keeps a larger
    manifest from being judged does not move the choice to one that could not show the target gain: then the larger one
    is meant, and its fault blocks instead of being lowered to a warning.
    """
    above = sorted(
        (m for m in facts.config.domain if has_headroom(facts, m)),
        key=lambda m: (_is_broken(facts, m), foreseen(foreseen_power(facts, m)), m),
    )
    if not above or _is_broken(facts, above[0]) or could_show_target(facts, above[0]):
        return above[0] if above else None
    faulty = [m for m in facts.config.domain if _is_broken(facts, m) or _lost_its_score(facts, m)]
    return max([above[0], *faulty], key=lambda m: _rows(facts, m))


def _is_broken(facts: StudyFacts, manifest: str) -> bool:
    """Whether the baseline is broken on a manifest. Mismatched transcripts explain that, and are to be fixed."""
    return bool(broken_signs(facts, manifest)) and not has_many_mismatches(facts, manifest)


def _lost_its_score(facts: StudyFacts, manifest: str) -> bool:
    """Whether a manifest has rows but no WER: none within the limit, no reference with words, or not scored."""
    return _rows(facts, manifest) > 0 and baseline(facts, manifest) is None


def _rows(facts: StudyFacts, manifest: str) -> int:
    """Rows that a manifest has, whatever became of them."""
    return facts.rows.get(manifest, 0) + len(facts.rejected.get(manifest, []))
