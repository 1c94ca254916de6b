"""Scoring two runs and comparing them with a paired bootstrap, against kaldialign and jiwer on the same texts.

Ours makes more than the two it is held against: word edits, hits and kinds of errors, character errors, MAPSSWE and the
linearised interval in addition to the bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from measuring import Figure, Goal, Plan, Result, cost_of, line, script

from lora.records.base import write_lines
from lora.records.manifests import Utterance
from lora.records.scores import UtteranceErrors, WerScore
from lora.records.transcripts import Transcript

TITLE = "Scores and paired bootstrap"
MINUTES = 2
SIZES = {False: (1_000, 20_000, 100_000), True: (100, 200)}
COMPARED = {False: 20_000, True: 200}
PAIRS = {False: 7, True: 2}
REPLICATES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Texts:
    """References and the hypotheses of two systems, as words."""

    references: list[list[str]]
    baseline: list[list[str]]
    tuned: list[list[str]]


def run(plan: Plan) -> Result:
    import jiwer
    import kaldialign

    from lora.scoring.alignment import utterance_errors
    from lora.scoring.normalizers import normalizer
    from lora.scoring.paired import paired_score

    count, pairs = COMPARED[plan.quick], PAIRS[plan.quick]
    texts = made_up(count)
    rows = utterances(texts)
    baseline, tuned = transcripts(rows, texts.baseline), transcripts(rows, texts.tuned)
    references, hypotheses = ([" ".join(words) for words in side] for side in (texts.references, texts.baseline))

    def scored(side: dict[str, Transcript]) -> list[UtteranceErrors]:
        return utterance_errors(rows, side, normalizer("none"))

    def compare(before: list[UtteranceErrors], after: list[UtteranceErrors]) -> object:
        return paired_score(before, after, count, 0.005, CONFIDENCE, REPLICATES)

    def theirs() -> dict[str, dict[str, float]]:
        return kaldialign.bootstrap_wer_ci(texts.references, texts.baseline, texts.tuned, replications=REPLICATES)

    before, after = scored(baseline), scored(tuned)
    name, bootstrap = f"{count:,} utterances", f"kaldialign.bootstrap_wer_ci, {REPLICATES:,} replicates"
    result = Result(
        config={"utterances": count, "replicates": REPLICATES, "pairs": pairs, "word_errors": "11 and 12 %"}
    )
    result.lines = [
        line(
            f"{name}: score two runs, then compare",
            lambda: compare(scored(baseline), scored(tuned)),
            bootstrap,
            theirs,
            Goal(5),
            pairs,
        ),
        line(f"{name}: compare two scored runs", lambda: compare(before, after), bootstrap, theirs, Goal(5), pairs),
        line(
            f"{name}: align one run",
            lambda: scored(baseline),
            "jiwer.process_words",
            lambda: jiwer.process_words(references, hypotheses),
            Goal(1),
            pairs,
        ),
    ]
    result.remarks.append(
        "The first line also normalises and aligns both runs and records every word edit, which a verdict is explained "
        "with."
    )
    result.figures = [*same_intervals(before, baseline, after, tuned, theirs()), *growth(plan)]
    return result


def same_intervals(
    before: list[UtteranceErrors],
    baseline: dict[str, Transcript],
    after: list[UtteranceErrors],
    tuned: dict[str, Transcript],
    theirs: dict[str, dict[str, float]],
) -> list[Figure]:
    """The 95 % intervals of both: theirs is mean and 1.96 deviations of the replicates, ours their percentiles."""
    from lora.scoring.corpus_wer import wer_score

    figures = []
    for system, scored, side in (("system1", before, baseline), ("system2", after, tuned)):
        ours: WerScore = wer_score(scored, side, CONFIDENCE, REPLICATES)
        low, high = theirs[system]["ci95min"], theirs[system]["ci95max"]
        bounds = ours.bootstrap
        assert bounds is not None
        assert bounds.low is not None
        assert bounds.high is not None
        apart = max(abs(bounds.low - low), abs(bounds.high - high)) / (high - low)
        ends = f"{100 * bounds.low:.3f} to {100 * bounds.high:.3f} %, theirs {100 * low:.3f} to {100 * high:.3f} %"
        figures.append(
            Figure(
                f"bootstrap interval of {system}", f"{ends}: ends {100 * apart:.1f} % of a width apart", "at most 5 %"
            )
        )
    return figures


def growth(plan: Plan) -> list[Figure]:
    """What the command score_run costs over numbers of utterances."""
    figures = []
    for count in SIZES[plan.quick]:
        texts = made_up(count)
        rows = utterances(texts)
        write_lines(plan.folder / "rows.jsonl", rows)
        write_lines(plan.folder / "transcripts.jsonl", transcripts(rows, texts.baseline).values())
        arguments = {
            "run": "base", "manifest-name": "m", "rows": plan.folder / "rows.jsonl",
            "transcripts": plan.folder / "transcripts.jsonl", "max-seconds": "none", "normalizer": "basic",
            "confidence": CONFIDENCE, "replicates": REPLICATES, "assumed-shared-errors": 0.8, "target-gain": 0.01,
            "wer": plan.folder / "wer.json",
        }  # fmt: skip
        flags = [part for key, value in arguments.items() for part in (f"--{key}", value)]
        cost = cost_of(script("score_run", *flags))
        measured = f"{cost.seconds:.2f} s, peak {cost.peak_mb:.0f} MB"
        figures.append(Figure(f"whole command `score_run`, {count:,} utterances", measured))
    return figures


def made_up(count: int) -> Texts:
    """References of 5 to 34 words and two systems that err on 12 and 11 % of them, one error in two shared."""
    draw = np.random.default_rng(3)
    references = [[f"word{n}" for n in draw.integers(0, 3000, draw.integers(5, 35)).tolist()] for _ in range(count)]
    shared = [spoilt(words, 0.06, draw) for words in references]
    return Texts(
        references, [spoilt(words, 0.06, draw) for words in shared], [spoilt(words, 0.05, draw) for words in shared]
    )


def spoilt(words: list[str], share: float, draw: np.random.Generator) -> list[str]:
    """Of the errors three in five substitute, one deletes, one inserts."""
    result = []
    for word, kind, other in zip(words, draw.random(len(words)), draw.integers(0, 3000, len(words)), strict=True):
        if kind > share:
            result.append(word)
        elif kind > 0.8 * share:
            result += [word, f"word{other}"]
        elif kind > 0.2 * share:
            result.append(f"word{other}")
    return result


def utterances(texts: Texts) -> list[Utterance]:
    return [
        Utterance(id=f"u{i}", text=" ".join(words), duration=0.4 * len(words), audio="a.wav", speaker_id=None)
        for i, words in enumerate(texts.references)
    ]


def transcripts(rows: list[Utterance], hypotheses: list[list[str]]) -> dict[str, Transcript]:
    return {
        row.id: Transcript(
            id=row.id, reference=row.text, hypothesis=" ".join(words), duration=row.duration, truncated=False
        )
        for row, words in zip(rows, hypotheses, strict=True)
    }
