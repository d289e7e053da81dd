"""Warm children that live as long as the test run, and serve test after test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pytest_pynenc_state.errors import ProcessDied, ProcessTimeout
from pytest_pynenc_state.processes.calling import Answer
from pytest_pynenc_state.processes.child_process import ChildProcess, answers
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.serving import End, Go, Leave, Prepare
from pytest_pynenc_state.processes.visiting import Visit
from pytest_pynenc_state.waiting import wait_until

# An idle child ends at once; its interpreter takes some time to.
_END_S = 5.0

# Hang guard: to leave a place takes milliseconds.
_LEAVE_S = 10.0


class Pool:
    """Children that are where a test is, or nowhere.

    A child that died, or does not do what it is told, is killed, and another one takes its
    place when it is needed. What asks the children is for one thread at a time: see `alone`.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        # Each child, and where it is.
        self._children: dict[ChildProcess, Visit | None] = {}
        # Those that were asked something, and whose answer nobody has got yet.
        self._asked: set[ChildProcess] = set()
        # Keeps what one thread asks the children, and what they answer, from all others.
        self._in_use = threading.Lock()

    @property
    def pids(self) -> list[int]:
        """The ids of the living children, the eldest first."""
        return [child.pid for child in list(self._children) if child.is_alive()]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the children for oneself, as soon as no other thread has them.

        Whatever cuts that off, a child whose answer is still to come does not stay here: the
        next one to ask would take that answer for another one.
        """
        with self._in_use:
            try:
                yield
            finally:
                self.drop(list(self._asked))

    def take(self, count: int) -> list[ChildProcess]:
        """Return *count* children, always the same ones; start those that are missing."""
        for child in list(self._children):
            if not child.is_alive():
                self.drop([child])
        while len(self._children) < count:
            self._children[ChildProcess(self._guard)] = None
        return list(self._children)[:count]

    def prepare(
        self,
        calls: Mapping[ChildProcess, bytes],
        visit: Visit,
        names: Mapping[ChildProcess, str],
        timeout_s: float,
    ) -> None:
        """Bring children to a place, and return once each is ready to make its call.

        :param names: Each child, and what it was asked to do, for messages.
        :raises ProcessDied: One has died.
        :raises ProcessTimeout: One is not ready in time. In both cases all are dropped.
        :raises Exception: What a child raised when it opened the app or looked for the function.
        """
        for child, call in calls.items():
            is_there = self._children[child] == visit
            if not is_there:
                child.stdout.forget()
                child.stderr.forget()
            # Until it has said so, nobody knows where it is.
            self._children[child] = None
            self.ask(child, Prepare(None if is_there else visit, call))
        errors = []
        for child, answer in self.collect(names, timeout_s).items():
            if error := answer.unpacked().error:
                errors.append(error)
            else:
                self._children[child] = visit
        if errors:
            raise errors[0]

    def ask(self, child: ChildProcess, request: Prepare | Go | Leave) -> None:
        """Send a request; somebody has to collect the answer."""
        self._asked.add(child)
        child.send(request)

    def collect(
        self, names: Mapping[ChildProcess, str], timeout_s: float
    ) -> dict[ChildProcess, Answer]:
        """Return the next answer of each child.

        :raises ProcessDied: One has died.
        :raises ProcessTimeout: One has not answered in time. In both cases all are dropped.
        """
        try:
            collected = dict(answers(names, timeout_s))
        except BaseException:
            self.drop(list(names))
            raise
        self._asked.difference_update(collected)
        return collected

    def logs(self) -> str:
        """What each child printed last, since it came to where it is."""
        printed = {child: child.printed() for child, visit in dict(self._children).items() if visit}
        return "\n".join(f"pid {child.pid}:\n{text}" for child, text in printed.items() if text)

    def leave(self) -> None:
        """Have each child close the app it has, and return once all have.

        A race that is still underway in another thread comes to its end first.

        :raises Exception: What a child raised; it is dropped.
        """
        with self.alone():
            away = [child for child, visit in self._children.items() if visit is not None]
            for child in away:
                self.ask(child, Leave())
                self._children[child] = None
            for child in away:
                self._await_leave(child)

    def _await_leave(self, child: ChildProcess) -> None:
        try:
            answer = self.collect({child: "leaving a place"}, _LEAVE_S)[child]
        except (ProcessDied, ProcessTimeout):
            return
        if error := answer.unpacked().error:
            self.drop([child])
            raise error

    def drop(self, children: Sequence[ChildProcess]) -> None:
        """Kill children."""
        for child in children:
            # An interrupt may have come between the two before.
            self._children.pop(child, None)
            self._asked.discard(child)
        for child in children:
            child.dispose()

    def close(self) -> None:
        """End all children, and what they have started."""
        with self.alone():
            children = list(self._children)
            self._children.clear()
            for child in children:
                child.send(End())
            for child in children:
                wait_until(lambda child=child: not child.is_alive(), _END_S)  # type: ignore[misc]
                child.dispose()
