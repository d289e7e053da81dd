"""A password in the URL of a MongoDB is shown nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

SECRET = "s3cret"  # noqa: S105 - nobody's
WITH_SECRET = f"mongodb://ada:{SECRET}@example.org:1/?proxyPassword={SECRET}"

TESTS = """
    import pytest

    def test_the_place(pynenc_place): pass

    def test_of_the_url(pynenc_mongo_url):
        assert pynenc_mongo_url is None
"""


@pytest.fixture
def url() -> Iterator[str]:
    """Return a URL with a login, of a server that is not there."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        yield f"mongodb://ada:{SECRET}@127.0.0.1:{port}/?serverSelectionTimeoutMS=100"


@pytest.mark.parametrize("source", ["command line", "variable", "ini"])
def test_the_header_names_the_server_only(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Wherever the URL comes from."""
    pytester.makepyfile("def test_it(): pass")
    arguments = [f"--pynenc-mongo-url={WITH_SECRET}"] if source == "command line" else []
    if source == "variable":
        monkeypatch.setenv("PYTEST_PYNENC_MONGO_URL", WITH_SECRET)
    if source == "ini":
        pytester.makeini(f"[pytest]\npynenc_mongo_url = {WITH_SECRET}")

    result = pytester.runpytest_inprocess(*arguments)

    result.stdout.fnmatch_lines("*mongo-url mongodb://***@example.org:1/?proxyPassword=*** (*)*")
    assert SECRET not in result.stdout.str()


@pytest.mark.parametrize(
    "bad",
    [
        f"ada:{SECRET}@example.org",
        f"http://ada:{SECRET}@example.org",
        f"mongodb://ada:{SECRET}/{SECRET}@example.org",
        f"mongodb://ada:{SECRET}?{SECRET}@example.org",
        f"mongodb://ada:{SECRET}@{SECRET}@/",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_login(
    pytester: pytest.Pytester, bad: str
) -> None:
    """A character that is not percent-encoded makes a password look like something else."""
    result = pytester.runpytest_inprocess(f"--pynenc-mongo-url={bad}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --pynenc-mongo-url: '*[*][*][*]@*' * (from --pynenc-*")
    assert SECRET not in result.stderr.str() + result.stdout.str()


@pytest.mark.parametrize("style", ["auto", "long", "short"])
@pytest.mark.parametrize("locals_", ["", "--showlocals"])
def test_a_traceback_shows_no_login(
    pytester: pytest.Pytester, url: str, style: str, locals_: str
) -> None:
    """Neither of a test that uses the URL, nor of a server that cannot be reached."""
    pytester.makepyfile(TESTS)
    arguments = (f"--tb={style}", locals_, "-vv", "-rA") if locals_ else (f"--tb={style}", "-rA")

    result = pytester.runpytest_inprocess(
        "--pynenc-backend=mongo", f"--pynenc-mongo-url={url}", *arguments
    )

    result.assert_outcomes(errors=1, failed=1)
    result.stdout.fnmatch_lines("*BackendUnavailable: MongoDB at 'mongodb://***@127.0.0.1:*")
    assert SECRET not in result.stdout.str()


def test_a_url_of_a_fixture_is_not_shown_either(pytester: pytest.Pytester, url: str) -> None:
    """It is text like any other, until the backend gets it."""
    pytester.makeconftest(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def pynenc_mongo_url():
            return {url!r}
        """
    )
    pytester.makepyfile("def test_the_place(pynenc_place): pass")

    result = pytester.runpytest_inprocess("--pynenc-backend=mongo", "--tb=long")

    result.assert_outcomes(errors=1)
    assert SECRET not in result.stdout.str()
