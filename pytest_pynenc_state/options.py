"""Every option of the plugin, read in one place, with where its value came from.

Each option is also an ini value and an environment variable. Command line beats
variable beats ini beats default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, NoReturn

if TYPE_CHECKING:
    import pytest

#: What runs when nothing is selected, if it can run here.
DEFAULT_BACKENDS = ("memory", "sqlite", "mongomock")

RUNNER_KINDS = ("thread", "multi-thread", "process", "persistent-process")
KEEP_CHOICES = ("failed", "all", "none")
MISSING_CHOICES = ("skip", "fail")

_DEFAULT_TIMEOUT_S = 30.0

# More names than this do not help somebody who looks for one.
_FEW = 20


# Name spaces, because every pytest session pays for these two classes, and making a data class
# or a named tuple takes many times as long.
class Options(SimpleNamespace):
    """The plugin's settings for one run.

    :param backend: Names of the selected backends, in order, each once.
    :param app: ``pkg.mod:app`` of the application under test; None builds a fresh app.
    :param runner: The kind of runner that ``pynenc_runner`` starts.
    :param missing: What to do about a backend whose service is missing; None means skip
        if the backend was only a default, fail if it was named or ``CI`` is set.
    :param timeout: Bound of every wait, in seconds.
    :param keep: Which tests' places are kept.
    :param mongo_url: The MongoDB that backend ``mongo`` uses; None if nobody said.
    :param sources: Option name to where its value came from.
    """

    backend: tuple[str, ...]
    app: str | None
    runner: str
    missing: str | None
    timeout: float
    keep: str
    mongo_url: ServerUrl | None
    sources: Mapping[str, str]

    def is_default(self, name: str) -> bool:
        """Whether nobody chose the value of option *name*."""
        return self.sources[name] == "default"

    def fails_on_missing(self) -> bool:
        """Whether a backend whose service is missing fails the test instead of skipping it."""
        if self.missing is not None:
            return self.missing == "fail"
        return not self.is_default("backend") or bool(os.environ.get("CI"))


class ServerUrl(str):
    """The URL of a server, whose representation in tracebacks and messages has no password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_credentials(self))


def without_credentials(text: str) -> str:
    """Return *text* with ``***`` for what is, or may be, a login or a secret in a URL.

    Rather too much than too little: a URL that is malformed is shown in an error.
    """
    import re  # loaded by pytest anyway, but not by a child process

    login = r"(\w[\w+.-]*://|(?<![^\s'\"]))[^\s'\"]*@"
    other = r"(?i)(\w*(?:password|token|secret|mechanismproperties)\w*=)[^\s&;'\"]+"
    return re.sub(other, r"\1***", re.sub(login, r"\1***@", text))


