"""Options that several subcommands share, and what they become: device, model, conditions of a run, names."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from lora.asr.decoding.decode_pass import BATCH_SIZE, BatchLimits
from lora.asr.decoding.run_settings import Conditions, conditions
from lora.asr.devices import DEVICES, DTYPES, Device, guess_device, limit_threads
from lora.asr.model_files import ModelFiles, describe_model
from lora.records.base import UserError
from lora.records.settings import AdapterIdentity

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model-id", required=True, metavar="ID", help="model folder if it exists, else hub id")
    group.add_argument("--revision", type=optional_text, metavar="R", help="hub revision (branch, tag or commit)")
    group.add_argument(
        "--language", type=optional_text, metavar="L", help="language of the speech, where it must be told"
    )
    group.add_argument("--prompt", type=optional_text, metavar="TEXT", help="what a speech language model is asked")
    group.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    group.add_argument("--dtype", choices=DTYPES, default="auto", help="auto: bfloat16 on GPUs that have it")
    group.add_argument("--cpu-threads", type=positive, default=2, metavar="N", help="default: %(default)s")
    group.add_argument(
        "--target-rms", type=optional_number, metavar="F|none", help="scale every utterance to this RMS; default: none"
    )
    group.add_argument(
        "--work-dir", type=Path, default=Path("work"), metavar="DIR", help="caches; default: %(default)s"
    )


def add_decode_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--decode",
        type=json_object,
        default={},
        metavar="JSON",
        help="""generation arguments, as
        '{"num_beams": 4}'""",
    )
    group.add_argument(
        "--batch-seconds", type=positive_number, metavar="S", help="padded audio a batch; default: by device"
    )
    group.add_argument("--batch-size", type=positive, default=BATCH_SIZE, metavar="N", help="most utterances a batch")


def device_of(args: argparse.Namespace) -> Device:
    """The device; also limits threads, which only works before numeric libraries are imported."""
    limit_threads(args.cpu_threads)
    return guess_device(args.device, args.dtype, args.cpu_threads)


def exact_device_of(args: argparse.Namespace) -> Device:
    """The device for work that compares numbers: in float32 where nobody asked for other numbers."""
    limit_threads(args.cpu_threads)
    return guess_device(args.device, "float32" if args.dtype == "auto" else args.dtype, args.cpu_threads)


def model_of(args: argparse.Namespace) -> ModelFiles:
    return describe_model(args.model_id, args.revision, args.language, args.prompt)


def conditions_of(args: argparse.Namespace, adapter: AdapterIdentity | None = None) -> Conditions:
    """Raises UserError naming what is wrong with model folder or decode arguments."""
    device = device_of(args)
    return conditions(model_of(args), device, args.decode, args.target_rms, adapter)


def limits_of(args: argparse.Namespace) -> BatchLimits:
    return BatchLimits(args.batch_seconds, args.batch_size)


def named_path(text: str) -> tuple[str, Path]:
    """NAME=PATH, as `--manifest domain=results/manifests/domain.jsonl`."""
    name, equals, path = text.partition("=")
    if not equals or not path or NAME.fullmatch(name) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH (names: letters, digits, _ and -)")
    return name, Path(path)


def by_name(pairs: list[tuple[str, Path]], option: str) -> dict[str, Path]:
    """Raises UserError where a name comes twice."""
    result: dict[str, Path] = {}
    for name, path in pairs:
        if name in result:
            raise UserError(f"{option} {name}={path}: the name {name!r} is taken by {result[name]}")
        result[name] = path
    return result


def json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return value


def optional_text(text: str) -> str | None:
    return None if text.lower() in {"", "none", "null"} else text


def optional_number(text: str) -> float | None:
    return None if text.lower() in {"none", "null"} else positive_number(text)


def positive_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
