"""NIST SCTK (Debian package sctk) for tests: its alignments of two runs, and its own MAPSSWE of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lora.records.scores import Edit

Texts = Mapping[str, Sequence[str]]
PATH = re.compile(r'<PATH id="\(([^"]*)\)"[^>]*>\n(.*?)\n?</PATH>', re.DOTALL)
WORD = re.compile(r'([CSDI]),(?:"([^"]*)")?,(?:"([^"]*)")?')


class Report(NamedTuple):
    segments: int
    z: float  # first minus second system, three decimals
    p: str  # three decimals, or `<0.001`; of |z| cut to two decimals


def align(folder: Path, references: Texts, hypotheses: Texts, system: str) -> dict[str, list[Edit]]:
    """Word edits of sclite's own alignment, by utterance id (`<speaker>-<utterance>`)."""
    for name, texts in (("reference", references), (system, hypotheses)):
        (folder / name).write_text("".join(f"{' '.join(words)} ({id})\n" for id, words in texts.items()))
    command = f"sctk sclite -r reference trn -h {system} trn {system} -i spu_id -o sgml -O . -n {system}"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    sgml = (folder / f"{system}.sgml").read_text()
    return {id: _edits(words) for id, words in PATH.findall(sgml)}


def mapsswe(folder: Path, first: str, second: str) -> Report:
    """`sc_stats -t mapsswe` of two systems that were aligned in this folder."""
    alignments = "".join((folder / f"{system}.sgml").read_text() for system in (first, second))
    command = "sctk sc_stats -p -t mapsswe -n report -O ."
    for detail in ("-v", "-u"):
        subprocess.run(
            [*command.split(), detail], cwd=folder, check=True, capture_output=True, input=alignments, text=True
        )
    verbose = (folder / "report.stats.mapsswe").read_text()
    unified = (folder / "report.stats.unified").read_text()
    numbers = re.search(r"# segs: (\d+).*Z Stat: *(\S+)\)", verbose)
    p = re.search(r"\|\s+MP\s.*\|\s+\S+\s+(<?[\d.]+)", unified)
    assert numbers is not None, verbose
    assert p is not None, unified
    return Report(int(numbers[1]), float(numbers[2]), p[1])


def _edits(words: str) -> list[Edit]:
    edits, at = [], 0
    for kind, reference, hypothesis in WORD.findall(words):
        if kind != "C":
            edits.append(Edit(at, reference or None, hypothesis or None))
        at += kind != "I"
    return edits
