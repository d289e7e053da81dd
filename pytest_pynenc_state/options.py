"""Every option of the plugin, read in one place, with where its value came from.

Each option is also an ini value and an environment variable. Command line beats
variable beats ini beats default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

    from pytest_pynenc_state.option_values import ServerUrl

#: What runs when nothing is selected, if it can run here.
DEFAULT_BACKENDS = ("memory", "sqlite", "mongomock")

RUNNER_KINDS = ("thread", "multi-thread", "process", "persistent-process", "command-line")
KEEP_CHOICES = ("failed", "all", "none")
SWITCH = ("on", "off")
MISSING_CHOICES = ("skip", "fail")
LEVELS = ("basic", "process", "crash")

_VARIABLES = "PYTEST_PYNENC_"
# What else is called so tells the processes of a test where they are.
_OF_PROCESSES = tuple(_VARIABLES + it for it in ("CRASHES", "FAMILY", "JOURNALS", "MODULES"))

_DEFAULT_TIMEOUT_S = 30.0
_DEFAULT_PROCESSES = 4


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
    :param check_history: ``on`` or ``off``: whether the histories of each test are judged.
    :param check_leaks: ``on`` or ``off``: whether a test that leaves something behind fails.
    :param processes: How many processes race unless a test says.
    :param seed: What random choices follow from; None is a seed of its own for each run.
    :param level: The highest level of the conformance suite that is checked.
    :param report: The files that the outcome of the conformance suite is written to.
    :param timelines: Which tests' timelines are in a report in HTML or JSON.
    :param replay: The files whose operations are judged again.
    :param mongo_url: The MongoDB that backend ``mongo`` uses; None if nobody said.
    :param sources: Option name to where its value came from.
    """

    backend: tuple[str, ...]
    app: str | None
    runner: str
    missing: str | None
    timeout: float
    keep: str
    check_history: str
    check_leaks: str
    processes: int
    seed: int | None
    level: str
    report: tuple[str, ...]
    timelines: str
    replay: tuple[str, ...]
    mongo_url: ServerUrl | None
    sources: Mapping[str, str]

    def is_default(self, name: str) -> bool:
        """Whether nobody chose the value of option *name*."""
        return self.sources[name] == "default"

    def draws(self) -> bool:
        """Whether a report is to have timelines."""
        return any(name.endswith((".html", ".json")) for name in self.report)

    def fails_on_missing(self) -> bool:
        """Whether a backend whose service is missing fails the test instead of skipping it."""
        if self.missing is not None:
            return self.missing == "fail"
        return not self.is_default("backend") or bool(os.environ.get("CI"))


class _Option(SimpleNamespace):
    """How one option is written and understood."""

    name: str
    default: Any
    help: str
    parse: str = "choice"  #: the function of `option_values` that reads it
    choices: tuple[str, ...] = ()
    metavar: str = ""
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
        return _VARIABLES + self.key.upper()


