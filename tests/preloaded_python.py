"""A `python` for tests that starts in no time: each call is a fork of one process that has imported all packages.

A small study runs some sixty Python processes, which spend most of their time on importing torch, transformers, peft,
pandas, matplotlib, Snakemake and this project's modules. A call has its own arguments, environment, folder, files and
exit code, so that it behaves as a process of its own. Tests of kills, environments and installations use the real
interpreter.

`preloaded_python` starts the server and returns the path of the interpreter, a few lines that connect to the server.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import importlib.machinery
import json
import os
import pkgutil
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = (
    "torch",
    "transformers",
    "transformers.models.moonshine.modeling_moonshine",
    "peft",
    "accelerate",
    "pandas",
    "scipy.stats",
    "soundfile",
    "snakemake.cli",
    "snakemake.api",
    "snakemake.executors.local",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)
PROJECT = "lora"
MESSAGE = 2**22  # bytes of a request at most
PATIENCE = 60.0  # seconds until the server must be ready


@functools.cache
def preloaded_python() -> str:
    """Path of the interpreter; its server ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="preloaded-")
    atexit.register(folder.cleanup)
    address = Path(folder.name) / "socket"
    server = subprocess.Popen([sys.executable, __file__, str(address)], stdin=subprocess.PIPE)
    atexit.register(server.kill)
    interpreter = Path(folder.name) / "python"
    client = Path(__file__).with_name("preloaded_client.py")
    command = shlex.join([sys.executable, "-IS", str(client), str(address)])
    interpreter.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    interpreter.chmod(0o755)
    deadline = time.monotonic() + PATIENCE
    while not address.exists() and server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return str(interpreter)


def serve(address: str) -> Iterator[dict[str, Any]]:
    """Fork for every request; yields, in the new process alone, what it asks for."""
    for package in (*PACKAGES, *_modules_of_the_project()):
        importlib.import_module(package)
    _compile_records(sys.modules[f"{PROJECT}.records.base"].Record)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{address}.new")
    listener.listen(64)
    Path(f"{address}.new").rename(address)
    gc.freeze()  # else the garbage collection of every fork would copy all objects
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors need no waiting for
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)  # the process that started the server has ended
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        request, files = _received(connection)
        child = os.fork()
        if child:
            _supervise(child, connection, files)
        connection.close()
        for target, file in enumerate(files):
            os.dup2(file, target)
            os.close(file)
        yield request
        return


def _modules_of_the_project() -> list[str]:
    """All modules of this checkout's library but those that are commands."""
    source = Path(__file__).parents[1] / "src"
    sys.path.insert(0, str(source))
    package = importlib.import_module(PROJECT)
    modules = pkgutil.walk_packages(package.__path__, f"{PROJECT}.")
    return [module.name for module in modules if not module.name.endswith("__main__")]


def _compile_records(kind: Any) -> None:
    """Records are compiled at their first use, which would be in every call again."""
    kind.model_rebuild()
    for derived in kind.__subclasses__():
        _compile_records(derived)


def _forget_the_project_unless_asked_for() -> None:
    """A call may have another copy of the project on its path, or none."""
    found = importlib.machinery.PathFinder.find_spec(PROJECT)
    if found is None or found.origin != sys.modules[PROJECT].__file__:
        for name in [name for name in sys.modules if name.partition(".")[0] == PROJECT]:
            del sys.modules[name]


def _received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    header, files, _, _ = socket.recv_fds(connection, 4, 3)
    size = int.from_bytes(header, "big")
    data = bytearray()
    while len(data) < size:
        data += connection.recv(min(MESSAGE, size - len(data)))
    return json.loads(data.decode("utf-8", "surrogateescape")), list(array.array("i", files))


def _supervise(child: int, connection: socket.socket, files: list[int]) -> None:
    """Report the child's exit code; stop it when its caller ends first, as a killed job does."""
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, connection], [], [])
    if ended not in ready:
        os.kill(child, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):  # nobody waits any more
        connection.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def run(request: dict[str, Any], interpreter: str) -> None:
    """What `python ARGUMENTS` does: `-m MODULE ...`, also after `-P`, or `SCRIPT ...`."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.executable = interpreter
    arguments = request["arguments"]
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if arguments[0] == "-P":
        arguments = arguments[1:]
    first = str(Path.cwd()) if arguments[0] == "-m" else str(Path(arguments[0]).resolve().parent)
    sys.path[:2] = [first, *added]
    _forget_the_project_unless_asked_for()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        if arguments[1].startswith(f"{PROJECT}."):
            sys.modules.pop(arguments[1], None)  # else runpy warns of a module that is imported twice
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def exit_code(request: dict[str, Any], interpreter: str) -> int:
    """Run, and return the exit code; a traceback goes to stderr as usual."""
    try:
        run(request, interpreter)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    for asked in serve(sys.argv[1]):
        code = exit_code(asked, str(Path(sys.argv[1]).parent / "python"))
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # freeing what torch and others have allocated would take seconds
