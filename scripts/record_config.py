"""Write the complete configuration of a study to its results.

Example: python scripts/record_config.py --source work/config.json --config results/config.json
Reads: the configuration as JSON. Writes: the same, indented.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_text


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.config]):
        configuration = json.loads(args.source.read_text(encoding="utf-8"))
        write_text(args.config, json.dumps(configuration, indent=2, ensure_ascii=False) + "\n")
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, metavar="JSON", help="the complete configuration")
    parser.add_argument("--config", required=True, metavar="JSON", help="file to write")
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
