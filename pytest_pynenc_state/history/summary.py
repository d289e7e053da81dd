"""All invocations of an app on a page: a line for each, trees indented, the failing ones first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.history.facts import InvocationFacts
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.timeline import call, trail

#: More lines than these hide what matters.
_MOST_LINES = 30

_BROKEN, _FAILED, _UNFINISHED, _FINE, _PYNENCS_OWN = range(5)

_NOT_ENDED = " (not ended)"

# pynenc registers these tasks by itself, in every app that has a runner.
_OWN_TASKS = "pynenc.core_tasks."


def summary(invocations: Sequence[InvocationFacts], broken: frozenset[str] = frozenset()) -> str:
    """Describe *invocations* in a line for each invocation, at most so many, and count the rest.

    Whole trees come in the order: with a broken rule, with a failed invocation, with one that
    has not ended, others, pynenc's own tasks; and within that as they were registered. The
    children of an invocation come in that order, too. If there are too many, the least urgent
    ones are left out, whichever tree they are in. A line says if its invocation has not ended.

    :param broken: The ids of invocations that break a rule.
    """
    parents = _parents(invocations)
    children: _Children = defaultdict(list)
    for each in invocations:
        children[parents[each.history.invocation_id]].append(each.history)
    urgency = {each.history.invocation_id: _urgency(each.history, broken) for each in invocations}
    _order(children, parents, urgency)
    tree = list(_tree(children))
    by_urgency = sorted(tree, key=lambda line: urgency[line[1].invocation_id])
    shown = _most_urgent([history.invocation_id for _, history in by_urgency], parents)
    lines = [
        f"{'  ' * depth}{call(history)}: {trail(history)}{'' if history.is_final else _NOT_ENDED}"
        for depth, history in tree
        if history.invocation_id in shown
    ]
    rest = len(tree) - len(lines)
    return "\n".join([*lines, *([f"... and {rest:,} more"] if rest else [])])


#: The histories below each invocation; below None those that are below no other.
_Children = defaultdict[str | None, list[History]]
_Parents = Mapping[str, str | None]


def _parents(invocations: Iterable[InvocationFacts]) -> dict[str, str | None]:
    """The parent of each of *invocations*; None if that is none of them."""
    known = {each.history.invocation_id: each.parent_id for each in invocations}
    return {each: parent if parent in known else None for each, parent in known.items()}


def _order(children: _Children, parents: _Parents, urgency: Mapping[str, int]) -> None:
    """Sort *children*: each is as urgent as the most urgent invocation below it."""
    of_tree = dict(urgency)
    # From the leaves up, without recursion: a chain may be long.
    for _, history in reversed(list(_tree(children))):
        below = parents[history.invocation_id]
        if below is not None:
            of_tree[below] = min(of_tree[below], of_tree[history.invocation_id])
    for siblings in children.values():
        siblings.sort(key=lambda each: of_tree[each.invocation_id])


def _tree(children: _Children) -> Iterator[tuple[int, History]]:
    """All histories, each with its depth, a parent in front of its children."""
    ahead = [(0, root) for root in reversed(children[None])]
    while ahead:
        depth, history = ahead.pop()
        yield depth, history
        below = reversed(children.get(history.invocation_id, ()))
        ahead.extend((depth + 1, child) for child in below)


def _most_urgent(ids: Iterable[str], parents: _Parents) -> set[str]:
    """As many of *ids* as there are lines, the first ones first, each with what is above it."""
    chosen: set[str] = set()
    for each in ids:
        room = _MOST_LINES - len(chosen)
        if not room:
            break
        needed: list[str] = []
        above: str | None = each
        while above is not None and above not in chosen and len(needed) <= room:
            needed.append(above)
            above = parents[above]
        if len(needed) <= room:
            chosen.update(needed)
    return chosen


def _urgency(history: History, broken: frozenset[str]) -> int:
    if history.invocation_id in broken:
        return _BROKEN
    if history.task.startswith(_OWN_TASKS):
        return _PYNENCS_OWN
    if not history.is_final:
        return _UNFINISHED
    return _FAILED if history.statuses[-1] == InvocationStatus.FAILED else _FINE