_OPTIONS = (
    _Option(
        name="backend",
        parse="names",
        default=DEFAULT_BACKENDS,
        metavar="NAME|STATE+REST|pkg.mod:attr",
        help="run each test on these backends; repeatable, or separated by commas",
        repeatable=True,
    ),
    _Option(
        name="app",
        parse="app_path",
        default=None,
        metavar="pkg.mod:app",
        help="the application under test, re-pointed in place",
    ),
    _Option(
        name="runner",
        choices=RUNNER_KINDS,
        default="thread",
        help="what the fixture pynenc_runner starts; all but 'thread' are other OS processes",
    ),
    _Option(
        name="missing",
        choices=MISSING_CHOICES,
        default=None,
        help="what to do about a backend whose service is missing (default: skip if it was only "
        "a default, fail if it was named or CI is set)",
    ),
    _Option(
        name="timeout",
        parse="seconds",
        default=_DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="bound of every wait",
    ),
    _Option(
        name="keep",
        choices=KEEP_CHOICES,
        default="failed",
        help="which tests' places stay on disk, and are named in the report",
    ),
    _Option(
        name="check-history",
        choices=SWITCH,
        default="on",
        help="fail a test whose status histories break a rule, when it ends",
    ),
    _Option(
        name="check-leaks",
        choices=SWITCH,
        default="on",
        help="fail a test that leaves processes, threads or sockets behind; the processes are "
        "killed",
    ),
    _Option(
        name="processes",
        parse="count",
        default=_DEFAULT_PROCESSES,
        metavar="N",
        help="how many processes pynenc_race lets compete, unless a test says",
    ),
    _Option(
        name="seed",
        parse="seed",
        default=None,
        metavar="N",
        help="repeat the random choices of a run that printed this number",
    ),
    _Option(
        name="level",
        choices=LEVELS,
        default=LEVELS[-1],
        help="check clauses of the conformance suite up to this level",
    ),
    _Option(
        name="report",
        parse="report_files",
        default=(),
        metavar="FILE.html|.json|.md",
        help="write what became of the conformance suite to this file, and to one in HTML or JSON "
        "also the timelines of tests; repeatable",
        repeatable=True,
    ),
    _Option(
        name="timelines",
        choices=("failed", "all"),
        default="failed",
        help="which tests' timelines are in a report in HTML or JSON",
    ),
    _Option(
        name="replay",
        parse="files",
        default=(),
        metavar="FILE",
        help="judge again the operations that a failed test has saved, and of other tests run only "
        "those that the command line names; repeatable",
        repeatable=True,
    ),
    _Option(
        name="mongo-url",
        parse="mongo_url",
        default=None,
        metavar="URL",
        help="the MongoDB that backend 'mongo' makes its databases on",
    ),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini value."""
    group = parser.getgroup("pynenc", "state backends for tests of pynenc applications")
    for option in _OPTIONS:
        default = "" if option.default in (None, ()) else f" (default: {_joined(option.default)})"
        group.addoption(
            option.flag,
            action="append" if option.repeatable else "store",
            dest=_destination(option),
            metavar=option.metavar or "|".join(option.choices),
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
    group.addoption(
        "--pynenc-conformance",
        action="store_true",
        dest="pynenc_conformance",
        help="check pynenc's contract on the selected backends: run the conformance suite, and of "
        "other tests only those that the command line names",
    )


def resolve_options(config: pytest.Config) -> Options:
    """Read all options from *config*, the environment and the ini file.

    :raises OptionsError: A value cannot be used; the message names option, value and source.
    """
    _warn_of_unknown_variables(config)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in _OPTIONS:
        text, sources[option.name] = _found(option, config)
        values[option.key] = option.default if text is None else _parsed(option, text, sources)
    return Options(**values, sources=sources)


def _warn_of_unknown_variables(config: pytest.Config) -> None:
    """Warn of variables that look like ours and set nothing, as pytest does of ini values."""
    known = [option.variable for option in _OPTIONS]
    for variable in os.environ:
        if variable.startswith(_VARIABLES) and variable not in (*known, *_OF_PROCESSES):
            import pytest

            from pytest_pynenc_state.option_values import near_match

            name = variable.removeprefix(_VARIABLES)
            hint = near_match(name, [each.removeprefix(_VARIABLES) for each in known])
            message = f"variable {variable} sets nothing: there is no option {name}; {hint}"
            config.issue_config_time_warning(pytest.PytestConfigWarning(message), stacklevel=2)


def wants_conformance(config: pytest.Config) -> bool:
    """Whether the run is to check the conformance suite."""
    return bool(config.getoption("pynenc_conformance"))


def writes_pytest_html(config: pytest.Config) -> bool:
    """Whether the plugin pytest-html is there and writes a report."""
    return bool(config.getoption("htmlpath", None))


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
    # Loading these takes half a millisecond, which a session that chooses nothing need not pay.
    from pytest_pynenc_state import option_values
    from pytest_pynenc_state.errors import OptionsError

    parse = getattr(option_values, option.parse)
    try:
        return parse(text, option.choices) if option.choices else parse(text)
    except ValueError as error:
        reason, *remedies = error.args
        message = f"{option.flag}: {_shown(text)!r} {reason} (from {sources[option.name]})"
        raise OptionsError(message, *remedies) from None


def _destination(option: _Option) -> str:
    return f"pynenc_{option.key}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return _joined(value)
    from pytest_pynenc_state.option_values import without_credentials

    return without_credentials(str(value))


def _joined(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
