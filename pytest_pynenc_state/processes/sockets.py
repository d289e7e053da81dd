"""The sockets of this process, and where they lead."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

_DESCRIPTORS = "/dev/fd"


def open_sockets() -> dict[int, int]:
    """Each open socket's number, which no other socket has, and a descriptor of it."""
    found: dict[int, int] = {}
    # Lists also the descriptor that it reads them from, closed by the time it is looked at.
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - pathlib takes many times as long
        try:
            status = os.fstat(int(name))
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.setdefault(status.st_ino, int(name))
    return found


def address_of(descriptor: int) -> tuple[str, int | None] | None:
    """Where a socket leads, in words, and the port of its peer, if there are both.

    :returns: None if it has no address: it leads from this process to itself or a child, or
        nowhere.
    """
    try:
        copy = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return None
    with copy:
        own, peer = copy.getsockname(), None
        with suppress(OSError):
            peer = copy.getpeername()
        if copy.family == socket.AF_UNIX:
            path = own or peer
            return (f"UNIX socket {os.fsdecode(path)}", None) if path else None
        if copy.family not in (socket.AF_INET, socket.AF_INET6) or own[1] == 0:
            return None
        kind = "TCP" if copy.type == socket.SOCK_STREAM else "UDP"
        here = f"{kind} {own[0]} port {own[1]}"
        if peer is None:
            return here, None
        return f"{here}, connected to {peer[0]} port {peer[1]}", peer[1]
