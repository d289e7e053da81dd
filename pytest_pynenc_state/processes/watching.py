"""Methods of pynenc's components, replaced in every component that is made while we watch.

pynenc's classes get another constructor for that time, and nothing else. A component that was
made before keeps its methods, unless its app is handed over; afterwards each has its own again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, TypeAlias

from pynenc.broker.base_broker import BaseBroker
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator
from pynenc.state_backend.base_state_backend import BaseStateBackend

#: Attribute of an app to the class whose methods can be watched.
COMPONENTS: dict[str, type[Any]] = {
    "orchestrator": BaseOrchestrator,
    "state_backend": BaseStateBackend,
    "broker": BaseBroker,
}

#: Gets a component, the attribute of an app that it is, a method's name, and the method; returns
#: what is called instead, or None to leave it alone.
Replacement: TypeAlias = Callable[[Any, str, str, Callable[..., Any]], Callable[..., Any] | None]

_ABSENT = object()


class Watching:
    """Watches components, from `install` to `uninstall`.

    :param methods: The methods to replace, for each attribute of an app. What a component does
        not have, because its pynenc is older or newer, is left out.
    """

    def __init__(self, methods: Mapping[str, Iterable[str]], replacement: Replacement) -> None:
        self._methods = methods
        self._replacement = replacement
        self._originals: dict[type[Any], Any] = {}
        self._watched: list[tuple[weakref.ref[Any], str, Any]] = []

    def install(self) -> None:
        """Watch all components that are made from now on."""
        for attribute in self._methods:
            base = COMPONENTS[attribute]
            self._originals[base] = base.__init__
            base.__init__ = _watched(base.__init__, partial(self._watch, attribute))

    def uninstall(self) -> None:
        """Have all components as they were; of two that watch, the last to come goes first."""
        for base, original in self._originals.items():
            base.__init__ = original
        self._originals.clear()
        for reference, name, former in reversed(self._watched):
            if (component := reference()) is None:
                continue
            if former is _ABSENT:
                delattr(component, name)
            else:
                setattr(component, name, former)
        self._watched.clear()

    def watch_app(self, app: Any) -> None:
        """Watch the components that an app has already."""
        for attribute in self._methods:
            self._watch(attribute, getattr(app, attribute))

    def _watch(self, attribute: str, component: Any) -> None:
        for name in self._methods[attribute]:
            if (method := getattr(component, name, None)) is None:
                continue
            replaced = self._replacement(component, attribute, name, method)
            if replaced is not None:
                former = vars(component).get(name, _ABSENT)
                self._watched.append((weakref.ref(component), name, former))
                setattr(component, name, wraps(method)(replaced))


def _watched(construct: Callable[..., None], watch: Callable[[Any], None]) -> Callable[..., None]:
    @wraps(construct)
    def constructed(self: Any, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **kwargs)
        watch(self)

    return constructed
