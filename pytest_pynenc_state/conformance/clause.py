"""A clause: one numbered rule of pynenc's contract, and the function that checks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib.util import find_spec
from typing import TypeVar

import pytest

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.backend import Capability

Check = TypeVar("Check", bound=Callable[..., None])

#: The first pynenc that the suite knows, and so the first that has most clauses.
FIRST_PYNENC = "0.1.1"

_ID = re.compile(r"(BE|SB|OR|BC)-[A-Z]{3}-\d\d")


class Level(StrEnum):
    """How much a clause asks for; each level rests on the ones before."""

    BASIC = "basic"  #: one process
    PROCESS = "process"  #: several processes at once
    CRASH = "crash"  #: a process is killed

    @property
    def capability(self) -> Capability | None:
        """What a backend has to claim before this level is asked of it."""
        return _CAPABILITIES.get(self)


_CAPABILITIES = {Level.PROCESS: Capability.SHARED, Level.CRASH: Capability.DURABLE}


@dataclass(frozen=True)
class Clause:
    """One rule, and how it is checked.

    :param id: Component (``BE`` the backend as a whole, ``SB`` state backend, ``OR``
        orchestrator, ``BC`` blocking control), part of the contract, number: ``SB-HIS-03``.
        It never changes its meaning, and is never used again.
    :param level: What it needs besides one process.
    :param rule: The rule in one sentence.
    :param hint: What an author whose backend breaks it may look at.
    :param since: The first pynenc that has the rule.
    :param before: The first pynenc that has it no more; None if the newest has it.
    :param needs: A library that its check needs, or nothing. Where it is not installed, the clause
        is not asked.
    :param is_preview: Whether breaking it is only a warning yet.
    :param check: The test; its arguments are fixtures.
    """

    id: str
    level: Level
    rule: str
    hint: str
    since: str
    before: str | None
    needs: str
    is_preview: bool
    check: Callable[..., None] = field(repr=False)

    @property
    def order(self) -> tuple[int, bool, str]:
        """Where it comes in a run: the set-up first, then level by level."""
        return [*Level].index(self.level), not self.id.startswith("BE-SET"), self.id

    @property
    def test_name(self) -> str:
        """What pytest calls it, so that ``-k`` finds it by its id and by its words."""
        return f"test_{self.id.replace('-', '_')}_{self.check.__name__}"

    @property
    def is_of_all_versions(self) -> bool:
        """Whether every pynenc has the rule."""
        return self.since == FIRST_PYNENC and self.before is None

    @cached_property
    def is_applicable(self) -> bool:
        """Whether the installed pynenc has the rule, and its check can be run."""
        if self.needs and find_spec(self.needs) is None:
            return False
        is_over = self.before is not None and compat.is_at_least(self.before)
        return compat.is_at_least(self.since) and not is_over


_declared: dict[str, Clause] = {}


def clause(  # noqa: PLR0913 - all but the first by keyword
    clause_id: str,
    *,
    hint: str,
    level: Level = Level.BASIC,
    since: str = FIRST_PYNENC,
    before: str | None = None,
    needs: str = "",
    is_preview: bool = False,
) -> Callable[[Check], Check]:
    """Declare that a function checks a clause; its docstring is the rule, in one sentence.

    :raises ValueError: The id is no id, or another clause's; or the rule is no sentence.
    """

    def declare(check: Check) -> Check:
        rule = " ".join((check.__doc__ or "").split())
        if not _ID.fullmatch(clause_id) or clause_id in _declared:
            message = f"clause {clause_id!r} of {check.__name__}: malformed, or taken"
            raise ValueError(message)
        if not rule.endswith("."):
            message = f"clause {clause_id} of {check.__name__}: its docstring is no sentence"
            raise ValueError(message)
        _declared[clause_id] = Clause(
            clause_id, level, rule, hint, since, before, needs, is_preview, check
        )
        mark = pytest.mark.pynenc_clause(clause_id, level=str(level), since=since, hint=hint)
        marked: Check = mark(check)
        return marked

    return declare


def all_clauses() -> dict[str, Clause]:
    """Every clause there is by its id, in the order of their ids."""
    from pytest_pynenc_state.conformance import clauses  # noqa: F401 - declares them

    return dict(sorted(_declared.items()))
