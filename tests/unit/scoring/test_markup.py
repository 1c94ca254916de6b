"""What is markup and what is text; alternations as NIST SCTK scores them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from rapidfuzz.distance import Levenshtein

from lora.data.source import Source
from lora.data.transcripts.reference_rows import reference_rows
from lora.scoring.alignment import count_errors
from lora.scoring.markup import REMOVABLE, chosen_kinds, count_markup, find_markup, strip_markup
from lora.scoring.normalizers import normalizer

MARKED = {
    "language English<asr_text>Good morning": (["prefixes"], "Good morning"),
    "<|startoftranscript|><|en|> good morning<|endoftext|>": (["special_tokens"] * 3, "good morning"),
    "<s> good morning </s> <pad>": (["special_tokens"] * 3, "good morning"),
    "<|0.00|> good morning<|3.41|>": (["time_tokens"] * 2, "good morning"),
    "[00:00.000 --> 00:03.000] good morning": (["time_tokens"], "good morning"),
    "good <unk> morning \N{DOUBLE QUESTION MARK}": (["unknown_words"] * 2, "good morning"),
    "[noise] good (laughter) morning <spoken_noise>": (["noise_tags"] * 3, "good morning"),
    "good [laughter-morning]": (["noise_tags"], "good morning"),
    "spk1: good morning": (["speaker_tags"], "good morning"),
    ">> good morning. >> hello": (["speaker_tags"] * 2, "good morning. hello"),
    "<v Ada Byron>good morning": (["speaker_tags"], "good morning"),
    "good %hesitation morning": (["hesitations"], "good morning"),
    "good (uh) morning": (["optional_words"], "good morning"),
    "good mor- morning": (["fragments"], "good morning"),
    "good { morning / day }": (["alternations"], "good { morning / day }"),
}
PLAIN = [
    "see the note (see below), e.g. this one",
    "the (old) house and a [sic] word",
    "array [i] of List<String> where x < y > z",
    "5% off, 100 % sure, at 10:30",
    "don't, 'tis, well-known and e-mail",
    "the ratio 3 / 4, {x} and {a,b}",
    "the (speech) act",
]


@pytest.mark.parametrize("text", MARKED)
def test_markup_is_found_and_removed(text):
    kinds, spoken = MARKED[text]
    assert [markup.kind for markup in find_markup(text)] == kinds
    assert strip_markup(text, REMOVABLE) == spoken


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_text_is_none(text):
    assert find_markup(text) == []
    assert strip_markup(text, REMOVABLE) == text


def test_counts_by_kind():
    (noise, unknown) = sorted(count_markup(["[noise] a [noise]", "a <unk>", "a"]), key=lambda count: count.kind)
    assert (noise.kind, noise.rows, noise.tokens, noise.examples) == ("noise_tags", 1, 2, ["[noise]"])
    assert (unknown.kind, unknown.rows, unknown.tokens) == ("unknown_words", 1, 1)


def test_chosen_kinds():
    assert chosen_kinds("all") == list(REMOVABLE)
    assert chosen_kinds(["noise_tags", "prefixes"]) == ["prefixes", "noise_tags"]
    assert chosen_kinds([]) == []


def test_what_is_removed_is_part_of_the_identity_of_a_normalizer():
    words = normalizer("basic", strip=["noise_tags"])
    assert words.words("[noise] Good morning") == ("good", "morning")
    assert words.identity != normalizer("basic").identity


REFERENCES = {
    "s-1": "a b { quiet / silent } c d",
    "s-2": "a b { quiet / silent night } c d",
    "s-3": "a b { uh / @ } c d",
    "s-4": "a { b / { c / e } f } d",
    "s-5": "a { x / y z } { p / q } d",
    "s-6": "a b (uh) c",
    "s-7": "a b (uh) c",
    "s-8": "a b wor- c",
}
HYPOTHESES = {
    "s-1": "a b silent c d",
    "s-2": "a b silent night c",
    "s-3": "a b c d",
    "s-4": "a e f d",
    "s-5": "a y q d",
    "s-6": "a b c",
    "s-7": "a b um c",
    "s-8": "a b word c",
}


def counts_of_sclite(
    folder: Path, references: dict[str, str], hypotheses: dict[str, str]
) -> dict[str, tuple[int, ...]]:
    """Correct words, substitutions, deletions and insertions by utterance."""
    for name, texts in (("ref.trn", references), ("hyp.trn", hypotheses)):
        (folder / name).write_text("".join(f"{text} ({id})\n" for id, text in texts.items()))
    command = "sctk sclite -D -r ref.trn trn -h hyp.trn trn -i spu_id -o pralign stdout"
    printed = subprocess.run(command.split(), cwd=folder, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"id: \(([^)]*)\)\nScores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", printed)
    return {id: tuple(map(int, counts)) for id, *counts in found}


with_sctk = pytest.mark.skipif(shutil.which("sctk") is None, reason="NIST SCTK is not installed (apt-get install sctk)")


@with_sctk
def test_references_count_as_in_sclite(tmp_path):
    theirs = counts_of_sclite(tmp_path, REFERENCES, HYPOTHESES)
    words = normalizer("none")
    for row in reference_rows(Source(tmp_path / "ref.trn"), silence=True).rows:
        hypothesis = words.words(HYPOTHESES[row.id])
        ours = count_errors(words.words(words.reference(row.text, hypothesis)), hypothesis)
        assert sum(ours[1:]) == sum(theirs[row.id][1:]), row.id
        if "(" not in REFERENCES[row.id]:  # a missing optional word is right in sclite, no word here
            assert ours == theirs[row.id], row.id


def marked_reference(random: Random) -> str:
    """Ten words and ten alternations, some of them within another one."""

    def words() -> str:
        return " ".join(random.choices("abcde", k=random.randint(1, 3)))

    def alternation(deep: bool) -> str:
        first = f"{words()} {alternation(deep=False)}" if deep else words()
        return f"{{ {first} / {random.choice([words(), '@'])} / {words()} }}"

    return " ".join(f"{random.choice('abcde')} {alternation(random.random() < 0.2)}" for _ in range(10))


@with_sctk
def test_references_with_many_alternations_cost_as_in_sclite(tmp_path):
    random = Random(0)
    references = {f"s-{number}": marked_reference(random) for number in range(60)}
    hypotheses = {id: " ".join(random.choices("abcde", k=30)) for id in references}
    words = normalizer("none")
    for id, (_, substitutions, deletions, insertions) in counts_of_sclite(tmp_path, references, hypotheses).items():
        hypothesis = words.words(hypotheses[id])
        reference = words.words(words.reference(references[id], hypothesis))
        cost = Levenshtein.distance(reference, hypothesis, weights=(3, 3, 4))
        assert cost == 4 * substitutions + 3 * (deletions + insertions), id
