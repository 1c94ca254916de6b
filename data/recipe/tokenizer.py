"""Learn the model's subword pieces: cased, a few letters long, with `. , ? '` as pieces.

Pieces stay short so that new words can still be spelt from their sound, and every
letter is a piece in both cases so that no label is impossible, only more or less likely.

Example:
    tokenizer = train_tokenizer(["Where is the blue lamp?"])
    tokenizer("The lamp.").input_ids    # ends with </s>, has no <s>: the model shifts by itself

Reads and writes: nothing.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
VOCABULARY_SIZE = 400
LONGEST_PIECE = 5  # characters, the space before a word included
LONGEST_LABEL = 384  # tokens; 25 s of fast speech are about 270


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A byte-pair tokenizer of `VOCABULARY_SIZE` pieces that closes each label with `</s>`."""
    pieces = Tokenizer(models.BPE(unk_token=UNKNOWN))
    pieces.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
            pre_tokenizers.Split(Regex(r"[.,?']"), behavior="isolated"),
        ]
    )
    # Metaspace drops the first space itself; decoders.Strip fails on an empty transcript.
    pieces.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[PAD, BOS, EOS, UNKNOWN],
        initial_alphabet=[*string.ascii_letters, *".,?'", SPACE],
        max_token_length=LONGEST_PIECE,
        show_progress=False,
    )
    pieces.train_from_iterator(texts, trainer)
    pieces.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", special_tokens=[(EOS, pieces.token_to_id(EOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        model_max_length=LONGEST_LABEL,
        clean_up_tokenization_spaces=False,
    )
