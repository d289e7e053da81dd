"""What a check comes to: ok, violated with a witness, or undecided. Never a bare bool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from pytest_pynenc_state.history.records import History


class Outcome(StrEnum):
    """The three things a check can come to."""

    OK = "ok"
    VIOLATED = "violated"
    UNDECIDED = "undecided"  #: what is in the store allows both; never to be read as ok


@dataclass(frozen=True)
class Witness:
    """Where a rule was broken, for people to look at.

    :ivar history: Whose history shows it.
    :ivar position: The first record that shows it, counted from 0; None if it is no single one.
    :ivar others: Further histories that are part of it.
    """

    history: History
    position: int | None = None
    others: tuple[History, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one rule came to.

    :ivar rule: The name of the rule.
    :ivar message: A sentence: what broke, or what is not known. Empty if the outcome is ok.
    """

    rule: str
    outcome: Outcome
    message: str = ""
    witness: Witness | None = None

    def __bool__(self) -> NoReturn:
        """Refuse: *undecided* is neither true nor false."""
        __tracebackhide__ = True
        message = "a verdict is neither true nor false: compare its outcome"
        raise TypeError(message)
