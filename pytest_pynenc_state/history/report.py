"""What came of checking an app's histories, and how it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.timeline import call, timeline, trail
from pytest_pynenc_state.history.verdict import Outcome, Verdict

# More than these hide what matters; the rest is counted.
_MOST_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """What is not ok about the histories of an app. Print it to read it.

    :ivar app_id: Whose histories they are.
    :ivar checked: How many invocations were checked.
    :ivar verdicts: What is not ok, the most telling rules first.
    :ivar unfinished: The histories of invocations that have not ended, which is no violation.
    :ivar statements: The sentence of each rule, by its name.
    """

    app_id: str
    checked: int
    verdicts: tuple[Verdict, ...] = ()
    unfinished: tuple[History, ...] = ()
    statements: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The verdicts that say *violated*."""
        return tuple(each for each in self.verdicts if each.outcome == Outcome.VIOLATED)

    @property
    def undecided(self) -> tuple[Verdict, ...]:
        """The verdicts that say *undecided*."""
        return tuple(each for each in self.verdicts if each.outcome == Outcome.UNDECIDED)

    @property
    def outcome(self) -> Outcome:
        """Violated if any rule is, else undecided if any is, else ok."""
        if self.violations:
            return Outcome.VIOLATED
        return Outcome.UNDECIDED if self.verdicts else Outcome.OK

    def raise_for_violations(self) -> None:
        """Fail the test if a rule is violated, and say which, where and why.

        What is undecided does not fail; look at `undecided`, or demand the `outcome` "ok".

        :raises AssertionError: Its message is the text of this report.
        """
        __tracebackhide__ = True
        if self.violations:
            raise AssertionError(str(self))

    def __bool__(self) -> NoReturn:
        """Refuse: *undecided* is neither true nor false."""
        __tracebackhide__ = True
        message = "a report is neither true nor false: compare its outcome"
        raise TypeError(message)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(report: Report) -> Iterator[str]:
    broken, undecided = _by_invocation(report.violations), _by_invocation(report.undecided)
    yield (
        f"{_count(report.checked, 'invocation')} of app {report.app_id!r} checked: "
        f"{_count(len(report.violations), 'violation')}, {len(report.undecided)} undecided"
    )
    for group in broken[:_MOST_SHOWN]:
        yield ""
        yield from _group(group, report.statements)
    if len(broken) > _MOST_SHOWN:
        yield ""
        yield f"... and violations of {_count(len(broken) - _MOST_SHOWN, 'more invocation')}"
    if undecided:
        yield ""
        yield "undecided:"
        for group in undecided[:_MOST_SHOWN]:
            yield f"  {_subject(group[0])}"
            yield from (f"    {each.rule}: {each.message}" for each in group[:_MOST_SHOWN])
        if len(undecided) > _MOST_SHOWN:
            yield f"  ... and {_count(len(undecided) - _MOST_SHOWN, 'more invocation')}"
    if report.unfinished:
        yield ""
        yield _unfinished(report.unfinished)


def _by_invocation(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """Group *verdicts* by invocation; the order of the first ones stays."""
    groups: defaultdict[str | None, list[Verdict]] = defaultdict(list)
    for each in verdicts:
        groups[each.witness.history.invocation_id if each.witness else None].append(each)
    return list(groups.values())


def _group(verdicts: Sequence[Verdict], statements: Mapping[str, str]) -> Iterator[str]:
    """Tell the first of *verdicts*, of one invocation, in full, and the others in a line each."""
    first, *others = verdicts
    yield _subject(first)
    yield f"  {first.message}"
    yield f"  {first.rule}: {statements.get(first.rule, '')}"
    if first.witness:
        yield from (f"  {line}" for line in timeline(first.witness.history, first.witness.position))
        for other in first.witness.others:
            yield f"  the other is {_name(other)}: {trail(other)}"
    for each in others[:_MOST_SHOWN]:
        yield f"  also {each.rule}: {each.message}"
    if len(others) > _MOST_SHOWN:
        yield f"  ... and {_count(len(others) - _MOST_SHOWN, 'more violation')}"


def _subject(verdict: Verdict) -> str:
    return _name(verdict.witness.history) if verdict.witness else "the app as a whole"


def _name(history: History) -> str:
    return f"{call(history)} {history.invocation_id}" if history.task else call(history)


def _unfinished(histories: Sequence[History]) -> str:
    shown = ", ".join(
        f"{_name(each)} ({each.statuses[-1] if each else 'no record'})"
        for each in histories[:_MOST_SHOWN]
    )
    more = len(histories) - _MOST_SHOWN
    return f"not ended: {shown}{f' and {more} more' if more > 0 else ''}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
