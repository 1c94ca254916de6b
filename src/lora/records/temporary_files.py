"""Names of temporary files and folders next to what they will replace."""

from __future__ import annotations

import os
import platform
import shutil
import zlib
from pathlib import Path

HOST = f"{zlib.crc32(platform.node().encode()):08x}"  # nodes of a cluster share folders, but not numbers of processes
SUFFIX = ".tmp"


def temporary_for(path: Path) -> Path:
    """A name for this process's file or folder that will replace `path`; its folder exists.

    Removes what processes of this machine that were killed left under such names, which nobody would ever use. One of
    them may have had the number of this process: a container that is started again gives the same ones.
    """
    beginning = f".{path.name}.{HOST}."
    for other in path.parent.iterdir():
        if other.name.startswith(beginning) and other.name.endswith(SUFFIX):
            process = other.name[len(beginning) : -len(SUFFIX)]
            if process.isdecimal() and (int(process) == os.getpid() or not _is_running(int(process))):
                _remove(other)
    return path.with_name(f"{beginning}{os.getpid()}{SUFFIX}")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it belongs to somebody else
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
