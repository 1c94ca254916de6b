"""Random tiny models of the families other than Moonshine and Whisper, in hub shape, with their real processors."""

from __future__ import annotations

import base64
import json
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from tiny_models import BOS, EOS, PAD, UNKNOWN, make_whisper, metaspace_tokenizer

LETTERS = [*string.ascii_letters, *".,?'"]
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "initializer_range": 0.3,
}


def make_moonshine_streaming(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import (
        GenerationConfig,
        MoonshineStreamingConfig,
        MoonshineStreamingForConditionalGeneration,
        MoonshineStreamingProcessor,
        Wav2Vec2FeatureExtractor,
    )

    tokenizer = metaspace_tokenizer(ends=True)
    torch.manual_seed(seed)
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }
    config = MoonshineStreamingConfig(
        **sizes,
        vocab_size=len(tokenizer),
        max_position_embeddings=512,
        initializer_range=0.5,
        encoder_config=sizes | {"sliding_windows": [[16, 4], [16, 0]]},
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    model = MoonshineStreamingForConditionalGeneration(config)
    with torch.no_grad():
        model.proj_out.weight *= 8  # else every token is as likely as any other
        model.proj_out.weight[2] *= 2  # EOS: some utterances end before the token limit
    model.generation_config = GenerationConfig(
        bos_token_id=1, eos_token_id=2, pad_token_id=0, decoder_start_token_id=1, max_length=384
    )
    model.save_pretrained(folder)
    features = Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    MoonshineStreamingProcessor(features, tokenizer).save_pretrained(folder)
    return folder


def make_wav2vec2(folder: Path, seed: int = 0, kind: str = "wav2vec2") -> Path:
    """As in the large models: layer normalisation, normalised audio and an attention mask; `kind` is a model type."""
    import torch
    from transformers import (
        AutoConfig,
        AutoModelForCTC,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    pieces = [PAD, BOS, EOS, UNKNOWN, "|", *LETTERS]
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(pieces),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        ctc_loss_reduction="mean",
        mask_time_prob=0.0,
        layerdrop=0.0,
    )
    model = AutoModelForCTC.from_config(config)
    with torch.no_grad():
        model.base_model.feature_projection.projection.weight *= 8  # else every frame sounds like any other
    model.save_pretrained(folder)
    features = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    Wav2Vec2Processor(features, tokenizer).save_pretrained(folder)
    return folder


def make_parakeet(folder: Path, seed: int = 0) -> Path:
    import torch
    import transformers
    from transformers import (
        ParakeetCTCConfig,
        ParakeetEncoderConfig,
        ParakeetFeatureExtractor,
        ParakeetForCTC,
        ParakeetProcessor,
        ParakeetTokenizer,
    )

    if Version(transformers.__version__) < Version("5.23"):
        pytest.importorskip("librosa", reason="transformers before 5.23 needs librosa for Parakeet")
    plain = metaspace_tokenizer(ends=False)
    tokenizer = ParakeetTokenizer(tokenizer_object=plain._tokenizer, pad_token=PAD, unk_token=UNKNOWN)
    torch.manual_seed(seed)
    encoder = ParakeetEncoderConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        conv_kernel_size=5,
        subsampling_conv_channels=16,
        num_mel_bins=80,
        initializer_range=0.3,
        subsampling_factor=2,  # letters need more frames than pieces of words
    )
    config = ParakeetCTCConfig(
        vocab_size=len(tokenizer), encoder_config=encoder, pad_token_id=0, ctc_loss_reduction="mean"
    )
    model = ParakeetForCTC(config)
    with torch.no_grad():
        for parameter in model.ctc_head.parameters():
            parameter *= 4
    model.save_pretrained(folder)
    ParakeetProcessor(ParakeetFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)
    return folder


def make_qwen3_asr(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import (
        GenerationConfig,
        Qwen2Tokenizer,
        Qwen3ASRConfig,
        Qwen3ASRFeatureExtractor,
        Qwen3ASRForConditionalGeneration,
        Qwen3ASRProcessor,
    )

    marks = [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|audio_start|>",
        "<|audio_end|>",
        "<|audio_pad|>",
        "<asr_text>",
        "<timestamp>",
    ]
    vocabulary = _byte_vocabulary()
    tokenizer = Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[],
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
        extra_special_tokens={
            "audio_token": "<|audio_pad|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    tokenizer.add_special_tokens({"additional_special_tokens": marks[1:]})
    ids = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in marks}
    torch.manual_seed(seed)
    config = Qwen3ASRConfig(
        audio_config={
            "model_type": "qwen3_asr_encoder",
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "num_mel_bins": 128,
            "downsample_hidden_size": 8,
            "output_dim": 32,
            "initializer_range": 0.3,
        },
        text_config={"model_type": "qwen3", "vocab_size": len(tokenizer), "head_dim": 16} | TEXT,
        audio_token_id=ids["<|audio_pad|>"],
        timestamp_token_id=ids["<timestamp>"],
        pad_token_id=ids["<|endoftext|>"],
        eos_token_id=[ids["<|endoftext|>"], ids["<|im_end|>"]],
        tie_word_embeddings=False,
    )
    model = Qwen3ASRForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        eos_token_id=[ids["<|endoftext|>"], ids["<|im_end|>"]], pad_token_id=ids["<|endoftext|>"]
    )
    _write_letters(model, tokenizer, ids["<|im_end|>"], ending=1.1)
    model.save_pretrained(folder)
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
        "{% if c.type == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>{% else %}{{ c.text }}{% endif %}"
        "{% endfor %}<|im_end|>\n{% endfor %}"
    )
    Qwen3ASRProcessor(Qwen3ASRFeatureExtractor(), tokenizer, chat_template=template).save_pretrained(folder)
    return folder


