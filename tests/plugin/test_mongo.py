"""The backends mongomock and mongo: their places, and the server behind them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient

from pytest_pynenc_state.backends.mongo.place import shared_server

# Hang guard for a whole inner run.
RUN_S = 100.0

# How long a server is waited for that does not answer.
_WAIT_S = 3.0

NEEDS_A_PLACE = """
    import pytest

    @pytest.mark.parametrize("number", range(4))
    @pytest.mark.parametrize("pynenc_backend", ["mongo"], indirect=True)
    def test_it(pynenc_place, number): pass
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app."""
    copy_inner("office.py", "jobs.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -rs")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that stands for a real MongoDB."""
    with shared_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def databases(server: str) -> Iterator[Callable[[], list[str]]]:
    """List the databases that are there; all are gone after the test."""
    with MongoClient[dict[str, object]](server) as client:
        yield client.list_database_names
        for name in client.list_database_names():
            client.drop_database(name)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Reserve a port that nobody listens at."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.mark.parametrize("name", ["mongo", "mongo+sqlite", "sqlite+mongo"])
def test_a_thread_runner_works_on_mongo(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    server: str,
    databases: Callable[[], list[str]],
    name: str,
) -> None:
    """The classes are those of the recipe, and nothing of the place is left behind."""
    copy_inner("test_components.py")
    url = f"--pynenc-mongo-url={server}"

    result = pytester.runpytest_inprocess(f"--pynenc-backend={name}", url)

    result.assert_outcomes(passed=1)
    assert databases() == []


@pytest.mark.parametrize("backend", ["mongo", "mongomock"])
def test_two_tests_never_see_each_others_data(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    server: str,
    databases: Callable[[], list[str]],
    backend: str,
) -> None:
    """Also not if they test the same app, under the same id."""
    copy_inner("test_isolation.py")
    url = f"--pynenc-mongo-url={server}"

    result = pytester.runpytest_inprocess(f"--pynenc-backend={backend}", url)

    result.assert_outcomes(passed=2)
    assert len(set(pytester.path.joinpath("places.txt").read_text().splitlines())) == 2
    assert databases() == []


def test_every_kind_of_runner_works_on_mongomock(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """Processes that the test starts, and those that its runner starts, find the server."""
    copy_inner("test_kinds.py")

    result = pytester.runpytest_subprocess("--pynenc-backend=mongomock", timeout=RUN_S)

    result.assert_outcomes(passed=9)


@pytest.mark.parametrize("ending", ["fails", "fails_in_setup", "fails_in_late_teardown"])
def test_the_database_of_a_failed_test_is_kept_and_named(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    server: str,
    databases: Callable[[], list[str]],
    ending: str,
) -> None:
    """With the server it is on, and the file that has the rest."""
    copy_inner("test_endings.py")
    arguments = ("--pynenc-backend=mongo", f"--pynenc-mongo-url={server}")

    result = pytester.runpytest_inprocess(f"test_endings.py::test_{ending}", *arguments)

    (name,) = databases()
    result.stdout.fnmatch_lines(
        [
            f"mongo: {server} database {name} + *{name}.db (kept)",
            f"test_endings.py::test_{ending}[[]mongo[]]: mongo: {server} database {name} + *.db",
        ]
    )
    invocation_id = pytester.path.joinpath("invocation.txt").read_text()
    with MongoClient[dict[str, object]](server) as client:
        stored = [str(client[name][it].find_one()) for it in client[name].list_collection_names()]
    assert any(invocation_id in document for document in stored)


@pytest.mark.parametrize(
    ("ending", "keep"),
    [
        ("passes", "failed"),
        ("skips", "failed"),
        ("fails_as_expected", "failed"),
        ("is_interrupted", "failed"),
        ("fails", "none"),
    ],
)
def test_the_database_of_any_other_test_is_dropped(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    server: str,
    databases: Callable[[], list[str]],
    ending: str,
    keep: str,
) -> None:
    """And only that one."""
    copy_inner("test_endings.py")
    with MongoClient[dict[str, object]](server) as client:
        client["of_somebody_else"]["things"].insert_one({"precious": True})
    arguments = (f"--pynenc-mongo-url={server}", f"--pynenc-keep={keep}", "--pynenc-backend=mongo")

    pytester.runpytest_inprocess(
        f"test_endings.py::test_{ending}", *arguments, no_reraise_ctrlc=True
    )

    assert databases() == ["of_somebody_else"]


def test_a_place_on_mongomock_is_not_said_to_be_kept(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], places_left: Callable[[], list[str]]
) -> None:
    """It ends with the run: naming it would send somebody looking for nothing."""
    copy_inner("test_endings.py")
    arguments = ("--pynenc-backend=mongomock", "--pynenc-keep=all")

    result = pytester.runpytest_inprocess("test_endings.py::test_fails", *arguments)

    result.assert_outcomes(failed=1)
    assert "(kept)" not in result.stdout.str()
    assert "kept pynenc places" not in result.stdout.str()
    assert places_left() == []


def test_a_project_may_start_the_server_its_own_way(pytester: pytest.Pytester) -> None:
    """Also if it ends the server before the last test's place is removed."""
    pytester.makeconftest(
        """
        import pytest
        from pytest_pynenc_state.backends.mongo.place import shared_server

        @pytest.fixture(scope="session")
        def pynenc_mongo_url(tmp_path_factory):
            with shared_server(tmp_path_factory.mktemp("own")) as url:
                yield url + "/?appName=own"
        """
    )
    pytester.makepyfile(
        """
        def test_it(pynenc_mongo_url, pynenc_place):
            assert pynenc_place.values["mongo_url"] == pynenc_mongo_url
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=mongo")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "in_ci", "outcome"),
    [
        ([], "", "skipped"),
        ([], "true", "errors"),
        (["--pynenc-backend=mongo"], "", "errors"),
        (["--pynenc-backend=mongo", "--pynenc-missing=skip"], "", "skipped"),
    ],
)
def test_no_url_is_a_missing_service(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    in_ci: str,
    outcome: str,
) -> None:
    """The message says where one was looked for, and three ways to have one."""
    monkeypatch.setenv("CI", in_ci)
    pytester.makepyfile(NEEDS_A_PLACE)

    result = pytester.runpytest_inprocess(*arguments)

    result.assert_outcomes(**{outcome: 4})
    printed = result.stdout.str()
    for part in ("--pynenc-mongo-url", "PYTEST_PYNENC_MONGO_URL", "ini value pynenc_mongo_url"):
        assert part in printed
    for remedy in ("mongodb://localhost:27017", "fixture pynenc_mongo_url", "mongomock"):
        assert remedy in printed


@pytest.mark.parametrize(("in_ci", "outcome"), [("", "skipped"), ("true", "errors")])
def test_a_server_that_cannot_be_reached_is_a_missing_service(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: int,
    in_ci: str,
    outcome: str,
) -> None:
    """Only the first test waits for it long; the message names it, and three remedies."""
    monkeypatch.setenv("CI", in_ci)
    pytester.makepyfile(NEEDS_A_PLACE)
    url = f"mongodb://127.0.0.1:{closed_port}"

    result = pytester.runpytest_inprocess(f"--pynenc-mongo-url={url}")

    result.assert_outcomes(**{outcome: 4})
    reports = result.reprec.getreports("pytest_runtest_logreport")
    first_s, *others_s = [report.duration for report in reports if report.when == "setup"]
    assert first_s >= _WAIT_S > max(others_s)
    result.stdout.fnmatch_lines(f"*MongoDB at '{url}' cannot be reached*")
    assert "give another URL with --pynenc-mongo-url" in result.stdout.str()
