"""A second matcher of paths, written in another way, to compare the first one with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from pytest_pynenc_state.history.matching import Expected
from pytest_pynenc_state.history.path import OneOf, Repeat
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import objection
from pytest_pynenc_state.history.steps import Step


@dataclass
class Oracle:
    """A matcher by sets: an item leads from some places of the records to others.

    A place is a position, and whether the record there must be a legal step.
    """

    records: Sequence[Record]

    def __post_init__(self) -> None:
        self.asked: dict[int, set[Expected]] = {}

    def takes(self, place: tuple[int, bool], wanted: Step | None) -> bool:
        """Whether the record at *place* is as *wanted*."""
        at, is_guarded = place
        self.asked.setdefault(at, set()).add(Expected(wanted, is_guarded or wanted is None))
        if at == len(self.records):
            return False
        before, after = (self.records[at - 1] if at else None), self.records[at]
        if (is_guarded or wanted is None) and objection(before, after):
            return False
        return wanted is None or wanted.refusal(before, after) is None

    def ends(self, item: Any, starts: set[tuple[int, bool]]) -> set[tuple[int, bool]]:
        """The places to which *item* leads from *starts*."""
        if isinstance(item, Step):
            return {(place[0] + 1, False) for place in starts if self.takes(place, item)}
        if isinstance(item, EllipsisType):
            return self.closure(
                {(at, True) for at, _ in starts},
                lambda places: {(p[0] + 1, True) for p in places if self.takes(p, None)},
            )
        if isinstance(item, OneOf):
            return set().union(*(self.ends(each, starts) for each in item.items))
        if isinstance(item, Repeat):
            return self.repeated(item, starts)
        for each in item.items:
            starts = self.ends(each, starts)
        return starts

    def repeated(self, item: Repeat, starts: set[tuple[int, bool]]) -> set[tuple[int, bool]]:
        """The places to which *item* leads within its bounds."""
        for _ in range(item.min):
            starts = self.ends(item.item, starts)
        if item.max is None:
            return self.closure(starts, lambda places: self.ends(item.item, places))
        for _ in range(item.max - item.min):
            starts = starts | self.ends(item.item, starts)
        return starts

    def closure(
        self,
        places: set[tuple[int, bool]],
        onwards: Callable[[set[tuple[int, bool]]], set[tuple[int, bool]]],
    ) -> set[tuple[int, bool]]:
        """The places to which going *onwards* any number of times leads."""
        while not (further := onwards(places)) <= places:
            places = places | further
        return places
