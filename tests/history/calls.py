"""Operations made by hand: what clients did to one invocation, and when."""

from __future__ import annotations

from typing import Any

from pytest_pynenc_state.history.operations import Ending, Operation

READ = "get_invocation_status_record"


def op(
    name: str, *arguments: Any, at: tuple[int, int | None], value: Any = None, error: bool = False
) -> Operation:
    """An operation on the one thing there is; *at* is when it was called and when it returned."""
    start_ns, end_ns = at
    known = Ending.ERROR if error else Ending.OK
    ending = Ending.UNKNOWN if end_ns is None else known
    return Operation(f"p{start_ns}", "it", name, arguments, ending, value, start_ns, end_ns)


REGISTER = op("register_new_invocations", "client", at=(0, 1), value=["registered", "client"])


def claim(runner: str, at: tuple[int, int | None]) -> Operation:
    return op("atomic_status_transition", "pending", runner, at=at, value=["pending", runner])


def refused(runner: str, at: tuple[int, int | None], error: str) -> Operation:
    return op("atomic_status_transition", "pending", runner, at=at, value=error, error=True)
