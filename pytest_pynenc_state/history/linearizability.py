"""Whether any correct store could have answered so; and if not, where it becomes impossible.

Herlihy and Wing, "Linearizability" (1990): each operation takes effect at one instant between its
call and its return. What each thing's operations were is decided by itself, because linearizability
is local: a store is linearizable if each of its invocations is.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn, TypeVar

from pytest_pynenc_state.history.lanes import lanes
from pytest_pynenc_state.history.models import MODELS, REFUSALS, Model
from pytest_pynenc_state.history.operations import Ending, Operation
from pytest_pynenc_state.history.search import search
from pytest_pynenc_state.history.verdict import Outcome

State = TypeVar("State", bound=Hashable)

#: A check that takes longer is undecided; a hundred operations take milliseconds.
BUDGET_S = 10.0

# So many operations are shown on each side of the impossible one.
_SHOWN = 12

# So many of them are also drawn.
_DRAWN = 4


@dataclass(frozen=True)
class Impossible:
    """Where the operations on one thing become impossible.

    :ivar key: What they are about.
    :ivar operations: All of them, by their start.
    :ivar order: A longest order that a correct store allows: positions in *operations*.
    :ivar operation: The first one that nothing allows after it.
    :ivar state: What a correct store would have had then, in words.
    :ivar allowed: What it would have answered.
    """

    key: str
    operations: tuple[Operation, ...]
    order: tuple[int, ...]
    operation: Operation
    state: str
    allowed: str

    def __str__(self) -> str:
        before = f"after {len(self.order)} of {len(self.operations)} operations"
        lines = [
            f"{self.key}: {self.operation.process} got {self.operation}",
            f"  but a correct store would have answered {self.allowed}",
            f"  {before}, for example in this order (times in us):",
            *self._lines(),
        ]
        return "\n".join(lines)

    def _lines(self) -> list[str]:
        done, rest = self.around(_SHOWN)
        numbered = dict(enumerate([*done, self.operation, *rest], 1))
        first_ns = self.operations[0].start_ns
        lines = [f"    ... {len(self.order) - len(done)} before"] * (len(done) < len(self.order))
        for number, each in numbered.items():
            mark = " " if number <= len(done) else "?"
            mark = ">" if each is self.operation else mark
            lines.append(f"  {mark} {number:>2} {_line(each, first_ns)}")
        more = len(self.operations) - len(self.order) - 1 - len(rest)
        lines += [f"    ... {more} more"] * (more > 0)
        at = len(done) + 1
        near = {number: each for number, each in numbered.items() if abs(number - at) <= _DRAWN}
        return [*lines, "  those near it, as they overlapped:", *_indented(lanes(near))]

    def around(self, most: int) -> tuple[list[Operation], list[Operation]]:
        """What comes before the impossible one in the order, and what is not in it.

        :param most: How many of each; those that are nearest.
        """
        placed = set(self.order)
        done = [self.operations[position] for position in self.order[-most:]]
        others = enumerate(self.operations)
        rest = [each for at, each in others if at not in placed and each is not self.operation]
        return done, rest[:most]


@dataclass(frozen=True)
class Linearizability:
    """What a check has come to. ``str()`` explains it.

    :ivar model: The name of the model.
    :ivar checked: How many operations it is about.
    :ivar impossible: Where no correct store could have answered so, one for each thing; all that
        were found, by key.
    :ivar undecided: The keys of what could not be decided within the budget.
    """

    model: str
    checked: int
    impossible: tuple[Impossible, ...]
    undecided: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Violated if anything was impossible; undecided if anything else was not decided."""
        if self.impossible:
            return Outcome.VIOLATED
        return Outcome.UNDECIDED if self.undecided else Outcome.OK

    def __bool__(self) -> NoReturn:
        """Refuse: *undecided* is neither true nor false."""
        message = "a verdict is neither true nor false: compare its outcome"
        raise TypeError(message)

    def __str__(self) -> str:
        lines = [f"{self.model}: {self.outcome}, {self.checked} operations"]
        lines += [str(each) for each in self.impossible]
        if self.undecided:
            lines.append(f"not decided within the budget: {', '.join(self.undecided)}")
        return "\n".join(lines)


