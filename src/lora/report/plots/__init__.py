"""Pictures of the facts, deterministic as PNG and SVG; the only part of the report that imports matplotlib."""

import importlib
import os

# The import of matplotlib ends with an error where the environment names a backend that it does not know: that of
# notebooks, or one of an older version. Figures are drawn without one.
backend = os.environ.pop("MPLBACKEND", None)
importlib.import_module("matplotlib")
if backend is not None:
    os.environ["MPLBACKEND"] = backend
