"""Say whether a study is ready for the sweep: exit code 0 when it is, else 1 with the reasons printed last.

Example:
    python scripts/check_gate.py --gate results/gate.json

Reads: the gate file, and the verdict beside it (verdict.json) for the criteria. Writes: nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lora.diagnosis.checks import CRITERIA
from lora.provenance.command import run_command
from lora.records.base import UserError
from lora.records.verdict import Gate, Verdict

HEADLINES = {True: "READY FOR THE SWEEP", False: "NOT READY FOR THE SWEEP", None: "NO VERDICT ON THE SWEEP"}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", type=Path, required=True, help="gate file of decide_verdict.py")
    return parser.parse_args(argv)


def lines(gate: Gate, verdict: Verdict | None) -> Iterator[str]:
    if verdict is not None:
        limit = "none" if verdict.max_seconds is None else f"{verdict.max_seconds:g} s"
        yield (
            f"max_seconds: {limit} · evaluation manifest: {verdict.eval_manifest or 'none'} · "
            f"gate run: {verdict.gate_run or 'none'}"
        )
        yield from (f"  {c.status:<8}{c.id:<18}{c.summary}" for c in verdict.checks if c.id in CRITERIA)
    yield HEADLINES[gate.ready_for_sweep] + (":" if gate.reasons else "")
    yield from (f"  {number}. {reason}" for number, reason in enumerate(gate.reasons, start=1))


def execute(args: argparse.Namespace) -> int:
    if not args.gate.is_file():
        raise UserError(f"{args.gate}: no such file; ask for the gate first: snakemake --cores 2 gate")
    gate = Gate.read(args.gate)
    beside = args.gate.with_name("verdict.json")
    print("\n".join(lines(gate, Verdict.read(beside) if beside.is_file() else None)))
    return 0 if gate.ready_for_sweep else 1


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
