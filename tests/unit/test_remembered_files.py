"""Configuration files are parsed once, and again when they have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from pytest_pynenc_state.apps import reading
from pytest_pynenc_state.apps.pointing import build_app


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[mock.Mock]:
    """The function that parses files, which remembers its calls."""
    for module, name, _ in reading._LOADERS:
        if load := getattr(module, name, None):
            parse = mock.Mock(wraps=load, __name__=name)
            monkeypatch.setattr(module, name, parse)
            with reading.remembered_files():
                yield parse
            assert getattr(module, name) is parse
            return


@pytest.fixture
def pyproject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Write a ``pyproject.toml`` into the working directory."""
    monkeypatch.chdir(tmp_path)
    # Some pynencs name the section first: it is no file's name.
    (tmp_path / "pynenc").mkdir()

    def write(seconds: int) -> None:
        text = f"[tool.pynenc]\nmax_pending_seconds = {seconds}\n"
        (tmp_path / "pyproject.toml").write_text(text)

    return write


def _seconds() -> float:
    return build_app("app", {}).conf.max_pending_seconds


def test_a_file_is_parsed_once_for_all_apps(
    pyproject: Callable[[int], None], counted: mock.Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is configured by it."""
    monkeypatch.setattr(reading, "_TICK_NS", 0)
    pyproject(7)
    assert [_seconds() for _ in range(3)] == [7.0] * 3
    assert counted.call_count == 1


def test_a_file_that_was_changed_is_parsed_again(pyproject: Callable[[int], None]) -> None:
    """A test may write one for itself, of the same length."""
    found = []
    for seconds in (7, 8):
        pyproject(seconds)
        found.append(_seconds())
    assert found == [7.0, 8.0]


def test_a_file_that_is_changed_twice_in_an_instant_is_parsed_again(
    pyproject: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of its file system may stand still from one change to the next."""
    pyproject(7)
    standing_still = (tmp_path / "pyproject.toml").stat()
    monkeypatch.setattr("os.stat", lambda *_, **__: standing_still)
    before = _seconds()
    pyproject(8)
    assert (before, _seconds()) == (7.0, 8.0)


def test_another_directory_has_another_file(
    pyproject: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is the same."""
    pyproject(7)
    _seconds()
    (tmp_path / "other").mkdir()
    (tmp_path / "pyproject.toml").rename(tmp_path / "other" / "pyproject.toml")
    pyproject(8)
    before = _seconds()
    monkeypatch.chdir(tmp_path / "other")
    assert (before, _seconds()) == (8.0, 7.0)


def test_who_changes_what_was_read_changes_nothing(
    pyproject: Callable[[int], None], counted: mock.Mock
) -> None:
    """Each caller has a dictionary of its own."""
    pyproject(7)
    _seconds()
    load = next(
        found for module, name, _ in reading._LOADERS if (found := getattr(module, name, None))
    )
    for call in counted.call_args_list:
        load(*call.args).clear()
    assert _seconds() == 7.0


def test_a_file_that_cannot_be_parsed_is_an_error_each_time(
    pyproject: Callable[[int], None], tmp_path: Path
) -> None:
    """As without us."""
    pyproject(7)
    (tmp_path / "pyproject.toml").write_text("[tool")
    for _ in range(2):
        with pytest.raises(Exception, match=r"(?i)toml|expected|parse"):
            _seconds()
