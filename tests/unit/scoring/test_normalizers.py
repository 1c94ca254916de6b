"""Text normalisers: what counts as the same word."""

import importlib.metadata
import subprocess
import sys

import pytest

from lora.records.base import UserError
from lora.scoring.normalizers import basic, normalizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't  STOP, now!", "don't stop now"),
        ("It’s the dogs’ ‘home’.", "it's the dogs home"),
        ("well-known (really?)", "well known really"),
        ("Straße ﬁne Ｆｕｌｌ", "strasse fine full"),
        ("co\u00adop\ufeff a\u00a0b", "coop a b"),
        ("हिन्दी में", "हिन्दी में"),  # vowel signs are marks, not punctuation
        ("É E\u0301", "é é"),
        ("3.5 + 2 = $5", "3 5 2 5"),
        ("' … —", ""),
    ],
)
def test_basic(text, words):
    assert " ".join(normalizer("basic").words(text)) == words


def test_ascii_texts_are_normalised_as_all_others_are():
    every = "".join(map(chr, range(128)))
    texts = [every, *every, *(f"a{sign}b" for sign in every), *(f" {sign}'{sign}" for sign in every), "Don't 'do' it"]
    assert [f"{basic(text)} \N{LATIN SMALL LETTER E WITH ACUTE}" for text in texts] == [
        basic(f"{text} \N{LATIN SMALL LETTER E WITH ACUTE}") for text in texts
    ]


def test_none_only_splits_at_white_space():
    assert normalizer("none").words(" Don't\tSTOP, ") == ("Don't", "STOP,")


@pytest.mark.parametrize("space", ["  ", "\t", "\n", "\N{NO-BREAK SPACE}", "\N{EM SPACE}"])
def test_english_reads_all_white_space_as_one_space(space):
    assert normalizer("english").words(f"he'd{space}been") == ("he", "had", "been")


def test_english_is_the_pinned_package():
    english = normalizer("english")
    assert english.words("Mr. Brown can't find twenty-one colours, um, there.") == (
        *("mister", "brown", "can", "not"),
        *("find", "21", "colors", "there"),
    )
    assert english.identity.version == "whisper-normalizer " + importlib.metadata.version("whisper-normalizer") + "; 2"


@pytest.mark.parametrize("text", ["three one six", "3, 1, 6.", "316", "3-1-6", "Three, one, six"])
def test_digits_are_words_of_their_own(text):
    assert normalizer("english_digits").words(text) == ("3", "1", "6")


def test_digit_by_digit_leaves_other_words():
    texts = ("Mr. Brown can't find gate twenty-one.", "oh five")
    assert [normalizer("english_digits").words(text) for text in texts] == [
        ("mister", "brown", "can", "not", "find", "gate", "2", "1"),
        ("0", "5"),
    ]


def test_an_unknown_name_is_an_error():
    with pytest.raises(UserError, match="'french' is unknown; choose one of english, english_digits, basic, none"):
        normalizer("french")


def test_scoring_imports_no_torch():
    code = (
        "import sys; import lora.scoring.paired, lora.scoring.corpus_wer, lora.data.manifest; "
        "from lora.scoring.normalizers import normalizer; normalizer('english').words('a'); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}).returncode == 0
