"""What a rule is: a sentence, where it comes from, and a function that finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.verdict import Outcome, Verdict, Witness


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong, or cannot be told, about one history.

    :ivar history: None if it is about the app as a whole.
    :ivar message: A clause that begins in lower case, without a full stop.
    :ivar position: As in `Witness`.
    :ivar others: As in `Witness`.
    """

    history: History | None
    message: str
    position: int | None = None
    others: tuple[History, ...] = ()
    outcome: Outcome = Outcome.VIOLATED


@dataclass(frozen=True)
class Rule:
    """One rule over the facts of an app.

    :ivar name: Its name, which verdicts bear.
    :ivar statement: The rule in one sentence.
    :ivar source: Where pynenc says so.
    :ivar find: What breaks it or leaves it undecided, at most one objection for each
        invocation or service window; nothing if all is well.
    """

    name: str
    statement: str
    source: str
    find: Callable[[AppFacts], Iterable[Objection]]

    def verdicts(self, facts: AppFacts) -> list[Verdict]:
        """Those that are not ok; a single one that is if there are none."""
        return [self._verdict(each) for each in self.find(facts)] or [
            Verdict(self.name, Outcome.OK)
        ]

    def _verdict(self, objection: Objection) -> Verdict:
        history = objection.history
        witness = None
        if history is not None:  # it may be empty
            witness = Witness(history, objection.position, objection.others)
        return Verdict(self.name, objection.outcome, objection.message, witness)


def of_each(
    judge: Callable[[InvocationFacts], Objection | None],
) -> Callable[[AppFacts], Iterator[Objection]]:
    """Ask *judge* about each invocation by itself."""

    def find(facts: AppFacts) -> Iterator[Objection]:
        for each in facts.invocations:
            if (objection := judge(each)) is not None:
                yield objection

    return find
