"""Write a study folder with a commented config.yaml from a few paths; nothing that exists is changed.

Example:
    lora-diagnose init my-study --model openai/whisper-tiny --train train.jsonl --domain dev.jsonl --general clean.jsonl

Finds out the manifests' formats, columns, rows and durations, the model's family, and the language where the manifests
name one. Keys that are left out of config.yaml have their defaults (docs/configuration.md).
Reads: the manifests, headers of audio whose duration no manifest gives, the configuration of a local model.
Writes: `<folder>/config.yaml` and `<folder>/.gitignore`. The code stays where it is, so that `git pull` never meets a
file of yours.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from lora.asr.model_files import CONFIGURATION, family_of, written_model_type
from lora.configuration.loading import load_configuration
from lora.data.formats.registry import contains_audio, detect_format, manifest_files, read_source
from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.layout import BASE, NOT_EVALUATED, TRAIN
from lora.records.base import UserError, write_text
from lora.runners.study_text import FoundManifest, StudyPaths, languages_of, study_text

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
GITIGNORE = "results/\nwork/\n.snakemake/\n"
COMMON_STEMS = {"manifest", "metadata", "data", "all"}  # the folder's name says what they are


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of the study; created if it does not exist")
    parser.add_argument(
        "--model",
        "--model-id",
        required=True,
        metavar="ID",
        help="model folder, or id of a model on the Hugging Face hub",
    )
    parser.add_argument("--revision", metavar="COMMIT", help="revision of a model on the hub")
    parser.add_argument("--train", "--dataset-path", required=True, metavar="PATH", help="training manifest")
    parser.add_argument(
        "--domain",
        "--manifest-path",
        nargs="+",
        required=True,
        metavar="[NAME=]PATH",
        help="evaluation manifests of the domain, which can show a gain",
    )
    parser.add_argument(
        "--general",
        "--safety-manifest-path",
        nargs="+",
        default=[],
        metavar="[NAME=]PATH",
        help="evaluation manifests of general speech, which can show forgetting",
    )
    parser.add_argument(
        "--adapter",
        nargs="+",
        default=[],
        metavar="[NAME=]DIR",
        help="adapters that were trained earlier, to be diagnosed in the same run",
    )
    parser.add_argument("--language", metavar="CODE", help="language of the recordings, for multilingual models")


def execute(args: argparse.Namespace) -> int:
    config = args.folder / "config.yaml"
    if config.exists() or config.is_symlink():
        raise UserError(f"{config}: exists already, and init never overwrites; edit it, or name another folder")
    if args.folder.exists() and not args.folder.is_dir():
        raise UserError(f"{args.folder}: it is a file; name a folder")
    named = _named(args)
    manifests = {name: inspect(name, path, args.folder) for name, path in named.items()}
    names = list(manifests)
    model = args.model
    is_local = Path(model).is_dir()
    family = family_of(model) if is_local else None
    languages = {code for found in manifests.values() for code in found.languages}
    paths = StudyPaths(
        model=_relative(Path(model), args.folder) if is_local else model,
        revision=args.revision,
        model_kind=_kind_of(model) if is_local else None,
        takes_language=family is not None and "language" in family.model_keys,
        language=args.language or (languages.pop() if len(languages) == 1 else None),
        manifests=manifests,
        general=names[1 : 1 + len(args.general)],
        domain=names[1 + len(args.general) :],
        adapters={
            name: _relative(path, args.folder)
            for name, path in _unique(args.adapter, "--adapter", taken={"lora", BASE}).items()
        },
    )
    text = study_text(paths)
    is_new = not args.folder.exists()
    args.folder.mkdir(parents=True, exist_ok=True)
    try:
        load_configuration(yaml.safe_load(text), None, args.folder)
    except UserError:
        if is_new:
            args.folder.rmdir()
        raise
    write_text(config, text)
    ignore = args.folder / ".gitignore"
    if not ignore.exists():
        write_text(ignore, GITIGNORE)
    _report(config, manifests, args)
    return 0


def inspect(name: str, path: Path, folder: Path) -> FoundManifest:
    """Find out how a manifest is read and what it contains. Raises UserError if it cannot be read."""
    source = Source(path, silence=name not in NOT_EVALUATED)
    try:
        relative = _relative(path, folder) if path.exists() else str(path)
        found = detect_format(source)
        if contains_audio(source):  # its recordings are unpacked by the workflow
            return FoundManifest(relative, found.format, files=len(manifest_files(source)))
        languages = languages_of(read_source(source).entries)
        manifest = read_manifest(source)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    if not manifest.rows:
        reasons = "; ".join(f"line {one.line}: {one.reason}" for one in manifest.rejected[:3])
        raise UserError(f"{name}: {path}: no row can be used ({reasons or 'there is none'})")
    return FoundManifest(
        relative,
        manifest.format,
        rows=len(manifest.rows),
        rejected=len(manifest.rejected),
        hours=sum(row.duration for row in manifest.rows) / 3600,
        columns=dict(manifest.columns),
        languages=languages,
        notes=tuple(manifest.notes),
    )


def _named(args: argparse.Namespace) -> dict[str, Path]:
    """All manifests by name: training, general, domain."""
    taken = {*NOT_EVALUATED, BASE}
    general = _unique(args.general, "--general", taken)
    domain = _unique(args.domain, "--domain", {*taken, *general})
    return {TRAIN: Path(args.train), **general, **domain}


def _unique(given: Sequence[str], flag: str, taken: Iterable[str]) -> dict[str, Path]:
    """Paths by name: the name before `=`, else made of the path, with a number where it is taken."""
    used = set(taken)
    named: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if equals and NAME.fullmatch(name) and not Path(text).exists():
            if name in used:
                raise UserError(f"{flag} {text}: the name {name!r} is taken. Use another name.")
        else:
            path = text
            stem = _stem(Path(text))
            names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
            name = next(name for name in names if name not in used)
        used.add(name)
        named[name] = Path(path)
    return named


def _stem(path: Path) -> str:
    """A name made of the file's, or of its folder's where files of that name are common."""
    stems = [re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-_") for part in (path.name.split(".")[0], path.parent.name)]
    stems = [re.sub(r"[-_]manifest$", "", stem) for stem in stems]
    return next((stem for stem in stems if stem and stem not in COMMON_STEMS), stems[0] or "manifest")


def _relative(path: Path, folder: Path) -> str:
    if not path.exists():
        raise UserError(f"no such file or folder: {path}")
    return os.path.relpath(path.absolute(), folder.absolute())


def _kind_of(model: str) -> str | None:
    """`model_type` of a local model."""
    if not (Path(model) / CONFIGURATION).is_file():
        raise UserError(f"--model {model}: it has no config.json; name the folder of a model, or its id on the hub")
    return written_model_type(model)


def _report(config: Path, manifests: dict[str, FoundManifest], args: argparse.Namespace) -> None:
    width = max(map(len, manifests))
    print(f"written: {config}")
    for name, found in manifests.items():
        print(f"  {name:<{width}}  {found.described()}")
    if not args.general:
        print("  no general manifest: forgetting is not watched (--general)")
    study = shlex.quote(str(args.folder))
    print(f"next: lora-diagnose plan -d {study}, then lora-diagnose run -d {study}")
