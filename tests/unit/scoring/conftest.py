"""Scored utterances that tests write down as numbers."""

from collections.abc import Callable, Sequence

import pytest

from lora.records import UtteranceErrors


@pytest.fixture
def scored() -> Callable[..., list[UtteranceErrors]]:
    """Utterances u00, u01, ... with these errors (all substitutions) and words; speakers None or given."""

    def build(errors: Sequence[int], words: Sequence[int], speakers: Sequence[str | None] | None = None):
        return [
            UtteranceErrors(
                id=f"u{i:02}",
                duration=1.0,
                speaker_id=speakers[i] if speakers else None,
                words=w,
                hits=max(0, w - e),
                substitutions=min(e, w),
                deletions=0,
                insertions=max(0, e - w),
            )
            for i, (e, w) in enumerate(zip(errors, words, strict=True))
        ]

    return build
