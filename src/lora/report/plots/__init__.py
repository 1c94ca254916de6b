"""Pictures of the facts, deterministic as PNG and SVG; the only part of the report that imports matplotlib."""

import os

# Before any module imports matplotlib, which ends with an error where the environment names a backend that it does not
# know: that of notebooks, or one of an older version.
os.environ["MPLBACKEND"] = "agg"