class NotLinearizable(AssertionError):
    """What a correct store could not have answered, or what could not be decided.

    :ivar verdicts: Each that is not ok.
    """

    def __init__(self, verdicts: Sequence[Linearizability]) -> None:
        super().__init__("\n".join(map(str, verdicts)))
        self.verdicts = tuple(verdicts)

    def __reduce__(self) -> tuple[type[NotLinearizable], tuple[Sequence[Linearizability]]]:
        return type(self), (self.verdicts,)


def check_linearizable(
    operations: Iterable[Operation], model: Model[Any], *, budget_s: float = BUDGET_S
) -> Linearizability:
    """Decide whether any correct store could have answered as it did.

    The same operations, in whatever order, come to the same verdict, unless time runs out.

    :param operations: Of all processes and about all things; those that the model is not about
        are left out.
    :param budget_s: How long to search, for all things together. Memory is bounded, too.
    """
    deadline_s = time.monotonic() + budget_s
    by_key: dict[str, list[Operation]] = defaultdict(list)
    purges = []
    for each in map(_as_far_as_known, operations):
        if each.name == model.purge:
            purges.append(each)
        elif each.name in model.methods:
            by_key[each.key].append(each)
    impossible, undecided = [], []
    for key in sorted(by_key):
        own = sorted([*by_key[key], *purges], key=lambda each: (each.start_ns, each.process))
        found = search(own, model.initial, partial(_step, model), deadline_s)
        if found.outcome == Outcome.UNDECIDED:
            undecided.append(key)
        elif found.stuck is not None:
            impossible.append(_impossible(key, own, found.order, own[found.stuck], model))
    checked = sum(map(len, by_key.values()))
    return Linearizability(model.name, checked, tuple(impossible), tuple(undecided))


def assert_linearizable(
    operations: Iterable[Operation], model: Model[Any], *, budget_s: float = BUDGET_S
) -> None:
    """Fail if no correct store could have answered so, or if that could not be decided.

    :raises NotLinearizable: An AssertionError. The message has the first impossible operation.
    """
    __tracebackhide__ = True
    verdict = check_linearizable(operations, model, budget_s=budget_s)
    if verdict.outcome != Outcome.OK:
        raise NotLinearizable([verdict])


def judging(operations: Iterable[Operation]) -> list[Model[Any]]:
    """The models that any of the operations is about."""
    names = {operation.name for operation in operations}
    return [model for model in MODELS.values() if model.methods & names]


def check_all(
    operations: Sequence[Operation], *, budget_s: float = BUDGET_S
) -> list[Linearizability]:
    """Check operations by each model that any of them is about; the budget is for each."""
    return [
        check_linearizable(operations, model, budget_s=budget_s) for model in judging(operations)
    ]


def _as_far_as_known(operation: Operation) -> Operation:
    """Of an error that is no refusal nobody knows what it has done, or will do yet."""
    if operation.ending == Ending.ERROR:
        refusals = REFUSALS.get(operation.name)
        is_known = refusals is None or str(operation.value) in refusals
    else:
        is_known = operation.ending == Ending.OK
    return operation if is_known else replace(operation, ending=Ending.UNKNOWN, end_ns=None)


def _step(model: Model[State], state: State, operation: Operation) -> State | None:
    return model.initial if operation.name == model.purge else model.step(state, operation)


def _impossible(
    key: str,
    operations: Sequence[Operation],
    order: tuple[int, ...],
    operation: Operation,
    model: Model[Any],
) -> Impossible:
    state = model.initial
    for position in order:
        state = _step(model, state, operations[position])
    allowed = model.allowed(state, operation)
    return Impossible(key, tuple(operations), order, operation, str(state), allowed)


def _line(operation: Operation, first_ns: int) -> str:
    start_us = (operation.start_ns - first_ns) / 1000
    end = "" if operation.end_ns is None else f"{(operation.end_ns - first_ns) / 1000:,.1f}"
    return f"{start_us:>11,.1f} to {end:>11}  {operation.process:<12} {operation}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
