"""What is drawn of operations that no correct store could have answered so."""

from __future__ import annotations

from pytest_pynenc_state.history.linearizability import Impossible
from pytest_pynenc_state.history.operations import Operation
from pytest_pynenc_state.history.picture import Line, Mark, Picture, Step

#: What the step of an operation says of it.
POSSIBLE, IMPOSSIBLE, LEFT = "possible", "impossible", "not in the order"

# So many operations are drawn on each side of the impossible one; what is further away does not
# explain it.
_DRAWN = 100

_NS = 1e-9


def operations_picture(model: str, impossible: Impossible) -> Picture:
    """What is to be drawn of the operations on one thing, around the impossible one.

    :param model: The name of the model that says so.
    """
    done, rest = impossible.around(_DRAWN)
    kinds = {id(each): POSSIBLE for each in done} | {id(each): LEFT for each in rest}
    shown = sorted([*done, impossible.operation, *rest], key=lambda each: each.start_ns)
    begin_ns = shown[0].start_ns
    lanes = {process: n for n, process in enumerate(dict.fromkeys(op.process for op in shown))}
    lines = [
        _line(number, each, kinds.get(id(each), IMPOSSIBLE), lanes[each.process], begin_ns)
        for number, each in enumerate(shown, 1)
    ]
    (number,) = (n for n, each in enumerate(shown, 1) if each is impossible.operation)
    mark = Mark(
        invocation_id=str(number),
        step=0,
        rule=f"{IMPOSSIBLE} ({model})",
        message=f"after what is {POSSIBLE}, a correct store would have answered "
        f"{impossible.allowed}, as its state was {impossible.state}",
    )
    return Picture(
        kind="operations",
        about=f"{impossible.key}, by model {model}",
        begins_at="",
        lasts_s=max((each.end_ns or each.start_ns) - begin_ns for each in shown) * _NS,
        lanes=list(lanes),
        lines=lines,
        marks=[mark],
    )


def _line(number: int, operation: Operation, kind: str, lane: int, begin_ns: int) -> Line:
    end_ns = operation.end_ns
    step = Step(
        status=kind,
        lane=lane,
        owner="",
        mover=operation.process,
        since_s=(operation.start_ns - begin_ns) * _NS,
        until_s=None if end_ns is None else (end_ns - begin_ns) * _NS,
        is_order_unknown=False,
    )
    return Line(invocation_id=str(number), call=str(operation), parent_id="", steps=[step])
