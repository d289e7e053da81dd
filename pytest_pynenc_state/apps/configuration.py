"""pynenc configuration values that win over every other source, and that children inherit.

In pynenc, ``config_values`` is the weakest source but the defaults: a ``pyproject.toml``
in the working directory, configuration files and ``PYNENC__*`` variables all beat it, and
a child process only sees values, variables and entry points. So each scalar value is also
exported as a variable, and variables that would beat it are set aside meanwhile.
"""

from __future__ import annotations

import inspect
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pynenc.conf.config_base import ConfigPynencBase

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.option_values import near_match, without_credentials

_PREFIX = "PYNENC__"

# Whatever a field of such a name has is not printed.
_SECRET = re.compile(r"(?i)passw|secret|token|credential|dsn|_key$")

#: Modules that `pynenc_plugin` imports in every process which builds an app.
MODULES_VARIABLE = "PYTEST_PYNENC_MODULES"

#: What a test run wants and a production run would not: short pauses, fresh answers.
TEST_DEFAULTS: Mapping[str, Any] = {
    "runner_loop_sleep_time_sec": 0.01,
    "invocation_wait_results_sleep_time_sec": 0.01,
    "cached_status_time": 0.0,
    "logging_level": "warning",
    "log_use_colors": False,
    # Of the runners that start several workers: enough to compete, few enough to start fast.
    "max_processes": 2,
    "num_processes": 2,
}


def _known_fields() -> dict[str, list[Any]]:
    """Every field of every pynenc configuration class that is imported by now, by its name."""
    found: dict[str, list[Any]] = {}
    classes = [ConfigPynencBase]
    while classes:
        config_class = classes.pop()
        for name in config_class.config_fields():
            found.setdefault(name, []).append(inspect.getattr_static(config_class, name))
        classes += config_class.__subclasses__()
    return found


def checked_values(
    values: Mapping[str, Any], source: str, import_more: Callable[[], None]
) -> dict[str, Any]:
    """Return *values*, all of them fields of some pynenc configuration class.

    :param import_more: Imports what else has such classes; called before a name is refused.
    :raises OptionsError: *values* is no mapping; a name is no field, and no section (a mapping)
        either; or no class that has the field takes the value.
    """
    given: object = values
    if not isinstance(given, Mapping):
        message = f"{source}: expected a mapping of pynenc's configuration fields, got {given!r}"
        raise OptionsError(message, "give a dict, for example {'max_retries': 3}")
    known = _known_fields() if values else {}
    single = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    if not known.keys() >= single.keys():
        import_more()
        known = _known_fields()
    for name, value in single.items():
        if name not in known:
            message = f"{source}: pynenc has no configuration field {name!r}"
            raise OptionsError(message, near_match(str(name), sorted(known)))
        refusals = [refusal for field in known[name] if (refusal := _refusal(field, value))]
        if len(refusals) == len(known[name]):
            message = f"{source}: pynenc does not take {name}={value!r}: {refusals[0]}"
            raise OptionsError(message, f"its default is {known[name][0]._default_value!r}")
    return dict(values)


def _refusal(field: Any, value: object) -> str:
    """Why pynenc would not take *value* for *field*; nothing if it would."""
    try:
        field._mapper(value, type(field._default_value))
    except Exception as error:  # noqa: BLE001 - a field may convert with any function
        return str(error) or type(error).__name__
    return ""


@contextmanager
def exported(
    values: Mapping[str, Any], *, hidden: Sequence[str] = (), modules: Sequence[str] = ()
) -> Iterator[None]:
    """Export the scalars of *values* as variables; put every variable back afterwards.

    :param hidden: Fields whose variables are set aside without being replaced.
    :param modules: Modules that a process which builds an app is to import.
    """
    ours = _variables(values, modules)
    scalars = (name for name, value in values.items() if _is_scalar(value))
    fields = [name.upper() for name in (*scalars, *hidden)]
    rivals = {
        variable
        for variable in os.environ
        if variable.startswith(_PREFIX) and variable.rsplit("__", 1)[-1] in fields
    }
    saved = {variable: os.environ.get(variable) for variable in rivals | ours.keys()}
    for variable, former in saved.items():
        _put(variable, former, ours.get(variable))
    try:
        yield
    finally:
        for variable, former in saved.items():
            _put(variable, os.environ.get(variable), former)


def monitor_command(values: Mapping[str, Any], modules: Sequence[str]) -> str:
    """The command that opens pynenc's monitor on the store that *values* lead to.

    What is, or may be, a secret is hidden; whoever enters the command has to put it in again.
    """
    variables = _variables(values, modules).items()
    words = (f"{name}={shlex.quote(_without_secret(name, value))}" for name, value in variables)
    return " ".join([*words, "pynenc monitor"])


def _without_secret(name: str, value: str) -> str:
    if _SECRET.search(name):
        return "***" if value else ""
    if Path(value).is_absolute():  # a path may have the sign that ends a login
        return value
    # Also where what is before it would not be allowed in a URL.
    return without_credentials(re.sub(r"://.*@", "://***@", value, flags=re.DOTALL))


def _variables(values: Mapping[str, Any], modules: Sequence[str]) -> dict[str, str]:
    """The scalars of *values* as pynenc's variables, and *modules* as ours."""
    scalars = {name: value for name, value in values.items() if _is_scalar(value)}
    ours = {_PREFIX + name.upper(): _as_text(value) for name, value in scalars.items()}
    return {**ours, MODULES_VARIABLE: ",".join(modules)}


def _put(variable: str, former: str | None, wanted: str | None) -> None:
    # A test's place and its app export much of the same; to set a variable takes long.
    if wanted == former:
        return
    if wanted is None:
        del os.environ[variable]
    else:
        os.environ[variable] = wanted


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _as_text(value: str | float | bool) -> str:  # noqa: FBT001 - a value, not a switch
    # cistell reads a boolean variable with bool(): any text but the empty one is true.
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value)
