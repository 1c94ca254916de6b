"""The score of a run: texts that the normaliser leaves as they are, and ids that do not match."""

from __future__ import annotations

from lora.records.manifests import Utterance
from lora.records.scores import WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.corpus_wer import wer_score
from lora.scoring.normalizers import normalizer
from lora.stages.run_score import Statistics, run_score

REFERENCES = ["the ferry was late", "The ferry was late.", "it crossed  twice", "at noon"]
HYPOTHESES = ["the fairy was late", "the ferry was late", "it crossed twice", "At noon"]
ROWS = [Utterance(id=f"r{n}", text=text, duration=2.0) for n, text in enumerate(REFERENCES)]
TEXTS = {
    f"r{n}": Transcript(id=f"r{n}", reference="", hypothesis=text, duration=2.0, truncated=False)
    for n, text in enumerate(HYPOTHESES)
}
EMPTY = WerFacts(run="base", manifest="domain", normalizer=normalizer("basic").identity, max_seconds=None)
STATISTICS = Statistics(confidence=0.95, replicates=0, assumed_shared_errors=0.8, target_gain=0.01)


def test_the_raw_score_is_that_of_the_texts_as_written() -> None:
    facts = run_score(EMPTY, ROWS, TEXTS, STATISTICS)
    assert facts.raw == wer_score(utterance_errors(ROWS, TEXTS, normalizer("none")), TEXTS, 0.95, 0)
    assert facts.within is not None
    assert facts.raw is not None
    assert (facts.within.errors, facts.raw.errors) == (1, 4)


def test_ids_that_only_one_side_has_make_the_score_impossible() -> None:
    facts = run_score(EMPTY, [*ROWS[1:], Utterance(id="other", text="a", duration=1.0)], TEXTS, STATISTICS)
    assert (facts.status, facts.code) == ("impossible", "parity.manifest")
    assert "first other" in str(facts.message)
    assert "first r0" in str(facts.message)