def make_granite_speech(folder: Path, seed: int = 0) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        GenerationConfig,
        GraniteSpeechConfig,
        GraniteSpeechForConditionalGeneration,
        PreTrainedTokenizerFast,
    )

    tokens = Tokenizer(models.BPE(_byte_vocabulary(), []))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    end, audio = "<|end_of_text|>", "<|audio|>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token=end, pad_token=end)
    tokenizer.add_special_tokens({"additional_special_tokens": [audio]})
    tokenizer.chat_template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    ids = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in (end, audio)}
    torch.manual_seed(seed)
    config = GraniteSpeechConfig(
        encoder_config={
            "model_type": "granite_speech_encoder",
            "input_dim": 160,
            "num_layers": 2,
            "hidden_dim": 32,
            "feedforward_mult": 2,
            "num_heads": 2,
            "dim_head": 16,
            "output_dim": 16,
            "context_size": 50,
            "conv_kernel_size": 5,
        },
        projector_config={
            "model_type": "blip_2_qformer",
            "hidden_size": 32,
            "num_attention_heads": 2,
            "num_hidden_layers": 1,
            "intermediate_size": 64,
            "encoder_hidden_size": 32,
        },
        text_config={"model_type": "granite", "vocab_size": len(tokenizer), "tie_word_embeddings": False} | TEXT,
        audio_token_id=ids[audio],
        initializer_range=0.3,
        has_lora_adapter=False,
    )
    model = GraniteSpeechForConditionalGeneration(config)
    with torch.no_grad():
        for weight in [*model.model.encoder.parameters(), *model.model.projector.parameters()]:
            weight *= 4 if weight.dim() == 2 else 1  # else all audio gives the same text
    model.generation_config = GenerationConfig(eos_token_id=ids[end], pad_token_id=ids[end])
    _write_letters(model, tokenizer, ids[end], ending=1.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    features: dict[str, Any] = {
        "feature_extractor_type": "GraniteSpeechFeatureExtractor", "sampling_rate": 16000,
        "melspec_kwargs": {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 80, "sample_rate": 16000},
        "projector_window_size": 15, "projector_downsample_rate": 5,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(features))
    return folder


def make_voxtral(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import (
        AutoTokenizer,
        GenerationConfig,
        VoxtralConfig,
        VoxtralForConditionalGeneration,
        VoxtralProcessor,
        WhisperFeatureExtractor,
    )

    torch.manual_seed(seed)
    config = VoxtralConfig(
        audio_config={
            "model_type": "voxtral_encoder",
            "hidden_size": 16,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_mel_bins": 128,
            "max_source_positions": 1500,
            "initializer_range": 0.3,
        },
        text_config={"model_type": "llama", "vocab_size": 1256} | TEXT,
        audio_token_id=24,
    )
    model = VoxtralForConditionalGeneration(config)
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=11)
    with tempfile.TemporaryDirectory() as made:
        config.save_pretrained(made)
        (Path(made) / "tekken.json").write_text(json.dumps(_tekken()))
        tokenizer = AutoTokenizer.from_pretrained(made)
        folder.mkdir(parents=True, exist_ok=True)
        VoxtralProcessor(WhisperFeatureExtractor(feature_size=128), tokenizer).save_pretrained(folder)
    _write_letters(model, tokenizer, end=2, ending=1.3)
    model.save_pretrained(folder)
    return folder


def _write_letters(model: Any, tokenizer: Any, end: int, ending: float) -> None:
    """The output layer writes only letters, spaces and EOS (sooner with `ending`): other bytes are no text."""
    import torch

    ids = {tokenizer(letter, add_special_tokens=False).input_ids[0] for letter in [*string.ascii_letters, " "]}
    weight = model.get_output_embeddings().weight
    with torch.no_grad():
        for token in range(len(weight)):
            weight[token] *= ending if token == end else float(token in ids)


def _byte_vocabulary() -> dict[str, int]:
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {letter: number for number, letter in enumerate(bytes_to_unicode().values())}


def _tekken() -> dict[str, Any]:
    """A tokenizer of single bytes after a thousand special tokens, including those of transcription."""
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    special = [dict(token) for token in Tekkenizer.DEPRECATED_SPECIAL_TOKENS]
    known = {token["token_str"] for token in special}
    for rank, name in ((24, "[AUDIO]"), (25, "[BEGIN_AUDIO]"), (34, "[TRANSCRIBE]")):
        while name not in known and len(special) <= rank:
            added = name if len(special) == rank else f"<SPECIAL_{len(special)}>"
            special.append({"rank": len(special), "token_str": added, "is_control": True})
    vocabulary = [
        {"rank": byte, "token_bytes": base64.b64encode(bytes([byte])).decode(), "token_str": chr(byte)}
        for byte in range(256)
    ]
    return {
        "config": {
            "pattern": r"[^\s]+|\s+",
            "num_vocab_tokens": 256,
            "default_vocab_size": 1256,
            "default_num_special_tokens": 1000,
            "version": "v7",
        },
        "vocab": vocabulary,
        "special_tokens": special,
        "audio": {
            "sampling_rate": 16000,
            "frame_rate": 12.5,
            "chunk_length_s": 30.0,
            "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
        },
    }


MAKERS = {
    "whisper": make_whisper,
    "moonshine_streaming": make_moonshine_streaming,
    "voxtral": make_voxtral,
    "granite_speech": make_granite_speech,
    "qwen3_asr": make_qwen3_asr,
    "wav2vec2": make_wav2vec2,
    "parakeet_ctc": make_parakeet,
}
# How each of them is asked.
ASKED = {"qwen3_asr": {"language": "English"}, "voxtral": {"language": "en"}, "whisper": {"language": "en"}}
