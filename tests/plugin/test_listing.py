"""``--pynenc-list-backends``: what can be selected, also from a conftest and from plugins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CONFTEST = """
    from backends_of_others import ACME

    def pytest_pynenc_backends(config):
        return [ACME]
"""
BUILT_IN = ["memory", "sqlite", "mongomock", "mongo", "pynenc-memory", "pynenc-sqlite"]


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have a test that must not run, and backends to add."""
    copy_inner("backends_of_others.py")
    pytester.makepyfile(test_sample="raise RuntimeError('collected')")
    pytester.makeini("[pytest]\npythonpath = .")


def install(pytester: pytest.Pytester, **backends: str) -> None:
    """Install a distribution with an entry point for each backend."""
    folder = pytester.mkdir("acme-1.0.dist-info")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    lines = [f"{name} = backends_of_others:{attribute}" for name, attribute in backends.items()]
    (folder / "entry_points.txt").write_text("\n".join(["[pytest_pynenc_state.backends]", *lines]))


def listed(result: pytest.RunResult) -> list[str]:
    return [line.partition(":")[0] for line in result.outlines if " (claims " in line]


def test_the_built_in_backends_are_listed_and_nothing_runs(pytester: pytest.Pytester) -> None:
    """One line each: name, summary and claims."""
    result = pytester.runpytest_inprocess("--pynenc-list-backends")

    assert result.ret == pytest.ExitCode.OK
    assert listed(result) == BUILT_IN
    result.stdout.fnmatch_lines(
        [
            "memory: * (claims real_engine)",
            "sqlite: * (claims atomic, durable, real_engine, shared)",
            "mongomock: * (claims atomic, durable, shared)",
            "mongo: *--pynenc-mongo-url (claims atomic, durable, real_engine, shared)",
        ]
    )
    assert "collected" not in result.stdout.str()
    assert "test session starts" not in result.stdout.str()


def test_backends_of_a_conftest_are_listed(pytester: pytest.Pytester) -> None:
    """The hook pytest_pynenc_backends is asked."""
    pytester.makeconftest(CONFTEST)

    result = pytester.runpytest_inprocess("--pynenc-list-backends")

    assert result.ret == pytest.ExitCode.OK
    assert listed(result) == [*BUILT_IN, "acme"]
    result.stdout.fnmatch_lines("acme: made by Acme *")


def test_backends_of_installed_plugins_are_listed(pytester: pytest.Pytester) -> None:
    """By the name of the entry point, not by that of the recipe."""
    install(pytester, emca="ACME")

    result = pytester.runpytest_inprocess("--pynenc-list-backends")

    assert listed(result) == [*BUILT_IN, "emca"]
    result.stdout.fnmatch_lines("emca: made by Acme *")


def test_a_plugin_that_cannot_be_imported_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """The message names the entry point; there is no traceback to read it from."""
    install(pytester, broken="MISSING", emca="ACME")

    result = pytester.runpytest_inprocess("--pynenc-list-backends")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert listed(result) == [*BUILT_IN, "emca"]
    result.stderr.fnmatch_lines("ERROR: *broken*MISSING*")


@pytest.mark.parametrize("arguments", [["--pynenc-list-backends"], ["--pynenc-backend=sqlite"]])
def test_two_backends_of_one_name_are_a_usage_error(
    pytester: pytest.Pytester, arguments: list[str]
) -> None:
    """Which of them ran would depend on the order of plugins."""
    pytester.makeconftest(CONFTEST.replace("[ACME]", "[ACME, ACME]"))

    result = pytester.runpytest_inprocess(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: *two backends are called 'acme'*")


def test_a_plugin_may_not_take_a_built_in_name(pytester: pytest.Pytester) -> None:
    """A test that asks for 'sqlite' gets ours on every machine."""
    install(pytester, sqlite="ACME")

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: *two backends are called 'sqlite'*")


def test_a_hook_that_returns_no_backend_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """The message says what it was, and which hook returned it."""
    pytester.makeconftest(CONFTEST.replace("[ACME]", "['acme']"))

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: *pytest_pynenc_backends*got 'acme'*")


def test_a_clash_is_found_where_only_the_defaults_run(pytester: pytest.Pytester) -> None:
    """Nobody named a backend, but the tests that use one cannot be trusted to get theirs."""
    pytester.makeconftest(CONFTEST.replace("[ACME]", "[ACME, ACME]"))
    pytester.makepyfile(test_sample="def test_sample(pynenc_backend): pass")

    result = pytester.runpytest_inprocess()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines("*two backends are called 'acme'*")
