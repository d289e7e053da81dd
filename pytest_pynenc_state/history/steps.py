"""What a path may ask of one record: its status, who owns it, and how soon it came."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.history.records import Record


class Anybody(Enum):
    """The type of `ANYBODY`, for type checkers."""

    ANYBODY = "anybody"

    def __repr__(self) -> str:
        return self.name


#: Any owner, or none.
ANYBODY: Final = Anybody.ANYBODY


class Refusal(StrEnum):
    """What keeps a record from being taken."""

    STATUS = "status"
    OWNER = "owner"
    TIME = "time"
    RULES = "rules"  #: pynenc does not allow it to follow the record before it


@dataclass(frozen=True, slots=True)
class Step:
    """One record of a path; `step` makes it.

    :ivar owner: The ``runner_id`` of who owns it, None for nobody, or `ANYBODY`.
    :ivar within_s: At most so many seconds after the record before it; None if it does not matter.
    """

    status: InvocationStatus
    owner: str | Anybody | None = ANYBODY
    within_s: float | None = None

    def refusal(self, before: Record | None, record: Record) -> Refusal | None:
        """What of *record* is not as asked; None if all is.

        :param before: The record in front of it; None if it is the first, which is never late.
        """
        if record.status != self.status:
            return Refusal.STATUS
        if self.owner is not ANYBODY and record.owner != self.owner:
            return Refusal.OWNER
        if self.within_s is not None and before is not None:
            took = record.at - before.at
            if took.total_seconds() > self.within_s:
                return Refusal.TIME
        return None

    def __repr__(self) -> str:
        status = repr(self.status.value)
        asked = "" if self.owner is ANYBODY else f", owner={self.owner!r}"
        asked += "" if self.within_s is None else f", within_s={self.within_s!r}"
        return f"step({status}{asked})" if asked else status
