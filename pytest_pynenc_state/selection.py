"""Which backends and which runner a test gets: options, then what its markers say."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.markers import (
    backends_marker,
    check_app,
    check_app_marker,
    required_capabilities,
)
from pytest_pynenc_state.option_values import near_match
from pytest_pynenc_state.options import RUNNER_KINDS, Options
from pytest_pynenc_state.session import SessionState, state_of


def check_options(state: SessionState) -> None:
    """Refuse options that name a backend or an app that cannot be had.

    :raises OptionsError: The message names option, value and source.
    """
    options = state.options
    if not options.is_default("backend"):
        for name in options.backend:
            _explained(options, "backend", name, partial(_check_backend, state))
    if options.app is not None:
        _explained(options, "app", options.app, check_app)


def _check_backend(state: SessionState, name: str) -> None:
    backend = state.backend(name)
    if state.options.fails_on_missing() and (obstacle := backend.obstacle()):
        raise OptionsError(obstacle, *backend.remedies())


def _explained(options: Options, option: str, value: str, check: Any) -> None:
    try:
        check(value)
    except OptionsError as error:
        source = options.sources[option]
        message = f"--pynenc-{option} {value!r} (from {source}): {error.message}"
        raise OptionsError(message, *error.remedies) from error


def backend_name(request: pytest.FixtureRequest) -> str:
    """The name of the backend that a test runs on: its parameter, or all that is left to it.

    :raises OptionsError: The parameter is no name, or several backends are left.
    """
    name = getattr(request, "param", None)
    if name is None:
        return _only_backend(request)
    if not isinstance(name, str):
        message = f"pynenc_backend: expected the name of a backend, got {name!r}"
        raise OptionsError(message, "write a name, or pkg.mod:attr")
    return name


def _only_backend(request: pytest.FixtureRequest) -> str:
    """The backend of a test that cannot run once on each: the one that is left to it.

    Such are the methods of `unittest.TestCase`, and tests that ask only while they run.

    :raises OptionsError: Several are left, or a marker of the test cannot be used.
    """
    state = state_of(request.config)
    check_app_marker(request.node)
    needs_shared = leaves_unshared_out(state.options)
    chosen, reasons = chosen_backends(request.node, state, needs_shared=needs_shared)
    if not chosen:
        pytest.skip(none_fits(reasons))
    if len(chosen) > 1:
        message = (
            f"{request.node.nodeid}: pytest runs this test once, so it needs one backend, and has "
            f"{len(chosen)} to run on: {', '.join(chosen)}"
        )
        raise OptionsError(
            message,
            f"mark it, or its class: @pytest.mark.pynenc_backends({chosen[0]!r})",
            f"or select one for the run: --pynenc-backend {chosen[0]}",
            "or make it a plain test function that names the fixture among its arguments",
        )
    return chosen[0]


def chosen_backends(
    item: Any, state: SessionState, *, needs_shared: bool
) -> tuple[list[str], list[str]]:
    """The names of the backends *item* runs on, and why it does not run on the others.

    :param needs_shared: Whether it needs a shared backend, whatever its markers say.
    :raises OptionsError: A marker cannot be used.
    """
    from pytest_pynenc_state.backends.backend import Capability

    allowed, excluded = backends_marker(item, state)
    required = [*required_capabilities(item), *([Capability.SHARED] if needs_shared else [])]
    chosen, reasons = [], []
    for name in state.options.backend:
        lacking = state.backend(name).lacks(required)
        if (allowed and name not in allowed) or name in excluded:
            reasons.append(f"{name} is left out by the marker pynenc_backends")
        elif name in state.left_out:
            reasons.append(f"{name} {state.left_out[name]}")
        elif lacking:
            reasons.append(f"{name} lacks {', '.join(lacking)}")
        else:
            chosen.append(name)
    return chosen, reasons


def none_fits(reasons: Iterable[str]) -> str:
    """Why a test runs on no backend at all."""
    return "no selected backend fits: " + "; ".join(reasons)


def leaves_unshared_out(options: Options) -> bool:
    """Whether the chosen runner needs a shared backend where nobody insisted on another."""
    return options.runner != RUNNER_KINDS[0] and options.is_default("backend")


def runner_kind(item: Any, options: Options) -> str:
    """The kind of runner for a test: the parameter of ``pynenc_runner``, or the option.

    :raises OptionsError: There is no such kind.
    """
    # Asked of the test, not of the fixture: the app is configured before the runner starts.
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    kind: str = parameters.get("pynenc_runner", options.runner)
    if kind not in RUNNER_KINDS:
        message = f"pynenc_runner: there is no kind of runner {kind!r}"
        raise OptionsError(message, near_match(str(kind), RUNNER_KINDS))
    return kind
