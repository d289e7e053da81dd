"""A race of threads of this process."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from pytest_pynenc_state.errors import ProcessTimeout
from pytest_pynenc_state.processes.calling import Done, done
from pytest_pynenc_state.processes.race import Outcome
from pytest_pynenc_state.waiting import wait_for_instant

# By default a thread that computes is only interrupted after 5 ms: longer than most calls,
# which would then be made one after the other.
_SWITCH_INTERVAL_S = 1e-6

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class _Racer(threading.Thread):
    """Makes one call at an instant that it is told when it is ready."""

    def __init__(self, call: Call, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.is_ready = threading.Event()
        self.is_told = threading.Event()
        self.start_ns = 0
        self.outcome: Done | None = None
        self._call = call

    def run(self) -> None:
        function, arguments = self._call
        self.is_ready.set()
        self.is_told.wait()
        wait_for_instant(self.start_ns)
        try:
            self.outcome = done(function, *arguments)
        except BaseException as error:  # noqa: BLE001 - an exit of one thread is an error of it
            now_ns = time.monotonic_ns()
            self.outcome = Done(None, error, self.start_ns, now_ns)


def raced_by_threads(
    calls: Sequence[Call], choose_starts: Callable[[], list[int]], name: str, timeout_s: float
) -> list[Outcome]:
    """Let a thread make each of *calls*; return what became of them, in their order.

    :param choose_starts: Called once all are ready; returns when each call is to be made.
    :raises ProcessTimeout: One has not ended in time. A thread cannot be ended: it goes on.
    """
    racers = [_Racer(call, f"{name} racer {index}") for index, call in enumerate(calls)]
    with _frequent_switches:
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.is_ready.wait()
        for racer, start_ns in zip(racers, choose_starts(), strict=True):
            racer.start_ns = start_ns
            racer.is_told.set()
        deadline_s = time.monotonic() + timeout_s
        for racer in racers:
            racer.join(max(0.0, deadline_s - time.monotonic()))
    return [_outcome(index, racer, timeout_s) for index, racer in enumerate(racers)]


def _outcome(index: int, racer: _Racer, timeout_s: float) -> Outcome:
    came = racer.outcome
    if came is None:
        frame = sys._current_frames().get(racer.ident or 0)
        where = "".join(traceback.format_stack(frame)) if frame else ""
        message = f"{racer.name} has not ended within {timeout_s:g} s; it goes on:\n{where}"
        raise ProcessTimeout(message.rstrip(), "see above where it is", "or raise --pynenc-timeout")
    return Outcome.of(index, os.getpid(), came)


class _FrequentSwitches:
    """Has threads switched between often as long as at least one race of threads is underway."""

    def __init__(self) -> None:
        # Keeps those apart that come and go at once: the first saves, the last restores.
        self._lock = threading.Lock()
        self._races = 0
        self._former_s = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._races == 0:
                self._former_s = sys.getswitchinterval()
                sys.setswitchinterval(_SWITCH_INTERVAL_S)
            self._races += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._races -= 1
            if self._races == 0:
                sys.setswitchinterval(self._former_s)


# The interval is one for the whole process.
_frequent_switches = _FrequentSwitches()
