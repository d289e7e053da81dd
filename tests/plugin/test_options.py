"""Each option by command line, variable and ini; which of them wins; what a bad value says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pytest_pynenc_state

# A constant that names a variable: those of options are put together from their names.
OF_PROCESSES = re.compile(r'= "(PYTEST_PYNENC_\w+)"')

# Option to three good values: on the command line, in the variable, in the ini file.
GOOD_VALUES = {
    "backend": ("sqlite", "pynenc-sqlite,memory", "pynenc-memory"),
    "app": ("offices:first", "offices:second", "offices:third"),
    "runner": ("process", "multi-thread", "persistent-process"),
    "missing": ("fail", "skip", "fail"),
    "timeout": ("1.5", "2.5", "3.5"),
    "keep": ("all", "none", "failed"),
    "mongo-url": ("mongodb://first", "mongodb+srv://second/?tls=true", "mongodb://a:1,b:2/third"),
}

# Option, bad value, what is wrong with it, and the remedy.
BAD_VALUES = [
    ("backend", "sqlit", "no backend is called 'sqlit'", "did you mean 'sqlite'?"),
    ("backend", "memory,sqlit", "no backend is called 'sqlit'", "did you mean 'sqlite'?"),
    ("backend", "zzz", "no backend is called 'zzz'", "choose from: memory, sqlite"),
    ("backend", "sqlite+", "no backend is called 'sqlite+'", "did you mean 'sqlite'?"),
    ("backend", ",", "names no backend", "separated by commas"),
    ("backend", "nowhere.at.all:X", "cannot import 'nowhere.at.all'", "pythonpath"),
    ("backend", ":X", "':X'", ""),
    ("backend", ".offices:first", "'.offices:first'", ""),
    ("backend", "offices:frst", "has no 'frst'", "did you mean 'first'?"),
    ("backend", "offices:first", "expected a pytest_pynenc_state.Backend", ""),
    ("app", "offices", "is not of the form pkg.mod:app", "write it like offices:app"),
    ("app", "../office:first", "'../office' cannot be the name of a module", "like shop.app:app"),
    ("app", "ofices:first", "cannot import 'ofices'", "did you mean 'offices'?"),
    ("app", ".offices:first", "'.offices:first'", ""),
    ("app", "offices:frst", "has no 'frst'", "did you mean 'first'?"),
    ("app", "offices:number", "expected a pynenc.Pynenc, got int", "name the variable"),
    ("app", "ruin:app", "division by zero", ""),
    ("app", "ending:app", "cannot import 'ending': SystemExit: 3", "mend the module"),
    ("backend", "ending:app", "cannot import 'ending': SystemExit: 3", "mend the module"),
    ("app", "skipping:app", "cannot import 'skipping': Skipped: no wish to", "mend the module"),
    ("runner", "proces", "is none of thread, multi-thread", "did you mean 'process'?"),
    ("timeout", "abc", "is not a positive number of seconds", "write a number like 30"),
    ("timeout", "0", "is not a positive number of seconds", "write a number like 30"),
    ("timeout", "-1", "is not a positive number of seconds", "write a number like 30"),
    ("timeout", "inf", "is not a positive number of seconds", "write a number like 30"),
    ("timeout", "nan", "is not a positive number of seconds", "write a number like 30"),
    ("keep", "faild", "is none of failed, all, none", "did you mean 'failed'?"),
    ("missing", "skp", "is none of skip, fail", "did you mean 'skip'?"),
    ("mongo-url", "localhost:27017", "is no URL that starts with mongodb://", "mongodb://local"),
    ("mongo-url", "http://first", "is no URL that starts with mongodb://", "mongodb://local"),
    ("mongo-url", "mongodb:///first", "names no host", "mongodb://localhost"),
]

OFFICES = """
    from pynenc import Pynenc
    first, second, third = (Pynenc(config_values={"app_id": name}) for name in ("1", "2", "3"))
    number = 4
"""


@pytest.fixture(autouse=True)
def offices(pytester: pytest.Pytester) -> None:
    """Have apps to name, and a test that needs none of them."""
    pytester.makepyfile(
        offices=OFFICES,
        ruin="app = 1 / 0",
        ending="raise SystemExit(3)",
        skipping="import pytest\npytest.skip('no wish to', allow_module_level=True)",
        test_sample="def test_sample(): pass",
    )
    set_ini(pytester)


def set_ini(pytester: pytest.Pytester, *lines: str) -> None:
    pytester.makefile(".ini", pytest="\n".join(["[pytest]", "pythonpath = .", *lines]))


def variable(option: str) -> str:
    return f"PYTEST_PYNENC_{key(option).upper()}"


def key(option: str) -> str:
    return option.replace("-", "_")


def header(pytester: pytest.Pytester, *arguments: str) -> str:
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=1)
    (line,) = (line for line in result.outlines if line.startswith("pynenc: "))
    return line


@pytest.mark.parametrize("option", GOOD_VALUES)
def test_command_line_beats_variable_beats_ini_beats_default(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """The header says which value is in force, and where it comes from."""
    on_command_line, in_variable, in_ini = GOOD_VALUES[option]
    assert f"{option} {in_ini}" not in header(pytester)

    set_ini(pytester, f"pynenc_{key(option)} = {in_ini}")
    assert f"{option} {in_ini} (ini pynenc_{key(option)})" in header(pytester)

    monkeypatch.setenv(variable(option), in_variable)
    assert f"{option} {in_variable} ({variable(option)})" in header(pytester)

    flag = f"--pynenc-{option}"
    assert f"{option} {on_command_line} ({flag})" in header(pytester, flag, on_command_line)


def test_the_header_names_the_default_backends(pytester: pytest.Pytester) -> None:
    """Nobody chose them, so nobody else would say what runs."""
    assert header(pytester) == "pynenc: backend memory,sqlite,mongomock (default, where installed)"


def test_an_ini_list_of_backends_is_as_good_as_commas(pytester: pytest.Pytester) -> None:
    """In a pyproject.toml a list is what comes to mind first."""
    pytester.path.joinpath("pytest.ini").unlink()
    pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        pynenc_backend = ["sqlite", "memory"]
        """
    )

    assert header(pytester) == "pynenc: backend sqlite,memory (ini pynenc_backend)"