class _Option(SimpleNamespace):
    """How one option is written and understood."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    metavar: str
    help: str
    repeatable: bool = False

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def flag(self) -> str:
        return f"--pynenc-{self.name}"

    @property
    def ini(self) -> str:
        return f"pynenc_{self.key}"

    @property
    def variable(self) -> str:
        return f"PYTEST_PYNENC_{self.key.upper()}"


def near_match(word: str, known: Sequence[str]) -> str:
    """A remedy: the known word that looks most like *word*, or all if they are few."""
    from difflib import get_close_matches  # only needed when something is wrong

    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from: {', '.join(known)}" if 0 < len(known) <= _FEW else "check the spelling"


def _refuse(message: str, *remedies: str) -> NoReturn:
    # Loading the errors takes 0.8 ms, which a session without a mistake need not pay.
    from pytest_pynenc_state.errors import OptionsError

    raise OptionsError(message, *remedies) from None


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not names:
        _refuse("names no backend", "name one or more, separated by commas")
    return names


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            _refuse(f"is none of {', '.join(choices)}", near_match(text, choices))
        return text

    return parse


def checked_app_path(text: str) -> str:
    """Return *text*, which names an app.

    :raises OptionsError: It is not of the form ``pkg.mod:app``.
    """
    module, colon, attribute = text.partition(":")
    if not (colon and module and attribute):
        _refuse("is not of the form pkg.mod:app", f"write it like {module or 'pkg.mod'}:app")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        _refuse("is not a positive number of seconds", "write a number like 30 or 2.5")
    return seconds


def checked_mongo_url(text: str) -> ServerUrl:
    """Return *text*, which is the URL of a MongoDB.

    :raises OptionsError: It is none, or has a login that is not percent-encoded.
    """
    scheme, separator, rest = text.partition("://")
    if separator == "" or scheme not in ("mongodb", "mongodb+srv"):
        _refuse(
            "is no URL that starts with mongodb:// or mongodb+srv://",
            "write it like mongodb://localhost:27017",
        )
    host, *others = rest.replace("?", "/").split("/")
    # A driver would take a part of such a login for something else, and show it in an error.
    if any("@" in part for part in others):
        _refuse(
            "has a special character in user, password or an option",
            "percent-encode it: / is %2F, ? is %3F, @ is %40",
        )
    if not host.rpartition("@")[2]:
        _refuse("names no host", "write it like mongodb://localhost:27017")
    return ServerUrl(text)


_OPTIONS = (
    _Option(
        name="backend",
        parse=_names,
        default=DEFAULT_BACKENDS,
        metavar="NAME|STATE+REST|pkg.mod:attr",
        help="run each test on these backends; repeatable, or separated by commas",
        repeatable=True,
    ),
    _Option(
        name="app",
        parse=checked_app_path,
        default=None,
        metavar="pkg.mod:app",
        help="the application under test, re-pointed in place",
    ),
    _Option(
        name="runner",
        parse=_one_of(*RUNNER_KINDS),
        default="thread",
        metavar="|".join(RUNNER_KINDS),
        help="what the fixture pynenc_runner starts; all but 'thread' are other OS processes",
    ),
    _Option(
        name="missing",
        parse=_one_of(*MISSING_CHOICES),
        default=None,
        metavar="|".join(MISSING_CHOICES),
        help="what to do about a backend whose service is missing (default: skip if it was only "
        "a default, fail if it was named or CI is set)",
    ),
    _Option(
        name="timeout",
        parse=_seconds,
        default=_DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="bound of every wait",
    ),
    _Option(
        name="keep",
        parse=_one_of(*KEEP_CHOICES),
        default="failed",
        metavar="|".join(KEEP_CHOICES),
        help="which tests' places stay on disk, and are named in the report",
    ),
    _Option(
        name="mongo-url",
        parse=checked_mongo_url,
        default=None,
        metavar="URL",
        help="the MongoDB that backend 'mongo' makes its databases on",
    ),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini value."""
    group = parser.getgroup("pynenc", "state backends for tests of pynenc applications")
    for option in _OPTIONS:
        default = "" if option.default is None else f" (default: {_shown(option.default)})"
        group.addoption(
            option.flag,
            action="append" if option.repeatable else "store",
            dest=_destination(option),
            metavar=option.metavar,
            default=None,
            help=f"{option.help}{default}".replace("%", "%%"),
        )
        kind: Literal["args", "string"] = "args" if option.repeatable else "string"
        parser.addini(option.ini, f"{option.help} ({option.flag})", type=kind, default=None)
    group.addoption(
        "--pynenc-list-backends",
        action="store_true",
        dest="pynenc_list_backends",
        help="list the backends that can be selected, and exit",
    )


def resolve_options(config: pytest.Config) -> Options:
    """Read all options from *config*, the environment and the ini file.

    :raises OptionsError: A value cannot be used; the message names option, value and source.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in _OPTIONS:
        text, sources[option.name] = _found(option, config)
        values[option.key] = option.default if text is None else _parsed(option, text, sources)
    return Options(**values, sources=sources)


def wants_backend_list(config: pytest.Config) -> bool:
    """Whether the run is only to list the backends."""
    return bool(config.getoption("pynenc_list_backends"))


def describe(options: Options) -> str:
    """One line for the report header: every setting that somebody chose, and its source."""
    shown = [it for it in _OPTIONS if it.name == "backend" or not options.is_default(it.name)]
    return "; ".join(
        f"{option.name} {_shown(getattr(options, option.key))} ({_source(option, options)})"
        for option in shown
    )


def _source(option: _Option, options: Options) -> str:
    source = options.sources[option.name]
    if option.name == "backend" and source == "default":
        # Which of them can run here is only looked up when a test asks for one.
        return "default, where installed"
    return source


def _found(option: _Option, config: pytest.Config) -> tuple[str | None, str]:
    given = config.getoption(_destination(option))
    if given is not None:
        return (",".join(given) if option.repeatable else given), option.flag
    if option.variable in os.environ:
        return os.environ[option.variable], option.variable
    ini: str | list[str] | None = config.getini(option.ini)
    if ini is not None:
        text = ini if isinstance(ini, str) else ",".join(ini)
        return text, f"ini {option.ini}"
    return None, "default"


def _parsed(option: _Option, text: str, sources: Mapping[str, str]) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        reason, *remedies = error.args
        message = f"{option.flag}: {_shown(text)!r} {reason} (from {sources[option.name]})"
        _refuse(message, *remedies)


def _destination(option: _Option) -> str:
    return f"pynenc_{option.key}"


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else without_credentials(str(value))
