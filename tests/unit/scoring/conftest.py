"""Scored utterances from plain numbers."""

from collections.abc import Callable, Sequence

import pytest

from lora.records.scores import Edit, UtteranceErrors


@pytest.fixture
def scored() -> Callable[..., list[UtteranceErrors]]:
    """Utterances u00, u01, ... with these errors and words; speakers None or given.

    The first words are substituted, errors beyond the last word are insertions behind it.
    """

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
                edits=[Edit(at, f"w{at}", "x") if at < w else Edit(w, None, "x") for at in range(e)],
            )
            for i, (e, w) in enumerate(zip(errors, words, strict=True))
        ]

    return build
