"""What is asked of a collection of invocations, through pymongo or of mongomock in process.

The documents are those of the orchestrator, with a unique index over app and invocation. Each
client works on documents of its own, so every call finds what it looks for.
"""

from __future__ import annotations

import gc
import itertools
import random
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from pymongo.collection import Collection

from pytest_pynenc_state.backends.mongo.connection import Document
from pytest_pynenc_state.backends.mongo.schema import key

#: The most clients at once; so many parts a collection has.
MOST_CLIENTS = 4

#: How many documents a client adds before it removes them again, untimed.
_ADDED = 10

# A call may take longer than its turn; fewer have no median.
_FEWEST_CALLS = 3

_APP_ID = "benchmark"
_STATUSES = ("PENDING", "RUNNING", "RETRY")


@dataclass(frozen=True)
class Sample:
    """The calls of one client in one turn.

    :param times_ns: What each call took.
    :param busy_ns: How long the client was at it, without what is not part of the operation.
    """

    times_ns: array[int]
    busy_ns: int


@dataclass(frozen=True)
class Share:
    """A collection of *size* documents, and which of them one client works on."""

    documents: Collection[Document]
    size: int
    number: int

    def shuffled(self) -> list[int]:
        """The numbers of the client's documents: a scan finds some early, and some late."""
        numbers = list(range(self.number, self.size, MOST_CLIENTS))
        random.Random(self.number).shuffle(numbers)
        return numbers


class Caller(ABC):
    """Makes calls of one kind, over and over."""

    def __init__(self, share: Share) -> None:
        self.documents = share.documents
        self.numbers: Iterator[int] = itertools.cycle(share.shuffled())

    @abstractmethod
    def next_call(self) -> Callable[[], Any]:
        """Prepare what is timed."""

    @abstractmethod
    def is_done(self, answer: Any) -> bool:
        """Whether a call that returned *answer* has done what was asked; untimed."""

    def tidy(self) -> None:  # noqa: B027 - most calls leave nothing to tidy
        """Leave the collection as large as it was; untimed."""

    def work(self, seconds: float) -> Sample:
        """Make calls for *seconds*, and at least a few."""
        times_ns, aside_ns = array("q"), 0
        gc.disable()
        try:
            started_ns = now_ns = perf_counter_ns()
            while now_ns - started_ns < seconds * 1e9 or len(times_ns) < _FEWEST_CALLS:
                call = self.next_call()
                called_ns = perf_counter_ns()
                answer = call()
                returned_ns = perf_counter_ns()
                times_ns.append(returned_ns - called_ns)
                self._settle(answer)
                now_ns = perf_counter_ns()
                aside_ns += now_ns - returned_ns
        finally:
            gc.enable()
        self.tidy()
        return Sample(times_ns, now_ns - started_ns - aside_ns)

    def _settle(self, answer: Any) -> None:
        if not self.is_done(answer):
            message = f"{type(self).__name__} on {self.documents.full_name} got {answer!r}"
            raise RuntimeError(message)


class Ping(Caller):
    """Asks nothing of the store: what it costs, driver, loopback and machine cost all others."""

    def next_call(self) -> Callable[[], Any]:
        """Prepare a ping."""
        return partial(self.documents.database.command, "ping")

    def is_done(self, answer: Any) -> bool:
        """Whether the answer is a good one."""
        return bool(answer["ok"])


class Insert(Caller):
    """Adds new documents; each is checked against the unique index."""

    def __init__(self, share: Share) -> None:
        super().__init__(share)
        self.numbers = itertools.count(share.size + share.number, MOST_CLIENTS)
        self._added: list[str] = []

    def next_call(self) -> Callable[[], Any]:
        """Prepare a document that was never there."""
        return partial(self.documents.insert_one, document(next(self.numbers)))

    def is_done(self, answer: Any) -> bool:
        """Whether the document was added; every few of them are removed again."""
        self._added.append(answer.inserted_id)
        if len(self._added) == _ADDED:
            self.tidy()
        return bool(answer.acknowledged)

    def tidy(self) -> None:
        """Remove what was added."""
        self.documents.delete_many({"_id": {"$in": self._added}})
        self._added.clear()


class FindById(Caller):
    """Reads one document by its ``_id``."""

    def next_call(self) -> Callable[[], Any]:
        """Prepare a query for the next document."""
        wanted = {"_id": _id(next(self.numbers))}
        return partial(self.documents.find_one, wanted)

    def is_done(self, answer: Any) -> bool:
        """Whether there was one."""
        return answer is not None


class FindByKey(FindById):
    """Reads one document by the unique index."""

    def next_call(self) -> Callable[[], Any]:
        """Prepare a query for the next document."""
        wanted = {"app_id": _APP_ID, "invocation_id": _invocation_id(next(self.numbers))}
        return partial(self.documents.find_one, wanted)


class CompareAndSet(Caller):
    """Moves one invocation to its next status, if it is in the one that it was left in."""

    def __init__(self, share: Share) -> None:
        super().__init__(share)
        self._versions = dict.fromkeys(share.shuffled(), 0)

    def next_call(self) -> Callable[[], Any]:
        """Prepare the update that the orchestrator makes."""
        number = next(self.numbers)
        version = self._versions[number]
        self._versions[number] += 1
        current = {"_id": _id(number), "version": version, **_state(version)}
        change = {"$set": _state(version + 1), "$inc": {"version": 1}}
        return partial(self.documents.update_one, current, change)

    def is_done(self, answer: Any) -> bool:
        """Whether it was in that status."""
        return bool(answer.modified_count == 1)


CALLERS: dict[str, type[Caller]] = {
    "ping": Ping,
    "insert": Insert,
    "find by _id": FindById,
    "find by unique key": FindByKey,
    "compare and set": CompareAndSet,
}

#: The operation without a store.
PING = "ping"


def fill(documents: Collection[Document], size: int) -> None:
    """Store *size* documents in an empty collection, and then index them."""
    documents.insert_many([document(number) for number in range(size)])
    # In this order, because mongomock by itself would look through all for each new one.
    documents.create_index([("app_id", 1), ("invocation_id", 1)], unique=True)


def document(number: int) -> Document:
    """The invocation of a number, just registered."""
    return {
        "_id": _id(number),
        "app_id": _APP_ID,
        "invocation_id": _invocation_id(number),
        "registered": f"{number:016x}",
        "task_id_key": "shop.tasks.add_up",
        "call_id_key": f"shop.tasks.add_up:{number:064x}",
        "retry_count": 0,
        "version": 0,
        **_state(0),
    }


def _state(version: int) -> Document:
    if not version:
        return {"status": "REGISTERED", "status_runner_id": None}
    status = _STATUSES[version % len(_STATUSES)]
    return {"status": status, "status_runner_id": f"runner-{version % 2}"}


def _id(number: int) -> str:
    return key(_APP_ID, _invocation_id(number))


def _invocation_id(number: int) -> str:
    return str(uuid5(NAMESPACE_OID, str(number)))