@pytest.mark.parametrize(("option", "bad", "wrong", "remedy"), BAD_VALUES)
def test_a_bad_value_ends_the_run_with_a_usage_error(
    pytester: pytest.Pytester, option: str, bad: str, wrong: str, remedy: str
) -> None:
    """It names option, value, source and remedy, before any test runs."""
    result = pytester.runpytest_inprocess(f"--pynenc-{option}={bad}")

    message = result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message.startswith("ERROR: ")
    for part in (f"--pynenc-{option}", wrong, f"from --pynenc-{option}", remedy):
        assert part in message
    assert repr(bad) in message or "," in bad
    assert "passed" not in result.stdout.str()


@pytest.mark.parametrize("option", GOOD_VALUES)
def test_a_bad_value_is_blamed_on_its_source(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """An option that somebody has set in a file or a shell is hard to find otherwise."""
    set_ini(pytester, f"pynenc_{key(option)} = b-d")
    in_ini = pytester.runpytest_inprocess()
    monkeypatch.setenv(variable(option), "b:d")
    in_variable = pytester.runpytest_inprocess()

    for result, source in ((in_ini, f"ini pynenc_{key(option)}"), (in_variable, variable(option))):
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(f"ERROR: --pynenc-{option}*'b?d'*(from {source})*")


def test_a_variable_that_sets_nothing_is_warned_of(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Misspelt, it would leave the run as it was, and nobody would know."""
    monkeypatch.setenv("PYTEST_PYNENC_BACKNED", "sqlite")

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        "*PytestConfigWarning: variable PYTEST_PYNENC_BACKNED sets nothing: "
        "there is no option BACKNED; did you mean 'BACKEND'?"
    )


def test_no_variable_of_the_package_itself_is_warned_of(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test may run pytest in a process that it starts, where such are set."""
    sources = Path(pytest_pynenc_state.__file__).parent.rglob("*.py")
    names = {name for path in sources for name in OF_PROCESSES.findall(path.read_text())}
    assert "PYTEST_PYNENC_MODULES" in names
    for name in names:
        monkeypatch.setenv(name, "")

    pytester.runpytest_inprocess().assert_outcomes(passed=1, warnings=0)


@pytest.mark.parametrize("option", ["backend", "timeout"])
def test_help_can_be_read_in_spite_of_a_bad_value(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """Whoever has to mend a configuration needs it."""
    set_ini(pytester, f"pynenc_{option} = b-d")
    in_ini = pytester.runpytest_inprocess("--help")
    monkeypatch.setenv(variable(option), "b:d")
    in_variable = pytester.runpytest_inprocess("--help")

    for result in (in_ini, in_variable):
        assert result.ret == pytest.ExitCode.OK
        for name in GOOD_VALUES:
            result.stdout.fnmatch_lines(f"*--pynenc-{name}=*")


def test_help_names_every_ini_value(pytester: pytest.Pytester) -> None:
    """An option without its ini value would be a promise broken."""
    result = pytester.runpytest_inprocess("--help")

    for name in GOOD_VALUES:
        result.stdout.fnmatch_lines(f"*pynenc_{key(name)} (*):*")


@pytest.mark.parametrize("text", ["sqlite, memory", "sqlite memory", "sqlite,memory,sqlite"])
def test_backends_may_be_separated_by_commas_or_spaces(
    pytester: pytest.Pytester, text: str
) -> None:
    """The order is kept, and each backend is there once."""
    line = header(pytester, "--pynenc-backend", text)

    assert line == "pynenc: backend sqlite,memory (--pynenc-backend)"


def test_the_backend_option_is_repeatable(pytester: pytest.Pytester) -> None:
    """Further ones are added to the first, in order, each once."""
    names = ("pynenc-sqlite", "sqlite,memory", "sqlite")

    line = header(pytester, *(f"--pynenc-backend={name}" for name in names))

    assert line == "pynenc: backend pynenc-sqlite,sqlite,memory (--pynenc-backend)"
