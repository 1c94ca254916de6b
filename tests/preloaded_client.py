"""The side of the caller of `preloaded_python`, with few imports: it starts once for each process of a study."""

from __future__ import annotations

import json
import os
import socket
import sys


def call(address: str, arguments: list[str]) -> None:
    """Let the server run `python ARGUMENTS`, and exit as it does. Where there is no server, run it here."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address)
    except OSError:
        os.execv(sys.executable, [sys.executable, *arguments])
    request = {
        "arguments": arguments,
        "cwd": os.getcwd(),  # noqa: PTH109, importing pathlib takes as long as the rest
        "environment": dict(os.environ),
    }
    data = json.dumps(request).encode("utf-8", "surrogateescape")
    socket.send_fds(connection, [len(data).to_bytes(4, "big")], [0, 1, 2])
    connection.sendall(data)
    answer = connection.recv(1)
    os._exit(answer[0] if answer else 1)


if __name__ == "__main__":
    call(sys.argv[1], sys.argv[2:])
