"""A stand-in for the `conda` program, for tests without network: solves and installs with rattler from a local channel.

Example: conda env create --file envs/data.yaml --prefix .snakemake/conda/abc
Reads: STAND_IN_CHANNEL (folder of the channel), STAND_IN_BASE (folder with bin/activate).
Writes: the environment.
Supports only the commands that Snakemake calls. It shows that the environments are created and activated, not that
conda-forge can solve them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

ACTIVATE = 'export CONDA_PREFIX="$1"; export PATH="$1/bin:$PATH"; unset PYTHONPATH\n'


def create_environment(arguments: list[str]) -> None:
    import rattler
    import yaml

    file = Path(arguments[next(i for i, a in enumerate(arguments) if a in ("--file", "-f")) + 1].strip("'\""))
    prefix = Path(arguments[next(i for i, a in enumerate(arguments) if a in ("--prefix", "-p")) + 1].strip("'\""))
    channel = rattler.Channel(Path(os.environ["STAND_IN_CHANNEL"]).as_uri())
    dependencies = yaml.safe_load(file.read_text())["dependencies"]
    # What pip would install comes from the channel, too, because these tests use no network.
    specs = [
        entry
        for dependency in dependencies
        for entry in (dependency["pip"] if isinstance(dependency, dict) else [dependency])
    ]

    async def create() -> None:
        records = await rattler.solve([channel], specs, platforms=["linux-64", "noarch"])
        await rattler.install(
            records, prefix, cache_dir=Path(os.environ["STAND_IN_BASE"]) / "pkgs", show_progress=False
        )

    asyncio.run(create())


def main(arguments: list[str]) -> int:
    base = Path(os.environ["STAND_IN_BASE"])
    if arguments == ["--version"]:
        print("conda 25.1.1")
    elif arguments[:1] == ["info"]:
        (base / "bin").mkdir(parents=True, exist_ok=True)
        (base / "bin" / "activate").write_text(ACTIVATE)
        print(json.dumps({"conda_prefix": str(base), "platform": "linux-64"}))
    elif arguments[:1] == ["config"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ["env", "create"]:
        create_environment(arguments)
    elif arguments[:1] == ["clean"]:
        pass
    else:
        print(f"the stand-in does not support: conda {' '.join(arguments)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Skip Python's shutdown, which sometimes fails on a thread of rattler that is still running.
    os._exit(code)
