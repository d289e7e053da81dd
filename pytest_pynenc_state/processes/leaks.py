"""What a test leaves behind: processes, threads and sockets; found, ended if possible, named.

Processes are found wherever they went: by the mark of their family (see `guard`), or because
they descend from this process. A new thread or socket of this process is simply new.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_pynenc_state.errors import ProcessLeaked
from pytest_pynenc_state.processes.guard import has_mark, is_dead, process_ids, stat_fields
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.sockets import address_of, open_sockets
from pytest_pynenc_state.processes.threads import NAMED, stack_of
from pytest_pynenc_state.waiting import wait_until

# How long what is about to end may take to: nothing waits for it unless there is something.
_GRACE_S = 2.0

# Hang guard: the kernel needs microseconds to end a process, unless it is asleep.
_KERNEL_S = 10.0

# Of the fields that come after the name of a process: its parent, and when it started.
_PARENT, _START = 1, 19

# pymongo's clients keep threads of these names for as long as they live: ours live on for the
# tests to come.
_LASTING_THREADS = ("pymongo_",)

_REMEDIES = (
    "end it in the test, or in the fixture that starts it, after the yield",
    "let a fixture of a wider scope, which the test names, start what is meant to stay",
    "or allow it: @pytest.mark.pynenc_no_leak_check, or --pynenc-check-leaks off for all tests",
)


@dataclass(frozen=True)
class _Snapshot:
    """What there is at one moment."""

    processes: set[int]
    threads: set[threading.Thread]
    sockets: dict[int, int]

    @classmethod
    def now(cls) -> _Snapshot:
        return cls(process_ids(), set(threading.enumerate()), open_sockets())


@dataclass
class _Leaks:
    """What is there, was not before, and belongs to the test."""

    processes: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    sockets: dict[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.processes or self.threads or self.sockets)

    def lines(self) -> Iterator[str]:
        """Describe each of them while it is there."""
        for pid in self.processes:
            yield f"process {pid}, {_age(f'/proc/{pid}')}: {_command(pid)}"
        for thread in self.threads:
            age = _age(f"/proc/self/task/{thread.native_id}")
            yield f"thread {thread.name}, {age}:\n{stack_of(thread)}".rstrip()
        for descriptor, address in self.sockets.items():
            yield f"socket, file descriptor {descriptor}: {address}"


class LeakCheck:
    """Remembers what was there when it was made, and later finds what a test has left.

    :param guard: What this session has started lives on: the guard, and the sessions that it
        watches.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._before = _Snapshot.now()

    def close(self, *, with_sockets: bool) -> None:
        """Return if nothing is left, or ends in a moment; else end what can be ended.

        :param with_sockets: Also look for sockets. The traceback of a failed test may hold
            some that the test itself does not.
        :raises ProcessLeaked: Something was left. Processes have been killed (-9) by now.
        """
        leaks = self._found(with_sockets=with_sockets)
        if not leaks:
            return
        # What nobody refers to any more is no leak, only not collected yet.
        gc.collect()

        def has_ended() -> bool:
            nonlocal leaks
            leaks = self._found(with_sockets=with_sockets)
            return not leaks

        if wait_until(has_ended, _GRACE_S):
            return
        lines = "\n".join(leaks.lines())
        outcome = "" if wait_until(self._killed_all, _KERNEL_S) else "; not all could be killed"
        killed = f" (processes were killed{outcome})" if leaks.processes else ""
        message = f"the test left this behind{killed}:\n{lines}"
        raise ProcessLeaked(message, *_REMEDIES)

    def _found(self, *, with_sockets: bool) -> _Leaks:
        return _Leaks(
            self._new_processes(),
            self._new_threads(),
            self._new_sockets() if with_sockets else {},
        )

    def _killed_all(self) -> bool:
        """Kill what is left; whether nothing was. One that is found may just have been forked."""
        processes = self._new_processes()
        for pid in processes:
            # One of another user, or that has just ended.
            with suppress(PermissionError, ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not processes

    def _new_processes(self) -> list[int]:
        candidates = process_ids() - self._before.processes - _lasting_processes(self._guard)
        mark = self._guard.mark
        return sorted(
            pid
            for pid in candidates
            if not is_dead(pid) and (has_mark(pid, mark) or _descends_from_here(pid))
        )

    def _new_threads(self) -> list[threading.Thread]:
        new = set(threading.enumerate()) - self._before.threads - {threading.current_thread()}
        return sorted(filter(_is_leaked, new), key=lambda thread: thread.name)

    def _new_sockets(self) -> dict[int, str]:
        new = open_sockets()
        for known in self._before.sockets:
            new.pop(known, None)
        ports = _lasting_ports() if new else set()
        addresses = {descriptor: address_of(descriptor) for descriptor in new.values()}
        return {
            descriptor: address[0]
            for descriptor, address in addresses.items()
            if address is not None and address[1] not in ports
        }


def _lasting_processes(guard: Guard) -> set[int]:
    """The processes that this session, or Python itself, keeps for the tests to come."""
    lasting = {*guard.watched, guard.pid}
    for module, attribute, pid in _KEPT_BY_PYTHON:
        keeper = getattr(sys.modules.get(module), attribute, None)
        lasting.add(getattr(keeper, pid, None))
    return {pid for pid in lasting if pid is not None}


# multiprocessing starts one of each when it first needs it, and then uses it for ever.
_KEPT_BY_PYTHON = (
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
)


def _lasting_ports() -> set[int | None]:
    """Where the MongoDB clients that we keep for the tests to come are connected to."""
    mongo = sys.modules.get("pytest_pynenc_state.backends.mongo.connection")
    return mongo.connected_ports() if mongo else set()


def _is_leaked(thread: threading.Thread) -> bool:
    # Of a dummy, which stands for a thread that Python has not started, nobody knows whether it
    # has ended.
    return (
        thread.is_alive()
        and thread not in NAMED
        and not isinstance(thread, threading._DummyThread)
        and not thread.name.startswith(_LASTING_THREADS)
        and not _waits_for_work(thread)
    )


def _waits_for_work(thread: threading.Thread) -> bool:
    """Whether it is an idle one of a pool: that keeps it until nobody refers to the pool.

    The pool may be older, as that of an event loop is: it starts its threads when they are needed.
    """
    pools = sys.modules.get("concurrent.futures.thread")
    frame = sys._current_frames().get(thread.ident or 0)
    return pools is not None and frame is not None and frame.f_code is pools._worker.__code__


def _descends_from_here(pid: int) -> bool:
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        fields = stat_fields(f"/proc/{pid}/stat")
        pid = int(fields[_PARENT]) if fields else 0
        if pid == os.getpid():
            return True
    return False


def _age(folder: str) -> str:
    fields = stat_fields(f"{folder}/stat")
    if not fields:
        return "ended by now"
    started_s = int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    return f"{time.clock_gettime(time.CLOCK_BOOTTIME) - started_s:.1f} s old"


def _command(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        return os.fsdecode(b" ".join(words)) or "a kernel's, or one that has hidden its command"
    return "ended by now"
