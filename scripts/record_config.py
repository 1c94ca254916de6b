"""Write the complete configuration of a study beside its results.

Example: python scripts/record_config.py --json '{"model": null}' --config results/config.json
Reads: nothing. Writes: the configuration as indented JSON.
"""

from __future__ import annotations

import argparse
import json
import sys

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_text


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.config]):
        write_text(args.config, json.dumps(json.loads(args.json), indent=2, ensure_ascii=False) + "\n")
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", required=True, help="the complete configuration")
    parser.add_argument("--config", required=True, help="file to write")
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
