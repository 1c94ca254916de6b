"""Train the study's speech recogniser, a Moonshine of 2 M parameters, from random weights.

Two processes of one thread each average their gradients: on a CPU that beats one process of two
threads. Longer and longer joined sentences come in over the first third of training. A temporary
CTC head on the encoder makes it listen before the decoder has learnt where to look.

Example:
    train_model(Path("work/study"), steps=4000, seed=1)

Reads: the corpus in the folder. Writes: `<folder>/model/` (every `SAVE_EVERY` steps),
`<folder>/state.pt` (to resume from), `<folder>/loss.tsv`.
Source: Jeffries et al. 2024, "Moonshine" (arXiv:2410.15608), for the architecture.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch.nn import functional
from transformers import (
    GenerationConfig,
    MoonshineConfig,
    MoonshineForConditionalGeneration,
    PreTrainedTokenizerFast,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Processor,
)

from data.recipe.batches import IGNORED, Batch, Batches
from data.recipe.corpus import Corpus
from data.recipe.tokenizer import LONGEST_LABEL, train_tokenizer

RANKS = 2
PEAK_RATE, WARM_UP_STEPS, FLAT_SHARE = 1.5e-3, 200, 0.3
SMOOTHING = 0.05
REPLACED_INPUTS = 0.08
SAVE_EVERY = 250


def new_model(tokenizer: PreTrainedTokenizerFast) -> MoonshineForConditionalGeneration:
    """A small Moonshine with random weights."""
    config = MoonshineConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=512,
        encoder_num_hidden_layers=4,
        decoder_num_hidden_layers=3,
        encoder_num_attention_heads=4,
        decoder_num_attention_heads=4,
        max_position_embeddings=1280,  # 30 s are 1,250 encoder frames
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.bos_token_id,
        attn_implementation="eager",
    )
    model = MoonshineForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.bos_token_id,
        max_length=LONGEST_LABEL,
    )
    return model


def save_model(model: MoonshineForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Weights as fp16 safetensors, with processor and generation settings."""
    half = MoonshineForConditionalGeneration(model.config).to(torch.float16)
    half.load_state_dict(model.state_dict())
    half.generation_config = model.generation_config
    half.save_pretrained(folder)
    features = Wav2Vec2FeatureExtractor(
        sampling_rate=16_000, padding_value=0.0, do_normalize=False, return_attention_mask=True
    )
    Wav2Vec2Processor(features, tokenizer).save_pretrained(folder)


def train_model(folder: Path, steps: int, seed: int) -> None:
    """Train for a number of steps, or resume a stopped training."""
    (folder / "rendezvous").unlink(missing_ok=True)  # of a training that was stopped
    multiprocessing.spawn(_train_rank, args=(folder, steps, seed), nprocs=RANKS)


def learning_rate(step: int, steps: int) -> float:
    """Warm-up, then flat, then down to zero along half a cosine."""
    done = max(step / steps - FLAT_SHARE, 0.0) / (1 - FLAT_SHARE)
    return PEAK_RATE * min(step / WARM_UP_STEPS, 0.5 + 0.5 * math.cos(math.pi * done))


def longest_row(step: int, steps: int) -> float:
    """Seconds of the longest joined sentences: 5 at first, 25 after a third of the training."""
    return min(5 + 20 * step / (steps / 3), 25.0)


def skew_of_lengths(step: int, steps: int) -> float:
    """Few long rows at first; in the last quarter most joined rows are long, up to 25 s."""
    return 2.0 if step < 0.75 * steps else 0.4


