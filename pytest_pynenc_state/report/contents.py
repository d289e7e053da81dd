"""What a run of the conformance suite has found, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pytest_pynenc_state.conformance.clause import Clause, Level
from pytest_pynenc_state.history.picture import Picture


class Finding(StrEnum):
    """What became of one clause on one backend."""

    PROVED = "proved"
    VIOLATED = "violated"
    KNOWN_BUG = "known bug"
    PREVIEW = "preview"  #: broken, and not asked for yet
    UNSUPPORTED = "unsupported"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class ClauseResult:
    """What became of one clause on one backend.

    :param reason: Why it was not proved, in one line; nothing if it was.
    :param failure: All that pytest said of a violation, or of a set-up that failed.
    """

    clause: Clause
    finding: Finding
    reason: str
    failure: str = ""


@dataclass(frozen=True)
class TestFinding:
    """What became of one test, and what there is to be drawn of it.

    :param text: All that pytest said of its failure.
    :param pictures: Its histories, and the operations that no correct store could have answered so.
    """

    __test__ = False

    nodeid: str
    outcome: str
    text: str
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class BackendReport:
    """What one backend has proved.

    :param is_mock: Whether it does not claim to be the real engine.
    :param results: By the clauses' ids.
    :param applicable: The clauses of the installed pynenc, whether they were selected or not.
    """

    name: str
    is_mock: bool
    results: Mapping[str, ClauseResult]
    applicable: Sequence[Clause]

    def counts(self, level: Level) -> Counter[Finding]:
        """How many clauses of *level* ended how; those not selected count as not run."""
        of_level = [clause.id for clause in self.applicable if clause.level == level]
        return Counter(
            self.results[each].finding if each in self.results else Finding.NOT_RUN
            for each in of_level
        )

    @cached_property
    def ran_nothing(self) -> bool:
        """Whether not a single clause was checked."""
        idle = {Finding.UNSUPPORTED, Finding.NOT_RUN}
        return all(result.finding in idle for result in self.results.values())

    @cached_property
    def proved_levels(self) -> tuple[Level, ...]:
        """The levels of which every clause was checked and kept, as were those of all below."""
        proved = []
        for level in Level:
            counts = self.counts(level)
            if counts[Finding.PROVED] < counts.total():
                break
            proved.append(level)
        return tuple(proved)

    def sentence(self, pynenc: str) -> str:
        """What may be quoted of it.

        :param pynenc: The version of the installed pynenc.
        """
        mock = ", as a mock of the real engine," if self.is_mock else ""
        if self.proved_levels:
            total = sum(self.counts(level).total() for level in self.proved_levels)
            levels = _listed([str(level) for level in self.proved_levels])
            return f"{self.name}{mock} keeps all {total} clauses of {levels} on pynenc {pynenc}."
        counts = self.counts(Level.BASIC)
        return (
            f"{self.name}{mock} keeps {counts[Finding.PROVED]} of {counts.total()} clauses of "
            f"{Level.BASIC} on pynenc {pynenc}, and so proves no level."
        )


@dataclass(frozen=True)
class ConformanceReport:
    """What a run has found about all of its backends.

    :param versions: Of what was involved, by name: pynenc, Python and others.
    :param settings: The options of the run that somebody chose.
    :param tests: The tests that are to be shown one by one.
    """

    versions: Mapping[str, str]
    settings: Mapping[str, str]
    backends: Sequence[BackendReport]
    tests: Sequence[TestFinding] = ()

    @property
    def sentences(self) -> list[str]:
        """What may be quoted, one sentence for each backend."""
        return [backend.sentence(self.versions["pynenc"]) for backend in self.backends]


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
