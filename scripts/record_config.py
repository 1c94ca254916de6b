"""Write the complete configuration of a study to its results.

Example: python scripts/record_config.py --source work/config.json --config results/config.json
Reads: the configuration as JSON. Writes: the same, indented.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.provenance.recording import recording
from lora.records.base import UserError, write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, required=True, metavar="JSON", help="the complete configuration")
    parser.add_argument("--config", type=Path, required=True, metavar="JSON", help="file to write")


def record_config(source: Path, config: Path) -> None:
    with recording(outputs=[config]):
        try:
            configuration = json.loads(source.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(
                f"{source}: no JSON ({error}); every run writes it anew: run the same command again"
            ) from None
        write_text(config, json.dumps(configuration, indent=2, ensure_ascii=False) + "\n")


main = command(__doc__, add_arguments, lambda args: record_config(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
