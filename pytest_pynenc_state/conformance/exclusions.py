"""Clauses that an author leaves out, and those that are known to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_pynenc_state.conformance.clause import all_clauses
from pytest_pynenc_state.errors import ConformanceError
from pytest_pynenc_state.option_values import near_match


@dataclass(frozen=True)
class KnownBug:
    """Why a backend fails a clause for now.

    :param reason: What it does instead, in a few words.
    :param link: Where it is tracked.
    """

    reason: str
    link: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.link})" if self.link else self.reason


def checked_exclusions(
    suite: str, unsupported: Mapping[str, str], known_bugs: Mapping[str, KnownBug]
) -> None:
    """Refuse exclusions that say nothing.

    :param suite: What messages call the class.
    :raises ConformanceError: There is no such clause, no reason, or both kinds for one clause.
    """
    known = all_clauses()
    for name, excluded in (("unsupported", unsupported), ("known_bugs", known_bugs)):
        for clause_id, reason in excluded.items():
            where = f"{suite}.{name}: {clause_id!r}"
            if clause_id not in known:
                message = f"{where} is no clause"
                raise ConformanceError(message, near_match(clause_id, list(known)))
            if not str(reason).strip():
                message = f"{where} has no reason"
                raise ConformanceError(message, "say why, in a few words")
    for clause_id in unsupported.keys() & known_bugs.keys():
        message = f"{suite}: {clause_id!r} is in unsupported and in known_bugs"
        raise ConformanceError(message, "a bug is to be mended; what is unsupported is not")
