"""Convert a manifest of any format to a canonical one, and report how it was read.

Example:
    python scripts/convert_manifest.py --manifest data/kaldi/train --output data/train.jsonl

Reads: the manifest (formats: docs/data.md), headers of its audio. Writes: JSON lines with audio paths relative to the
output; recordings that are inside the manifest go to `<output name>.audio/` next to it; with `--rejected` a TSV of the
rows that cannot be used (line, id, reason). Existing files are overwritten only with `--force`.
"""

from __future__ import annotations

import sys

from lora.provenance.command import command
from lora.stages.conversion import add_arguments, execute

main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
