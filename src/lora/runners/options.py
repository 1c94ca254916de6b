"""Options that several subcommands share, and what they become: device, model, conditions of a run, names."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from lora.asr.decoding.run_settings import Conditions, conditions
from lora.asr.decoding.transcribe import BATCH_SIZE, BatchLimits
from lora.asr.devices import Device, guess_device, limit_threads
from lora.asr.model_files import ModelFiles, describe_model
from lora.configuration.arguments import add_setting, optional_text, parse_integer, parse_number, parse_object
from lora.configuration.schema import setting
from lora.records.base import UserError
from lora.records.settings import AdapterIdentity

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model-id", required=True, metavar="ID", help=setting("model.id").description)
    for key in ("revision", "language", "prompt", "device", "dtype", "cpu_threads"):
        add_setting(group, f"model.{key}")
    group.add_argument(
        "--tokenizer-from",
        metavar="ID",
        help="model whose tokenizer is used if --model-id has none (a bare checkpoint)",
    )
    target_rms = setting("preprocess.target_rms")
    group.add_argument(
        "--tokenizer-revision", type=optional_text, metavar="R", help="hub revision of the model of --tokenizer-from"
    )
    group.add_argument(
        "--target-rms",
        type=optional_number,
        default=target_rms.default,
        metavar="F|none",
        help=f"{target_rms.description.partition(';')[0]} (default: none, loudness as recorded)",
    )
    group.add_argument(
        "--work-dir", type=Path, default=Path("work"), metavar="DIR", help="folder of caches (default: %(default)s)"
    )


def add_decode_arguments(parser: argparse.ArgumentParser, batch_flag: str = "--batch-size") -> None:
    """Add the options of transcription.

    Args:
        parser: Parser that gets the options.
        batch_flag: Another name for `--batch-size`, where that is the batch size of training.
    """
    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--decode",
        type=parse_object,
        default=setting("decode").default,
        metavar="JSON",
        help="""generation arguments, such as '{"num_beams": 4}'; '{}' uses the model's own generation configuration
        (default: greedy, as in a study)""",
    )
    group.add_argument(
        "--batch-seconds", type=positive_number, metavar="S", help="padded audio per batch (default: by device)"
    )
    group.add_argument(
        batch_flag,
        dest="batch_size",
        type=positive,
        default=BATCH_SIZE,
        metavar="N",
        help="most utterances per batch of a transcription (default: %(default)s)",
    )


def device_of(args: argparse.Namespace) -> Device:
    """Choose the device; also limit threads, which only works before numeric libraries are imported."""
    limit_threads(args.cpu_threads)
    return guess_device(args.device, args.dtype, args.cpu_threads)


def exact_device_of(args: argparse.Namespace) -> Device:
    """Choose the device for work that compares numbers: float32 unless another number type is named."""
    limit_threads(args.cpu_threads)
    return guess_device(args.device, "float32" if args.dtype == "auto" else args.dtype, args.cpu_threads)


def model_of(args: argparse.Namespace) -> ModelFiles:
    return describe_model(
        args.model_id, args.revision, args.language, args.prompt, args.tokenizer_from, args.tokenizer_revision
    )


def conditions_of(args: argparse.Namespace, adapter: AdapterIdentity | None = None) -> Conditions:
    """Conditions of a run. Raises UserError naming what is wrong with model folder or decode arguments."""
    device = device_of(args)
    return conditions(model_of(args), device, args.decode, args.target_rms, adapter)


def limits_of(args: argparse.Namespace) -> BatchLimits:
    return BatchLimits(args.batch_seconds, args.batch_size)


def named_path(text: str) -> tuple[str, Path]:
    """Read NAME=PATH, as in `--manifest domain=results/manifests/domain.jsonl`."""
    name, equals, path = text.partition("=")
    if not equals or not path or NAME.fullmatch(name) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH (names: letters, digits, _ and -)")
    return name, Path(path)


def by_name(pairs: list[tuple[str, Path]], option: str) -> dict[str, Path]:
    """Map names to paths. Raises UserError if a name occurs twice."""
    result: dict[str, Path] = {}
    for name, path in pairs:
        if name in result:
            raise UserError(f"{option} {name}={path}: the name {name!r} is {result[name]} already. Use another name.")
        result[name] = path
    return result


def optional_number(text: str) -> float | None:
    return None if text.lower() in {"none", "null"} else positive_number(text)


def positive_number(text: str) -> float:
    return parse_number(text, {"exclusiveMinimum": 0})


def positive(text: str) -> int:
    return parse_integer(text, {"minimum": 1})


def not_negative(text: str) -> int:
    return parse_integer(text, {"minimum": 0})
