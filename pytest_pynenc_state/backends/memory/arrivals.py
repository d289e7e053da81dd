"""Rows that are written without a lock, and filed by whoever reads next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

_Row = TypeVar("_Row")


class Arrivals(ABC, Generic[_Row]):
    """Rows, and indexes of them that are brought up to date before they are read.

    Python appends to a list, or extends it by another one, in one step. To take a lock and
    to fill the indexes at once took two thirds of what it takes to store an invocation.

    :param lock: Protects the indexes: held while rows are filed. Whoever reads more than
        one entry of an index holds it, too.
    """

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        self._lock = lock
        #: Where rows are written, to the end.
        self.arrived: list[_Row] = []

    @abstractmethod
    def _file(self, row: _Row) -> None:
        """Put *row* into the indexes. The lock is held."""

    def file_arrived(self) -> None:
        """File all rows that were written before this call, in their order."""
        # A row is removed after it was filed: who finds none here finds all in the indexes.
        if self.arrived:
            with self._lock:
                filed = 0
                try:
                    for row in self.arrived[:]:
                        filed += 1
                        self._file(row)
                finally:
                    # Also if this was interrupted, or a row is none: once, and not again.
                    del self.arrived[:filed]
