"""What input files contain, as params: Snakemake compares contents only of files that are newer than the results.

A file that was moved to its place, or came from an archive or a backup, has an old time. An edit gives a file a new
time, so samples of each file are enough here: they show that it is another one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from lora.provenance.hashes import content_hash, sampled_hash
from lora.workflow import files
from lora.workflow.study import Study


def of_manifest(study: Study, manifest: str) -> str:
    """The files that list a manifest's rows."""
    return _contents(files.manifest_files(study, manifest))


def of_model(study: Study, run: str) -> str:
    """The model that a run transcribes with, and its adapter where that is external."""
    return _contents([*files.model_files(study, run), *files.external_adapter_files(study, run)])


def of_training_record(study: Study, run: str) -> str:
    """What another trainer recorded of a run."""
    return _contents(files.training_record(study, run))


def of_hypotheses(study: Study, run: str, manifest: str) -> str:
    """Imported transcripts and their settings."""
    return _contents([*files.imported_hypotheses(study, run, manifest), *files.imported_settings(study, run, manifest)])


def of_reviews(study: Study) -> str:
    """Judgements of listeners."""
    return _contents(study.config.reviews)


def _contents(paths: Iterable[str]) -> str:
    return f"contents {content_hash(*map(_sampled, paths))[:12]}"


@functools.cache
def _sampled(path: str) -> bytes:
    """Hash of size and samples of a file; nothing where it cannot be read, which Snakemake reports."""
    try:
        return sampled_hash(path).encode()
    except OSError:
        return b""
