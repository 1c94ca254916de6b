"""The command line for model work: transcribe, train, effect, audit, harden and others; run does the whole diagnosis.

Example:
    python -m lora.runners.experiment transcribe --help
    python -m lora.runners.experiment run --model-id data/model --dataset-path data/train_manifest.jsonl \\
        --manifest-path data/domain_manifest.jsonl --safety-manifest-path data/heldout_manifest.jsonl \\
        --max-seconds 10 --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir studies/by-hand

Each subcommand is a module of this folder; `--help` and errors on the command line never import torch.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from lora.provenance.command import run_command
from lora.provenance.command_parser import CommandParser

SUBCOMMANDS = {
    "transcribe": "transcribe manifests, with or without an adapter",
    "transcribe-shard": "transcribe a part of the rows, side by side with the other parts",
    "merge-shards": "write the transcripts of a run that was transcribed in parts",
    "train": "train a LoRA adapter: best and last adapter, loss log, training facts",
    "effect": "measure whether an adapter changes files, weights, logits and text",
    "compare-in-run": "compare a saved adapter's texts with those of the last evaluation while it was trained",
    "compare-models": "compare the weights of a tuned checkpoint with its base model",
    "audit": "check training labels and the loss with the base model",
    "harden": "if nothing has headroom: base WER on graded distortions",
    "write-hardened": "write a distorted manifest that harden measured, with its audio",
    "write-corrected": "write a manifest with the references that listeners corrected",
    "run": "write a study from flags and run the whole workflow on it",
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(prog="python -m lora.runners.experiment", description=(__doc__ or "").partition("\n")[0])
    parsers = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    given = list(sys.argv[1:] if argv is None else argv)
    for name, summary in SUBCOMMANDS.items():
        if name not in given[:1]:
            parsers.add_parser(name, help=summary)  # only its name is needed
            continue
        module = importlib.import_module(f"lora.runners.{name.replace('-', '_')}")
        subparser = parsers.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(subparser)
        subparser.elsewhere = getattr(module, "ELSEWHERE", {})
        subparser.set_defaults(execute=module.execute)
    args = parser.parse_args(given)
    return run_command(lambda: int(args.execute(args)))


if __name__ == "__main__":
    raise SystemExit(main())
