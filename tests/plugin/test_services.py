"""Backends that need a server: a fixture gives it, which a project may override."""

from __future__ import annotations

import pytest

BACKENDS = """
    from dataclasses import replace
    from pytest_pynenc_state import Place
    from pytest_pynenc_state.backends.memory.place import BACKEND

    def open_place(space):
        return Place({}, f"on {space.service}")

    RED = replace(BACKEND, name="red", open_place=open_place, service="red_server")
    BLUE = replace(BACKEND, name="blue", open_place=open_place, service="blue_server")
    BOTH = replace(BACKEND, name="both", open_place=open_place, service=("red_server", None))
    LOST = replace(RED, name="lost", libraries=("os", "lost.library"), service="no_such_fixture")
"""

CONFTEST = """
    import pytest

    @pytest.fixture(scope="session")
    def red_server():
        return "red"

    @pytest.fixture
    def blue_server(red_server):
        return "blue"
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester) -> None:
    """Have backends with a server each."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(colours=BACKENDS, test_place="def test_place(pynenc_place): pass")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -rs")


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("colours:RED", "on red"),
        ("colours:BLUE", "on blue"),
        ("colours:BOTH", "on ('red', None)"),
        ("colours:RED+colours:BLUE", "on red + on blue"),
        ("memory+colours:BLUE+colours:RED", "* + on blue + on red"),
    ],
)
def test_a_backend_gets_the_value_of_the_fixture_that_it_names(
    pytester: pytest.Pytester, name: str, location: str
) -> None:
    """Of any scope; each half of a composite gets its own."""
    pytester.makepyfile(
        test_place=f"""
        from fnmatch import fnmatch

        def test_place(pynenc_place):
            assert fnmatch(pynenc_place.location, {location!r})
        """
    )

    pytester.runpytest_inprocess(f"--pynenc-backend={name}").assert_outcomes(passed=1)


def test_a_module_may_override_the_fixture(pytester: pytest.Pytester) -> None:
    """As any fixture."""
    pytester.makepyfile(
        test_place="""
        import pytest

        @pytest.fixture(scope="session")
        def red_server():
            return "crimson"

        def test_place(pynenc_place):
            assert pynenc_place.location == "on crimson"
        """
    )

    pytester.runpytest_inprocess("--pynenc-backend=colours:RED").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "outcome"), [([], "errors"), (["--pynenc-missing=skip"], "skipped")]
)
def test_what_the_fixture_raises_as_unavailable_is_a_missing_service(
    pytester: pytest.Pytester, arguments: list[str], outcome: str
) -> None:
    """Its author need not know of the options that decide what to do about it."""
    pytester.makeconftest(
        """
        import pytest
        from pytest_pynenc_state.errors import BackendUnavailable

        @pytest.fixture(scope="session")
        def red_server():
            raise BackendUnavailable("no red server", "paint one")
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=colours:RED", *arguments)

    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines(["*no red server", "*- paint one"])


@pytest.mark.parametrize("name", ["colours:LOST", "memory+colours:LOST"])
def test_libraries_are_looked_for_before_the_fixture(pytester: pytest.Pytester, name: str) -> None:
    """Also those below a package that is missing; without a command, they are named."""
    result = pytester.runpytest_inprocess(f"--pynenc-backend={name}", "--pynenc-missing=skip")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*needs lost.library, not installed here", "- install *"])
