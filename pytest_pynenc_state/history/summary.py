"""All invocations of an app on a page: a line for each, trees indented, the failing ones first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.history.facts import InvocationFacts
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.timeline import call, trail

#: More lines than these hide what matters.
_MOST_LINES = 30

_BROKEN, _FAILED, _UNFINISHED, _FINE, _PYNENCS_OWN = range(5)

# pynenc registers these tasks by itself, in every app that has a runner.
_OWN_TASKS = "pynenc.core_tasks."


def summary(invocations: Sequence[InvocationFacts], broken: frozenset[str] = frozenset()) -> str:
    """Describe *invocations* in a line for each invocation, at most so many, and count the rest.

    Whole trees come in the order: with a broken rule, with a failed invocation, with one that
    has not ended, others, pynenc's own tasks; and within that as they were registered.

    :param broken: The ids of invocations that break a rule.
    """
    known = {each.history.invocation_id for each in invocations}
    children: defaultdict[str | None, list[InvocationFacts]] = defaultdict(list)
    for each in invocations:
        children[each.parent_id if each.parent_id in known else None].append(each)

    def tree(root: InvocationFacts) -> Iterator[tuple[int, History]]:
        ahead = [(0, root)]
        while ahead:
            depth, each = ahead.pop()
            yield depth, each.history
            below = reversed(children[each.history.invocation_id])
            ahead.extend((depth + 1, child) for child in below)

    trees = [list(tree(root)) for root in children[None]]
    trees.sort(key=lambda each: min(_urgency(history, broken) for _, history in each))
    lines = [
        f"{'  ' * depth}{call(history)}: {trail(history)}"
        for each in trees
        for depth, history in each
    ]
    rest = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], *([f"... and {rest:,} more"] if rest > 0 else [])])


def _urgency(history: History, broken: frozenset[str]) -> int:
    if history.invocation_id in broken:
        return _BROKEN
    if history.task.startswith(_OWN_TASKS):
        return _PYNENCS_OWN
    if not history.is_final:
        return _UNFINISHED
    return _FAILED if history.statuses[-1] == InvocationStatus.FAILED else _FINE