def losses(model, ctc_head, batch: Batch, rng: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Cross entropy of the decoder and CTC loss of the encoder."""
    config = model.config
    inputs = batch.labels.roll(1, dims=1)
    inputs[:, 0] = config.decoder_start_token_id
    inputs.masked_fill_(inputs == IGNORED, config.pad_token_id)
    # A decoder that cannot rely on its previous words has to use the audio.
    replaced = torch.rand(inputs.shape, generator=rng) < REPLACED_INPUTS
    replaced[:, 0] = False
    chance = torch.randint(config.eos_token_id + 1, config.vocab_size, inputs.shape, generator=rng)
    inputs = torch.where(replaced & (batch.labels != IGNORED), chance, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch.input_values, batch.attention_mask, decoder_input_ids=inputs)
        logits = ctc_head(output.encoder_last_hidden_state)
    cross_entropy = functional.cross_entropy(
        output.logits.float().flatten(0, 1),
        batch.labels.flatten(),
        ignore_index=IGNORED,
        label_smoothing=SMOOTHING,
    )
    lengths = (batch.labels != IGNORED).sum(1) - 1  # CTC needs no </s>
    frames = batch.attention_mask[:, ::384].sum(1).clamp(max=logits.shape[1])
    ctc = functional.ctc_loss(
        logits.float().log_softmax(-1).transpose(0, 1),
        batch.labels.clamp(min=0),
        frames,
        lengths,
        blank=config.pad_token_id,
        zero_infinity=True,
    )
    return cross_entropy, ctc


def _train_rank(rank: int, folder: Path, steps: int, seed: int) -> None:
    torch.set_num_threads(1)
    rendezvous = f"file://{folder.resolve()}/rendezvous"
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=RANKS)
    torch.manual_seed(seed)  # the same initial weights in all ranks
    corpus = Corpus(folder)
    tokenizer = train_tokenizer(corpus.texts)
    batches = Batches(corpus, tokenizer, seed, rank, RANKS)
    model = new_model(tokenizer).train()
    ctc_head = torch.nn.Linear(model.config.hidden_size, model.config.vocab_size)
    weights = [*model.parameters(), *ctc_head.parameters()]
    optimizer = torch.optim.AdamW(weights, PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
    step = epoch = 0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        model.load_state_dict(state["model"])
        ctc_head.load_state_dict(state["ctc_head"])
        optimizer.load_state_dict(state["optimizer"])
        step, epoch = state["step"], state["epoch"] + 1
    started, seen = time.time(), 0.0
    while step < steps:
        rng = torch.Generator().manual_seed(seed * 10_000 + epoch * RANKS + rank)
        for batch in batches.epoch(epoch, longest_row(step, steps), skew_of_lengths(step, steps)):
            cross_entropy, ctc = losses(model, ctc_head, batch, rng)
            (cross_entropy + (1.0 if step < 0.4 * steps else 0.3) * ctc).backward()
            _average_gradients(weights)
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps)
            # bf16 gradients overflow now and then; both ranks see the same sum and skip together.
            if torch.isfinite(torch.nn.utils.clip_grad_norm_(weights, 1.0)):
                optimizer.step()
            optimizer.zero_grad()
            seen += RANKS * batch.input_values.numel() / 16_000
            if rank == 0 and step % 25 == 0:
                minutes = (time.time() - started) / 60
                row = [step, epoch, cross_entropy.item(), ctc.item(), seen / 3600, minutes]
                with (folder / "loss.tsv").open("a", encoding="utf-8") as log:
                    log.write("\t".join(f"{value:.4g}" for value in row) + "\n")
            if rank == 0 and (step % SAVE_EVERY == 0 or step == steps):
                save_model(model, tokenizer, folder / "model")
                state = {"model": model.state_dict(), "ctc_head": ctc_head.state_dict()}
                state |= {"optimizer": optimizer.state_dict(), "step": step, "epoch": epoch}
                torch.save(state, folder / "state.pt")
            if step == steps:
                break
        epoch += 1
    dist.destroy_process_group()


def _average_gradients(weights: list[torch.nn.Parameter]) -> None:
    flat = torch.cat([weight.grad.flatten() for weight in weights]) / RANKS
    dist.all_reduce(flat)
    start = 0
    for weight in weights:
        weight.grad.copy_(flat[start : start + weight.numel()].view_as(weight))
        start += weight.numel()
