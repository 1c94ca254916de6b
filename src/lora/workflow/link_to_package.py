"""Link to the installed package, which the wheel contains as `lora/tool/src/lora/__init__.py`.

Jobs have `src` of the tool's folder on PYTHONPATH, which in a checkout contains the library and nothing else. The
site-packages folder of an installation would not do: it contains other people's packages, which must not replace those
of a conda environment.
"""

from pathlib import Path

__path__ = [str(Path(__file__).parents[3])]
