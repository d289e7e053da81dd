"""Finding and ending all processes of a session, children of children and orphans too.

A child that we start leads a session of its own. Whatever it forks or spawns stays in
that session, also after its parent has died and init has adopted it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress

import psutil

from pytest_pynenc_state.waiting import wait_until


def has_ended(process: psutil.Process) -> bool:
    """Whether nothing is left of a process, but perhaps an entry for its parent to read.

    A process that is killed looks like that already while its other threads are still ending.
    """
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
    except psutil.NoSuchProcess:
        return True


def session_members(session_id: int) -> list[psutil.Process]:
    """The living processes of a session, in no order."""
    members = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == session_id and not has_ended(process):
                members.append(process)
    return members


def gone_within(session_id: int, timeout_s: float) -> bool:
    """Whether the session's last process ends before *timeout_s* has passed."""
    return wait_until(lambda: not session_members(session_id), timeout_s)


def kill_session(session_id: int, timeout_s: float) -> bool:
    """Kill (-9) all processes of a session; whether they were gone before *timeout_s*.

    Looks again until none is left, because a process may fork while it is being looked for.
    """

    def killed() -> bool:
        members = session_members(session_id)
        for process in members:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        return not members

    return wait_until(killed, timeout_s)


def described(processes: Sequence[psutil.Process]) -> str:
    """One line per process: pid, state and command."""
    lines = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline()) or process.name()
            lines.append(f"pid {process.pid} ({process.status()}): {command}")
    return "\n".join(lines)
