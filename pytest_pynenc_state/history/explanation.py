"""What is wrong when a history does not take its path, for people who have to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_pynenc_state.history.matching import Expected, Mismatch
from pytest_pynenc_state.history.path import Path, shortened
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.status_machine import objection
from pytest_pynenc_state.history.steps import ANYBODY, Refusal, Step
from pytest_pynenc_state.history.timeline import (
    NO_RUNNER,
    call,
    runner_names,
    seconds_since,
    timeline,
)

_LONGEST_PATH = 200
_MOST_ALLOWED = 6
_ANY_STEP = "any legal step (...)"


def explain(history: History, path: Path) -> list[str]:
    """Say in plain text where *history* leaves *path*, and why; or that it does not.

    :returns: Lines: the place, what the path allowed there, what came and why that is not it;
        then the timeline with the place marked. The first ones suffice to understand it.
    """
    mismatch = path.mismatch(history)
    if mismatch is None:
        return ["the history takes the path", *_shown(history, None)]
    position = mismatch.position
    told = _Told(history, mismatch, path)
    lines = [told.place(), f"  allowed: {told.allowed()}", f"  came:    {told.came()}"]
    lines += [f"  why:     {why}" for why in dict.fromkeys(told.reasons())]
    lines += [f"  but:     {doubt}" for doubt in told.doubts()]
    return [*lines, *_shown(history, position)]


def assertion_lines(op: str, left: object, right: object) -> list[str] | None:
    """What pytest shows below ``assert left <op> right`` if one of them is a history or a path.

    :returns: The comparison in a line, then the explanation; None if pytest does as well.
    """
    if op not in ("==", "!="):
        return None
    if isinstance(left, Path) and isinstance(right, History):
        left, right = right, left
    if isinstance(left, History) and isinstance(right, Path):
        summary = f"{call(left)} {op} {shortened(right, _LONGEST_PATH)}"
        return [summary, *explain(left, right)]
    if isinstance(left, History) and isinstance(right, History):
        return [f"{call(left)} {op} {call(right)}", *_difference(left, right)]
    if isinstance(left, History | Path) and isinstance(right, History | Path):
        return None
    if isinstance(left, History | Path) or isinstance(right, History | Path):
        return [f"{_kind(left)} {op} {_kind(right)}", *_advice(left, right)]
    return None


class _Told:
    """One mismatch in words."""

    def __init__(self, history: History, mismatch: Mismatch, path: Path) -> None:
        self._history = history
        self._position = mismatch.position
        self._expected = mismatch.expected
        self._may_end = mismatch.may_end
        self._path = path
        self._before = history[self._position - 1] if self._position else None
        self._names = runner_names(history)

    @property
    def _record(self) -> Record | None:
        """What came; None if the history ends."""
        return self._history[self._position] if self._position < len(self._history) else None

    def place(self) -> str:
        """Where it is, and when."""
        if not self._history:
            return "the history is empty, and the path is not"
        if self._record is None:
            last = self._position - 1
            return f"the history ends too early, with {_ordinal(last)} record{self._since(last)}"
        since = self._since(self._position)
        return f"the history leaves the path at {_ordinal(self._position)} record{since}"

    def _since(self, position: int) -> str:
        if not position:
            return ""
        return f", {seconds_since(self._history, position):.3f} s after the first"

    def allowed(self) -> str:
        """What the path would have taken."""
        if not self._expected:
            return "nothing more"
        allowed = [self._wanted(is_guarded=False)]
        if any(expected.is_guarded for expected in self._expected):
            goal = self._wanted(is_guarded=True)
            allowed.append(f"legal steps (...) that lead to {goal}" if goal else _ANY_STEP)
        if self._may_end:
            allowed.append("the end of the history")
        return " or ".join(filter(None, allowed))

    def _wanted(self, *, is_guarded: bool) -> str:
        steps = [each.step for each in self._expected if each.is_guarded == is_guarded]
        wanted = list(dict.fromkeys(_wanted(step) for step in steps if step))
        if len(wanted) > _MOST_ALLOWED:
            wanted = [*wanted[:_MOST_ALLOWED], f"{len(wanted) - _MOST_ALLOWED} others"]
        return " or ".join(filter(None, (", ".join(wanted[:-1]), *wanted[-1:])))

    def came(self) -> str:
        """What came instead, and who owned it from then on."""
        record = self._record
        if record is None:
            return "nothing more" if self._history else "nothing"
        return f"{record.status}, owned by {self._names.get(record.owner or '', 'nobody')}"

    def reasons(self) -> Iterator[str]:
        """Why that is not what the path allows; the most telling if there are several."""
        if self._record is None:
            yield from self._reasons_for_the_end()
        elif not self._expected:
            count = len(self._history) - self._position
            more = f"the last {count:,} records are" if count > 1 else "the last record is"
            yield f"the path ends after {self._before_words()}; {more} too many"
        else:
            yield from self._reasons_against(self._record)

    def _reasons_against(self, record: Record) -> Iterator[str]:
        refused = [(each, each.refusal(self._before, record)) for each in self._expected]
        near_misses = [(each, refusal) for each, refusal in refused if refusal != Refusal.STATUS]
        if not near_misses:
            yield f"another status; {self._stand_of_pynenc(record)}"
        for expected, refusal in near_misses:
            yield self._reason(expected, refusal, record)

    def _stand_of_pynenc(self, record: Record) -> str:
        """Whether the path is narrower than pynenc's rules, or the history breaks them."""
        if objected := objection(self._before, record):
            return f"pynenc does not allow it either: {objected}"
        place = f"after {self._before.status}" if self._before else "as the first"
        return f"pynenc allows it {place}, this path does not"

    def _reason(self, expected: Expected, refusal: Refusal | None, record: Record) -> str:
        if refusal == Refusal.OWNER:
            return f"the status is right, but {self._owned(record)}"
        if refusal == Refusal.TIME:
            assert self._before is not None
            assert expected.step is not None
            took_s = (record.at - self._before.at).total_seconds()
            return (
                f"the status is right, but came {took_s:g} s after {self._before.status}, "
                f"not within {expected.step.within_s:g} s"
            )
        return f"... stands for legal steps, but {objection(self._before, record)}"

    def _owned(self, record: Record) -> str:
        if record.owner is None:
            return "nobody owns it"
        name = self._names[record.owner]
        return f"its owner is {record.owner!r}" + (f" ({name})" if name != record.owner else "")

    def _reasons_for_the_end(self) -> Iterator[str]:
        if self._before is None:
            yield "the store has no record of this invocation"
        elif self._history.is_final:
            yield f"the invocation has ended: {self._before.status} is final"
        else:
            yield f"the invocation has not ended, it was {self._before.status} when this was read"
            yield f"wait for it before you compare, with {self._remedy()}"
            if len(self._history) == 1:
                yield NO_RUNNER

    def _remedy(self) -> str:
        last = self._path.items[-1]
        while isinstance(last, Path):
            last = last.items[-1]
        for_the_end = "invocation.result"
        if not isinstance(last, Step):
            return for_the_end
        for_the_status = f'history.wait_for("{last.status}")'
        return f"{for_the_end} or {for_the_status}" if last.status.is_final() else for_the_status

    def _before_words(self) -> str:
        if self._before is None:
            return "no record"
        return f"{_ordinal(self._position - 1)} record, {self._before.status}"

    def doubts(self) -> Iterator[str]:
        """What may excuse it."""
        for later in (self._position, self._position + 1):
            if later in self._history.order_unknown:
                yield (
                    f"{_ordinal(later - 1)} and {_ordinal(later)} record may have come in the "
                    "other order: the clocks of two processes do not tell"
                )


