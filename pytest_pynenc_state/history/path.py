"""Paths: the histories that a test expects, written down in a few words.

::

    path("registered", ..., "success")
    path("registered", repeat(path("pending", "running", "retry"), max=3), "pending",
         step("running", owner=runner_id, within_s=2.0), one_of("success", "failed"))

Compare a path with a history by ``==``. What is wrong if they are not equal says `explanation`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import EllipsisType
from typing import TypeAlias, TypeVar

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.errors import PathError
from pytest_pynenc_state.history.matching import (
    End,
    Mismatch,
    Split,
    State,
    Take,
    TakeLegal,
    first_mismatch,
)
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.status_machine import status_named
from pytest_pynenc_state.history.steps import ANYBODY, Anybody, Step

# Each repetition within bounds has states of its own. So many still compare within a second.
MOST_STATES = 100_000


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """An expected history; `path` makes it.

    Equal to each history that takes it, and to a path of the same items. It never changes.
    """

    items: tuple[Item, ...]

    def mismatch(self, history: History) -> Mismatch | None:
        """Where *history* leaves this path; None if it takes it."""
        return first_mismatch(_state_before(self, End()), history.records)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, History):
            return self.mismatch(other) is None
        return self.items == other.items if isinstance(other, Path) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.items)

    def __repr__(self) -> str:
        return f"path({_listed(self.items)})"


@dataclass(frozen=True, repr=False)
class OneOf:
    """Any one of several items; `one_of` makes it."""

    items: tuple[Item, ...]

    def __repr__(self) -> str:
        return f"one_of({_listed(self.items)})"


@dataclass(frozen=True, repr=False)
class Repeat:
    """An item several times in a row; `repeat` makes it."""

    item: Item
    min: int
    max: int | None

    def __repr__(self) -> str:
        least = f", min={self.min}" if self.min else ""
        most = "" if self.max is None else f", max={self.max}"
        return f"repeat({_listed([self.item])}{least}{most})"


Item: TypeAlias = Step | EllipsisType | OneOf | Repeat | Path
Written: TypeAlias = str | Item
Sized = TypeVar("Sized", Path, OneOf, Repeat)


def path(*items: Written) -> Path:
    """Make the path that goes through *items*, from the first record of a history to its last.

    :param items: Each is the name of a status (or pynenc's ``InvocationStatus``), a `step`,
        `one_of`, `repeat`, another path, which goes on from there, or ``...``. The last stands
        for any number of records, also none, on a way that pynenc's rules allow: from the record
        in front of it to the one behind it, every step is legal.
    :raises PathError: The installed pynenc has no such status, or it is no item of a path, or
        there is none, or the repetitions multiply beyond measure.
    """
    __tracebackhide__ = True
    return _checked_size(Path(_checked_items("path", items)))


def step(
    status: str, *, owner: str | Anybody | None = ANYBODY, within_s: float | None = None
) -> Step:
    """Ask more of a record than its *status*.

    :param owner: The ``runner_id`` of who owns the invocation from then on; None is nobody.
    :param within_s: So many seconds at most after the record in front of it. The first record
        of a history has none in front, and is never late.
    :raises PathError: The installed pynenc has no such status, or it cannot have such an owner
        or time.
    """
    __tracebackhide__ = True
    if not _is_owner(owner):
        message = f"step({status!r}): owner is a runner_id, or None for nobody; got {owner!r}"
        raise PathError(message, "give the id: owner=runner.runner_id")
    if not _is_duration(within_s):
        message = f"step({status!r}): within_s is a number of seconds from 0 on; got {within_s!r}"
        raise PathError(message)
    return Step(_checked_status(status), owner, within_s)


def one_of(*items: Written) -> OneOf:
    """Allow any one of *items*, which are those that a `path` has.

    :raises PathError: As of `path`.
    """
    __tracebackhide__ = True
    return _checked_size(OneOf(_checked_items("one_of", items)))


def repeat(item: Written, *, min: int = 0, max: int | None = None) -> Repeat:  # noqa: A002 - these are the words
    """Allow *item*, which is one that a `path` has, *min* to *max* times in a row.

    :param max: None is any number of times.
    :raises PathError: As of `path`, or the bounds are negative, in the wrong order, or no
        whole numbers.
    """
    __tracebackhide__ = True
    for name, bound in (("min", min), ("max", 0 if max is None else max)):
        if type(bound) is not int or bound < 0:
            message = f"repeat(): {name} is a whole number from 0 on; got {bound!r}"
            raise PathError(message)
    if max is not None and min > max:
        message = f"repeat(): min is at most max; got min={min}, max={max}"
        raise PathError(message)
    (checked,) = _checked_items("repeat", [item])
    return _checked_size(Repeat(checked, min, max))


def _checked_items(word: str, items: Sequence[Written]) -> tuple[Item, ...]:
    __tracebackhide__ = True
    if not items:
        message = f"{word}() needs at least one item"
        raise PathError(message, f"name the statuses: {word}('registered', ..., 'success')")
    # A comprehension would be one more frame of a traceback.
    return tuple(map(partial(_checked_item, word), items))


def _checked_item(word: str, item: object) -> Item:
    __tracebackhide__ = True
    if isinstance(item, str):
        return Step(status_named(item))
    if isinstance(item, Item):
        return item
    message = (
        f"{word}() takes names of statuses, ..., step(), one_of(), repeat() and path(); "
        f"got {shortened(item, 80)}"
    )
    if isinstance(item, list | tuple):
        raise PathError(message, f"unpack it: {word}(*statuses)")
    if isinstance(item, Record):
        raise PathError(message, "give the record's status: record.status")
    raise PathError(message)


def _checked_status(status: object) -> InvocationStatus:
    __tracebackhide__ = True
    if isinstance(status, str):
        return status_named(status)
    message = f"step() takes the name of a status; got {status!r}"
    raise PathError(message, "write it as pynenc does: step('running')")


def _is_owner(owner: object) -> bool:
    return owner is ANYBODY or owner is None or (isinstance(owner, str) and owner != "")


def _is_duration(value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0 <= value < math.inf
    return value is None


def _checked_size(item: Sized) -> Sized:
    __tracebackhide__ = True
    size = _size(item)
    if size > MOST_STATES:
        message = (
            f"{shortened(item, 80)} multiplies to {size:,} steps; {MOST_STATES:,} is the limit"
        )
        raise PathError(message, "use smaller bounds, or no max, which allows any number")
    return item


def _size(item: Item) -> int:
    """The number of states that an item is made of."""
    if isinstance(item, Path):
        return sum(map(_size, item.items))
    if isinstance(item, OneOf):
        return 1 + sum(map(_size, item.items))
    if isinstance(item, Repeat):
        least = item.min * _size(item.item)
        further = 1 if item.max is None else item.max - item.min
        return least + further * (1 + _size(item.item))
    return 1


def _state_before(item: Item, then: State) -> State:
    """Make the state from which *item* leads to *then*."""
    if isinstance(item, Step):
        return Take(item, then)
    if isinstance(item, OneOf):
        return Split([_state_before(each, then) for each in item.items])
    if isinstance(item, Repeat):
        return _state_before_repeat(item, then)
    if isinstance(item, Path):
        for each in reversed(item.items):
            then = _state_before(each, then)
        return then
    return TakeLegal(then)


def _state_before_repeat(repeat: Repeat, then: State) -> State:
    state = then
    if repeat.max is None:
        state = loop = Split()
        loop.ways.extend([_state_before(repeat.item, loop), then])
    else:
        for _ in range(repeat.max - repeat.min):
            state = Split([_state_before(repeat.item, state), then])
    for _ in range(repeat.min):
        state = _state_before(repeat.item, state)
    return state


def shortened(item: object, length: int) -> str:
    """How *item* is written, cut to *length* characters."""
    written = repr(item)
    return written if len(written) <= length else f"{written[: length - 4]}...)"


def _listed(items: Sequence[Item]) -> str:
    return ", ".join("..." if item is ... else repr(item) for item in items)
