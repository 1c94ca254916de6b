"""Messages about ids that two sides do not share."""

import pytest

from lora.scoring.transcripts import ids_message


@pytest.mark.parametrize(
    ("missing", "extra", "message"),
    [
        (["a"], [], "the transcripts lack 1 utterance of the manifest, first a"),
        (["a", "b"], [], "the transcripts lack 2 utterances of the manifest, first a"),
        ([], ["c"], "the transcripts have 1 utterance that the manifest does not have, first c"),
    ],
)
def test_message_in_singular_and_plural(missing: list[str], extra: list[str], message: str) -> None:
    assert ids_message(missing, extra, "the transcripts", "the manifest") == message