def _wanted(step: Step) -> str:
    wanted = str(step.status)
    if step.owner is None:
        wanted += " owned by nobody"
    elif step.owner is not ANYBODY:
        wanted += f" owned by {step.owner!r}"
    return wanted if step.within_s is None else f"{wanted} within {step.within_s:g} s"


def _ordinal(position: int) -> str:
    number = position + 1
    is_teen = number % 100 in (11, 12, 13)
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"the {number:,}{ending}"


def _shown(history: History, mark: int | None) -> list[str]:
    return [f"invocation {history.invocation_id}:", *timeline(history, mark)]


def _difference(left: History, right: History) -> list[str]:
    if left.invocation_id != right.invocation_id:
        lines = ["the histories are of two invocations"]
    elif left == right:
        lines = ["the histories are the same"]
    else:
        lines = []
    pairs = zip(left, right, strict=False)
    shorter = min(len(left), len(right))
    mark = next((at for at, (one, other) in enumerate(pairs) if one != other), shorter)
    if left.records != right.records:
        lines.append(f"they differ from {_ordinal(mark)} record on")
    return [*lines, *_shown(left, mark), *_shown(right, mark)]


def _kind(side: object) -> str:
    if isinstance(side, History):
        return f"history of {call(side)}"
    return "path(...)" if isinstance(side, Path) else f"{type(side).__name__} object"


def _advice(left: object, right: object) -> Sequence[str]:
    if isinstance(left, Path) or isinstance(right, Path):
        return (
            "a path is compared with a history:",
            "  assert pynenc_history(invocation) == path(...)",
        )
    return (
        "a history is compared with a path, or its statuses with a tuple:",
        '  assert history == path("registered", ..., "success")',
        '  assert history.statuses == ("registered", "pending", "running", "success")',
    )
