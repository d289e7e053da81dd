"""Clients that take turns: some processes together on the server, or one on a mongomock."""

from __future__ import annotations

import multiprocessing
import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from pymongo.database import Database

from benchmarks.measuring import Series
from benchmarks.server_calls import CALLERS, MOST_CLIENTS, PING, Caller, Sample, Share
from pytest_pynenc_state.backends.mongo.connection import Document, get_client

#: How many processes use the server at once, in the order of the rows.
CLIENTS = (1, 2, MOST_CLIENTS)

#: Instead of a number of clients: the calling process has a mongomock of its own.
IN_PROCESS = 0

DATABASE = "benchmark"

# Hang guards: a process starts in seconds, and ends in less.
_PATIENCE_S = 60.0
_END_S = 5.0

# The first round does not count, and may be shorter.
_WARM_UP = 0.2


class Cell(NamedTuple):
    """One thing to measure: an operation, on a collection of a size, by so many clients."""

    operation: str
    clients: int
    size: int


class Turn(NamedTuple):
    """When a cell is measured, and for how long; round 0 does not count."""

    round: int
    cell: Cell
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The samples of one cell: of each round, one of each client."""

    rounds: Sequence[Sequence[Sample]]

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(len(sample.times_ns) for samples in self.rounds for sample in samples)

    @property
    def interval(self) -> Series:
        """The time from one call to the next one, of all clients together, in each round."""
        return Series([1e6 / _per_second(samples) for samples in self.rounds])

    @property
    def p50(self) -> Series:
        """The time that half of the calls did not exceed, in each round."""
        return Series([statistics.median(_times_us(samples)) for samples in self.rounds])

    @property
    def p99_us(self) -> float:
        """The time that 99 % of the calls of all rounds did not exceed."""
        times_us = [time_us for samples in self.rounds for time_us in _times_us(samples)]
        return statistics.quantiles(times_us, n=100, method="inclusive")[98]


def _per_second(samples: Sequence[Sample]) -> float:
    return sum(len(sample.times_ns) / sample.busy_ns * 1e9 for sample in samples)


def _times_us(samples: Sequence[Sample]) -> list[float]:
    return [time_ns / 1000 for sample in samples for time_ns in sample.times_ns]


def all_cells(sizes: Sequence[int]) -> dict[str, list[Cell]]:
    """What is measured, by operation; a mongomock in process has nothing to be pinged."""
    return {
        operation: [
            Cell(operation, clients, size)
            for clients in (*CLIENTS, *([] if operation == PING else [IN_PROCESS]))
            for size in sizes
        ]
        for operation in CALLERS
    }


def scheduled(sizes: Sequence[int], rounds: int, turn_s: float) -> list[Turn]:
    """All cells in each round: those of one operation together, else in another order."""
    chance = random.Random(rounds)
    operations = list(all_cells(sizes).values())
    turns: list[Turn] = []
    for number in range(rounds + 1):
        seconds = turn_s if number else turn_s * _WARM_UP
        chance.shuffle(operations)
        for cells in operations:
            chance.shuffle(cells)
            turns += [Turn(number, cell, seconds) for cell in cells]
    return turns


def played(url: str, own: Database[Document], turns: Sequence[Turn]) -> dict[Cell, Outcome]:
    """Let processes play their *turns* on the server at *url*, and this one play its own.

    :param own: The database in this process.
    :raises RuntimeError: A client failed, or did not answer; all of them have ended.
    """
    found: dict[Cell, list[list[Sample]]] = {}
    seat = _Seat(own, 0)
    with ExitStack() as stack:
        clients = [stack.enter_context(_client(url, number)) for number in range(MOST_CLIENTS)]
        for turn in turns:
            if turn.cell.clients == IN_PROCESS:
                samples = [seat.play(turn)]
            else:
                samples = _played_together(clients[: turn.cell.clients], turn)
            if turn.round:
                found.setdefault(turn.cell, []).append(samples)
    return {cell: Outcome(rounds) for cell, rounds in found.items()}


def _played_together(clients: Sequence[_Client], turn: Turn) -> list[Sample]:
    # All of them wait for this, and it takes microseconds: they begin together. Unlike a
    # barrier, it does not hang if one was killed.
    for client in clients:
        client.connection.send(turn)
    return [client.sample() for client in clients]


@dataclass(frozen=True)
class _Client:
    """A process that plays the turns it is sent, one at a time."""

    process: BaseProcess
    connection: Connection[Turn, Sample]

    def sample(self) -> Sample:
        """What the turn that was sent last has given.

        :raises RuntimeError: There is no answer.
        """
        if not self.connection.poll(_PATIENCE_S):
            message = f"client process {self.process.pid} did not answer in {_PATIENCE_S:g} s"
            raise RuntimeError(message)
        try:
            return self.connection.recv()
        except EOFError as error:
            message = f"client process {self.process.pid} ended; it may have said why, above"
            raise RuntimeError(message) from error


@contextmanager
def _client(url: str, number: int) -> Iterator[_Client]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_play, args=(theirs, url, number), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _Client(process, ours)
    finally:
        ours.close()
        process.join(_END_S)
        process.kill()
        process.join()


def _play(connection: Connection[Sample, Turn], url: str, number: int) -> None:
    seat = _Seat(get_client(url)[DATABASE], number)
    # The end of the pipe is the end of the work, also if the other process was killed.
    with suppress(EOFError):
        while True:
            connection.send(seat.play(connection.recv()))


class _Seat:
    """Where one client sits: its share of each collection, and how far it is."""

    def __init__(self, database: Database[Document], number: int) -> None:
        self._database = database
        self._number = number
        self._callers: dict[tuple[str, int], Caller] = {}

    def play(self, turn: Turn) -> Sample:
        """Play one turn."""
        operation, _, size = turn.cell
        if (operation, size) not in self._callers:
            share = Share(self._database[collection_name(size)], size, self._number)
            self._callers[operation, size] = CALLERS[operation](share)
        return self._callers[operation, size].work(turn.seconds)


def collection_name(size: int) -> str:
    """The name of the collection of *size* documents."""
    return f"invocations_{size}"
