"""Damage files of every kind that other people write, read them as the workflow does, and count what went wrong.

Seeded and bounded: equal arguments write equal files. Each case has damaged rows or files next to good ones; the good
ones must survive, and the others must have a reason. docs/reliability.md has the figures.

Examples:
    python tests/reliability/fuzz.py --files 5000 --seed 1 --page docs/reliability.md
    python tests/reliability/fuzz.py --only "manifest: csv" --seed 1 --case 17 --keep /tmp/csv17
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from fuzzing.cases import KINDS, Finding, Reader, run_case
from fuzzing.readers import READERS
from tabulate import tabulate

from lora.provenance import recording
from lora.report.documents import replace_block

BLOCK = "generated: fuzz"
CHUNK = 10  # cases that one process reads in a row
MEMORY = 8 * 2**30  # bytes that a process may add to what its libraries take


@dataclass
class Tally:
    """Cases of a reader, those that were not refused as a whole, rows, files, seconds of the slowest, and findings."""

    cases: int = 0
    were_read: int = 0
    rows: int = 0
    files: int = 0
    slowest: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.were_read += other.were_read
        self.rows += other.rows
        self.files += other.files
        self.slowest = max(self.slowest, other.slowest)
        self.findings += other.findings


def prepare() -> None:
    """Limit the memory of this process, and leave out of run records what has to ask git."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    recording.code_commit = lambda: None
    recording.versions = dict


def fuzz_chunk(name: str, seed: int, first: int, count: int) -> Tally:
    """Run cases of one reader."""
    tally = Tally()
    for number in range(first, first + count):
        started = time.process_time()
        tried = run_case(READERS[name], seed, number)
        seconds = time.process_time() - started
        tally.add(Tally(1, tried.was_read, tried.case.rows, tried.case.files, seconds, tried.findings))
    return tally


def fuzz(readers: list[Reader], seed: int, files: int, jobs: int) -> dict[str, Tally]:
    """Run about `files` cases, equally many of each reader; a process that dies counts as a traceback."""
    share = -(-files // len(readers))
    tallies = {reader.name: Tally() for reader in readers}
    chunks = [(reader.name, first) for reader in readers for first in range(0, share, CHUNK)]
    while chunks:
        chunks = _run(chunks, seed, share, jobs, tallies)
    return tallies


def _run(
    chunks: list[tuple[str, int]], seed: int, share: int, jobs: int, tallies: dict[str, Tally]
) -> list[tuple[str, int]]:
    """Run chunks, and return those that are left after a process died."""
    left = list(chunks)
    waiting: dict[Future[Tally], tuple[str, int]] = {}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=prepare) as pool:
        queue = iter(chunks)
        try:
            while True:
                while len(waiting) < jobs and (chunk := next(queue, None)) is not None:
                    name, first = chunk
                    waiting[pool.submit(fuzz_chunk, name, seed, first, min(CHUNK, share - first))] = chunk
                if not waiting:
                    return []
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    name, first = waiting[done]
                    tallies[name].add(result := done.result())
                    for finding in result.findings:
                        print(f"\r{finding}", file=sys.stderr)
                    left.remove(waiting.pop(done))
                    progress(tallies, left)
        except BrokenProcessPool:
            for name, first in waiting.values():
                text = f"a process that read cases {first} to {first + CHUNK - 1}, or one next to it, died"
                tallies[name].findings.append(Finding(name, first, "tracebacks", text))
            return [chunk for chunk in left if chunk not in waiting.values()]


def progress(tallies: dict[str, Tally], left: list[tuple[str, int]]) -> None:
    cases = sum(tally.cases for tally in tallies.values())
    found = sum(len(tally.findings) for tally in tallies.values())
    print(f"\r{cases} cases, {found} findings, {len(left)} chunks left   ", end="", file=sys.stderr, flush=True)


def table_of(tallies: dict[str, Tally], command: str, seconds: float) -> str:
    """The figures as Markdown."""
    header = ["reader", "cases", "refused as a whole", "files", "rows", *KINDS, "slowest case (s of processor time)"]
    rows = [_line(name, tally) for name, tally in tallies.items()]
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    table = tabulate([*rows, _line("all", whole)], header, tablefmt="github", floatfmt=".1f", intfmt=",")
    return f"`{command}` ({seconds / 60:.0f} minutes):\n\n{table}"


def _line(name: str, tally: Tally) -> list[object]:
    found = Counter(finding.kind for finding in tally.findings)
    refused = tally.cases - tally.were_read
    return [name, tally.cases, refused, tally.files, tally.rows, *(found[kind] for kind in KINDS), tally.slowest]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000, help="number of cases, shared by the readers")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is chosen")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    parser.add_argument("--only", default="", help="readers whose name contains this")
    parser.add_argument("--case", type=int, help="run this case alone, in this process")
    parser.add_argument("--keep", type=Path, help="with --case: new folder for its files")
    parser.add_argument("--page", type=Path, help="document whose block gets the figures")
    args = parser.parse_args()
    readers = [reader for reader in READERS.values() if args.only in reader.name]
    if not readers:
        parser.error(f"--only: no reader's name contains {args.only!r}; readers are {', '.join(READERS)}")
    if args.case is not None:
        if args.keep is not None:
            args.keep.mkdir(parents=True)
        findings = [
            finding for reader in readers for finding in run_case(reader, args.seed, args.case, args.keep).findings
        ]
        print("\n".join(map(str, findings)) or "nothing found")
        return 1 if findings else 0
    started = time.monotonic()
    tallies = fuzz(readers, args.seed, args.files, args.jobs)
    only = f" --only '{args.only}'" if args.only else ""
    command = f'make fuzz ARGS="--files {args.files} --seed {args.seed}{only}"'
    text = table_of(tallies, command, time.monotonic() - started)
    print(f"\n{text}")
    if args.page is not None:
        document = args.page.read_text(encoding="utf-8")
        args.page.write_text(replace_block(document, BLOCK, text, args.page), encoding="utf-8")
    return 1 if any(tally.findings for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
