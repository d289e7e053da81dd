"""What a mutant is, and the list of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pynenc.orchestrator.base_orchestrator import BaseOrchestrator
from pynenc.state_backend.base_state_backend import BaseStateBackend

from pytest_pynenc_state import Backend
from pytest_pynenc_state.backends.memory.orchestrator import PytestMemOrchestrator
from pytest_pynenc_state.backends.memory.place import BACKEND as MEMORY
from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE

Component = TypeVar("Component", bound=type)


@dataclass(frozen=True)
class Mutant:
    """A backend with one fault.

    :param fault: What it does wrong, in one sentence.
    :param catchers: The clauses that have to fail on it, by id.
    :param stumbles: What pynenc, or a clause, raises when it is given what this one gives, if that
        is an error that otherwise means that the mutant itself cannot work.
    """

    backend: Backend
    fault: str
    catchers: tuple[str, ...]
    stumbles: tuple[type[Exception], ...] = ()


#: All mutants by name.
MUTANTS: dict[str, Mutant] = {}


def mutant(
    *catchers: str, stumbles: tuple[type[Exception], ...] = ()
) -> Callable[[Component], Component]:
    """Declare that a component has a fault, its docstring, which these clauses catch."""

    def declare(kind: Component) -> Component:
        is_of_memory = issubclass(kind, PytestMemStateBackend | PytestMemOrchestrator)
        sound = MEMORY if is_of_memory else SQLITE
        field = "state_backend_cls" if issubclass(kind, BaseStateBackend) else "orchestrator_cls"
        assert issubclass(kind, BaseStateBackend | BaseOrchestrator)
        backend = replace(
            sound,
            name=kind.__name__,
            components={**sound.components, field: kind.__name__},
            modules=(*sound.modules, kind.__module__),
        )
        declare_backend(backend, kind.__doc__ or "", *catchers, stumbles=stumbles)
        return kind

    return declare


def declare_backend(
    backend: Backend, fault: str, *catchers: str, stumbles: tuple[type[Exception], ...] = ()
) -> None:
    """Declare that a whole backend has a fault which these clauses catch."""
    assert backend.name not in MUTANTS
    assert fault
    assert catchers
    MUTANTS[backend.name] = Mutant(backend, fault, catchers, stumbles)
