"""How often comparisons of recipes are wrong, by simulation with the shipped code: tables of docs/methods.md.

Example:
    python benchmarks/calibrate_recipes.py --page docs/methods.md      # all tables, 4 minutes on one free core
    python benchmarks/calibrate_recipes.py --only trends --sets 50     # one table of fewer sets; writes nothing

Writes, with --page, the tables of that page between their marks `<!-- recipes NAME -->` and `<!-- end -->`. What is
simulated is described in simulated_recipes.py.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import factor_tables
import recipe_tables

TABLES = {  # name: function and number of simulated sets per line
    "parts": (recipe_tables.parts, 20000),
    "intervals": (recipe_tables.intervals, 1000),
    "pooling": (recipe_tables.pooling, 1000),
    "grids": (recipe_tables.grids, 400),
    "trends": (factor_tables.trends, 400),
    "curves": (factor_tables.curves, 500),
    "power": (factor_tables.power, 400),
}


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TABLES, action="append", help="repeat for more; default: all")
    parser.add_argument("--sets", type=int, metavar="N", help="simulated sets per line; default: as published")
    parser.add_argument("--page", type=Path, metavar="MD", help="replace the tables of this page")
    return parser.parse_args(argv)


def table(name: str, sets: int | None = None) -> str:
    """One table as Markdown."""
    compute, published = TABLES[name]
    return compute(sets or published).markdown()


def with_table(page: str, name: str, text: str) -> str:
    """The page with this table between its marks.

    Raises:
        ValueError: the page has no such marks.
    """
    marks = re.compile(rf"(<!-- recipes {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"the page lacks <!-- recipes {name} --> and <!-- end -->")
    return marks.sub(lambda found: f"{found[1]}{text}{found[2]}", page)


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.page and args.sets:
        raise SystemExit("--sets computes fewer sets than the page states; leave out --sets or --page")
    for name in args.only or TABLES:
        begun = time.perf_counter()
        text = table(name, args.sets)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
        print(text, flush=True)
        if args.page:
            page = args.page.read_text(encoding="utf-8")
            args.page.write_text(with_table(page, name, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
