"""Compare the weights of a tuned checkpoint with those of its base model, without loading either.

Example:
    python -m lora.runners.experiment compare-models --run full --model-id data/model --checkpoint runs/full \\
        --output results/effect/full.json

Reads: the safetensors, configuration and tokenizer files of both models. Writes: effect facts (the stages that a
checkpoint has, or what is wrong with its files) and their run record.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.asr.model_files import describe_model
from lora.asr.model_json import UnusableModel
from lora.configuration.arguments import optional_text
from lora.provenance.recording import recording
from lora.records.effect import EffectFacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the candidate")
    parser.add_argument("--model-id", required=True, metavar="ID", help="base model: folder if it exists, else hub id")
    parser.add_argument("--revision", type=optional_text, metavar="R", help="hub revision of the base model")
    parser.add_argument(
        "--checkpoint", required=True, metavar="ID", help="tuned model: folder if it exists, else hub id"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")


def execute(args: argparse.Namespace) -> int:
    with recording([args.output]):
        base = describe_model(args.model_id, args.revision)
        try:
            tuned = describe_model(args.checkpoint, tokenizer_from=args.model_id, tokenizer_revision=args.revision)
            from lora.asr.ladder.checkpoint import compare_weights

            facts = compare_weights(args.run, base, tuned)
        except UnusableModel as error:
            facts = EffectFacts(
                run=args.run,
                status="impossible",
                code="adapter.not_loaded",
                message=str(error),
                remedy="Copy the checkpoint again, or save the tuned model again with `save_pretrained()`.",
            )
        facts.write(args.output)
    return 0
