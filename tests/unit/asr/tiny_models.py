"""Random tiny speech models in hub shape, with real tokenizer and feature extractor classes, created in seconds.

They know nothing about speech; tests that need a trained model use the embedded study's.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lora.records.training import TrainFacts

RATE = 16000
WINDOW = 6  # seconds of audio that the Whisper model takes: of the published 30, most would be padding here
Train = Callable[..., TrainFacts]
PAD, BOS, EOS, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"


def metaspace_tokenizer(ends: bool) -> Any:
    """A tokenizer of letters in which a space is a letter, too; `ends`: it adds EOS to every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [PAD, BOS, EOS, UNKNOWN, "▁", *string.ascii_letters, *".,?'"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokens = Tokenizer(models.BPE(vocabulary, [], unk_token=UNKNOWN))
    tokens.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokens.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    if ends:
        tokens.post_processor = processors.TemplateProcessing(single=f"$A {EOS}", special_tokens=[(EOS, 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        model_max_length=384,
        clean_up_tokenization_spaces=False,
    )


def make_moonshine(folder: Path, seed: int = 0) -> Path:
    """A Moonshine model with two small layers each in encoder and decoder, in half precision like the published one."""
    import torch
    from transformers import (
        GenerationConfig,
        MoonshineConfig,
        MoonshineForConditionalGeneration,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Processor,
    )

    tokenizer = metaspace_tokenizer(ends=True)
    torch.manual_seed(seed)
    config = MoonshineConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        encoder_num_hidden_layers=2,
        decoder_num_hidden_layers=2,
        encoder_num_attention_heads=2,
        decoder_num_attention_heads=2,
        max_position_embeddings=1280,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    model = MoonshineForConditionalGeneration(config)
    with torch.no_grad():
        model.get_output_embeddings().weight[2] *= 2  # EOS: some utterances end before the token limit
    model.generation_config = GenerationConfig(
        bos_token_id=1, eos_token_id=2, pad_token_id=0, decoder_start_token_id=1, max_length=384
    )
    model.half().save_pretrained(folder)
    features = Wav2Vec2FeatureExtractor(
        feature_size=1, sampling_rate=16000, padding_value=0.0, do_normalize=False, return_attention_mask=True
    )
    Wav2Vec2Processor(features, tokenizer).save_pretrained(folder)
    return folder


def make_whisper(folder: Path, seed: int = 0) -> Path:
    """A Whisper model with two small layers each in encoder and decoder, and a byte-level vocabulary."""
    import json

    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    folder.mkdir(parents=True, exist_ok=True)
    letters = list(bytes_to_unicode().values())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    special = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|de|>",
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    ids = {token: len(letters) + number for number, token in enumerate(special)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary | {special[0]: ids[special[0]]}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer.from_pretrained(str(folder))
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=len(letters) + len(special),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        num_mel_bins=80,
        max_source_positions=50 * WINDOW,
        max_target_positions=64,
        init_std=0.5,
        pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"],
        max_length=64,
        is_multilingual=True,
        lang_to_id={"<|en|>": ids["<|en|>"], "<|de|>": ids["<|de|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        no_timestamps_token_id=ids["<|notimestamps|>"],
        language="en",
        task="transcribe",
        begin_suppress_tokens=[ids["<|endoftext|>"]],
        return_timestamps=False,
    )
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(chunk_length=WINDOW), tokenizer).save_pretrained(folder)
    return folder


def noise(seed: int, seconds: float, rate: int = RATE) -> np.ndarray:
    """Coloured noise with a swelling loudness, float32, shape (n,): different for every seed."""
    generator = np.random.default_rng(seed)
    n = round(seconds * rate)
    swell = np.sin(np.linspace(0, 9 + seed % 5, n)) ** 2
    return (0.2 * swell * np.cumsum(generator.normal(0, 0.1, n)) / 10).clip(-1, 1).astype(np.float32)
