"""Texts without ids, one per line, and how they differ from Kaldi's `id words...`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lora.data.transcripts.columns import ExternalTranscript, line_name

ID_MARKS = re.compile(r"[\d_/\\#.:]|\w-\w")


def first_words_are_ids(lines: Sequence[str]) -> bool:
    """Whether each line starts with an id: not with a word of the texts, nor mostly with bare words of letters."""
    split = [line.split() for line in lines if line.strip()]
    first = [words[0] for words in split]
    marked = sum(ID_MARKS.search(word) is not None for word in first)
    if 2 * marked > len(first):
        inside = {word for words in split for word in words[1:]}
        repeated = [word for word, number in Counter(first).items() if number > 1]
        return 2 * (len(inside & set(first)) + len(repeated)) < len(set(first))
    return False


def read_texts(lines: Iterable[tuple[int, str]]) -> list[ExternalTranscript]:
    """Every line is a text; the end of the last line starts none."""
    texts = [ExternalTranscript((line_name(number),), " ".join(line.split()), line=number) for number, line in lines]
    return texts[:-1] if texts and not texts[-1].hypothesis else texts
