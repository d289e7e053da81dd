"""Which calls can be crash points: the methods of pynenc's components, and what they are about."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeAlias

from pynenc.task import Task

from pytest_pynenc_state.errors import CrashRefused
from pytest_pynenc_state.option_values import near_match
from pytest_pynenc_state.processes.watching import COMPONENTS

#: A task, or its key: module and name, with a dot between them.
TaskOrKey: TypeAlias = Task[..., Any] | str

#: What pynenc calls the invocations that a method is about, and how to get their ids.
ABOUT: dict[str, Callable[[Any], list[str]]] = {
    "invocation_id": lambda value: [value],
    "invocation_ids": list,
    "invocation": lambda value: [value.invocation_id],
    "invocations": lambda value: [each.invocation_id for each in value],
}


def methods_of(component: str) -> list[str]:
    """The methods of a component that can be crash points: those that pynenc declares."""
    base = COMPONENTS[component]
    return [
        name
        for name in dir(base)
        if not name.startswith("__")
        and isinstance(inspect.getattr_static(base, name), FunctionType)
    ]


def is_about_invocations(component: str, method: str) -> bool:
    """Whether one can tell from a call which invocations it is about."""
    parameters = inspect.signature(getattr(COMPONENTS[component], method)).parameters
    return any(name in parameters for name in ABOUT)


def found_method(where: str, method: str) -> tuple[str, str]:
    """The component and the name that *method* stands for."""
    prefix, _, name = method.rpartition(".")
    owners = [component for component in COMPONENTS if name in methods_of(component)]
    if prefix in owners or (not prefix and len(owners) == 1):
        return prefix or owners[0], name
    if owners:
        message = f"{where}: {name} is a method of {' and of '.join(owners)}"
        raise CrashRefused(message, *(f"write '{owner}.{name}'" for owner in owners))
    known = [f"{owner}.{each}" for owner in COMPONENTS for each in methods_of(owner)]
    bare = [each for owner in COMPONENTS for each in methods_of(owner)]
    message = f"{where}: pynenc's {', '.join(COMPONENTS)} have no method {method!r}"
    raise CrashRefused(message, near_match(method, known if prefix else bare))


def key_of(where: str, task: TaskOrKey) -> str:
    """The key of a task."""
    task_id = getattr(task, "task_id", None)
    key = task if task_id is None else task_id.key
    if not isinstance(key, str) or "." not in key:
        message = f"{where}: expected a task or its key, got {task!r}"
        raise CrashRefused(message, "give the task itself, or 'package.module.function'")
    return key
