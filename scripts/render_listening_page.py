"""Write the listening page: every evaluated row with its audio, its reference and the hypotheses of all runs.

Example:
    python scripts/render_listening_page.py --results results --config results/config.json \\
        --page to-send --copy-audio flagged

Reads: rows, sounds, transcripts and facts below results/, the complete configuration; what is missing is left out.
Writes: a folder with index.html, which works without a server and without a network (docs/listening.md), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.report.listen.audio_links import COPY_AUDIO
from lora.stages.listening import render_listening_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="complete configuration (JSON)")
    parser.add_argument("--page", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--copy-audio",
        choices=COPY_AUDIO,
        default="none",
        help="copy the sound of rows whose words a run changed, of flagged rows (suspected references, mismatched "
        "transcripts, loops, the random sample), or of all rows; default: link the files where they are",
    )


main = command(__doc__, add_arguments, lambda args: render_listening_page(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
