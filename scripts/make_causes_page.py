"""Write docs/causes.md from the table of causes, the one place that holds their severities and remedies.

Example: python scripts/make_causes_page.py > docs/causes.md
Reads: nothing. Writes: the page on stdout.
"""

from __future__ import annotations

import sys

from lora.diagnosis.generated_docs import causes_page

if __name__ == "__main__":
    sys.stdout.write(causes_page())
