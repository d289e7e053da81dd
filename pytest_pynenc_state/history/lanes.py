"""Operations drawn in text: a lane for each process, in which what overlaps stands side by side."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_pynenc_state.history.operations import Operation

# So many columns for each instant: enough for a bracket, and a number of two digits.
_COLUMNS = 3


def lanes(numbered: Mapping[int, Operation]) -> list[str]:
    """Draw operations as ``[3--]``, from call to return; one that has no end is ``[3-->``.

    Columns are in the order of the instants, not to scale.

    :param numbered: The number that each is shown by, of one or two digits.
    :returns: A line for each process, by the first of its operations.
    """
    instants = sorted({each for one in numbered.values() for each in _instants(one)})
    columns = {instant_ns: _COLUMNS * rank for rank, instant_ns in enumerate(instants)}
    width = _COLUMNS * len(instants) + 1
    by_start = sorted(numbered.items(), key=lambda item: item[1].start_ns)
    rows = {operation.process: [" "] * width for _, operation in by_start}
    for number, operation in by_start:
        first = columns[operation.start_ns]
        end_ns = operation.end_ns
        last = width - 1 if end_ns is None else columns[end_ns] + 1
        bar = f"[{number}".ljust(last - first, "-") + (">" if end_ns is None else "]")
        rows[operation.process][first : first + len(bar)] = bar
    margin = max(map(len, rows))
    return [f"{process:<{margin}}  {''.join(row).rstrip()}" for process, row in rows.items()]


def _instants(operation: Operation) -> list[int]:
    ends = [] if operation.end_ns is None else [operation.end_ns]
    return [operation.start_ns, *ends]
