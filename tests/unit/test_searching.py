"""pynenc finds the variable of an app where it would find it, without asking all modules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from unittest import mock

import pytest
from pynenc import Pynenc
from pynenc.app_info import AppInfo
from pynenc.util import import_app

from pytest_pynenc_state.apps.pointing import build_app
from pytest_pynenc_state.apps.searching import remembered_search

SEARCH = "_find_app_in_user_modules"
searches = pytest.mark.skipif(
    not hasattr(import_app, SEARCH), reason="this pynenc does not look for apps"
)


@pytest.fixture
def new_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Make modules that count as imported until the test ends."""

    def make(name: str) -> ModuleType:
        module = ModuleType(name)
        module.__file__ = f"{name}.py"
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return make


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Pynenc's own search, which remembers its calls."""
    search = mock.Mock(wraps=getattr(import_app, SEARCH, None))
    monkeypatch.setattr(import_app, SEARCH, search)
    return search


@searches
def test_an_app_of_a_module_is_searched_for_once(
    new_module: Callable[[str], ModuleType], counted: mock.Mock
) -> None:
    """And found where pynenc finds it."""
    app = Pynenc()
    new_module("an_applications_module").it = app  # type: ignore[attr-defined]
    expected = AppInfo.from_app(app)
    counted.reset_mock()

    with remembered_search():
        found = [AppInfo.from_app(app) for _ in range(3)]

    assert found == [expected] * 3
    assert (expected.module, expected.app_variable) == ("an_applications_module", "it")
    assert counted.call_count == 1


@searches
@pytest.mark.parametrize("change", ["variable", "module"])
def test_an_app_that_is_elsewhere_by_now_is_found_there(
    new_module: Callable[[str], ModuleType], change: str
) -> None:
    """What is remembered is looked at again."""
    app = Pynenc()
    first, second = new_module("its_first_module"), new_module("its_second_module")
    first.app = app  # type: ignore[attr-defined]
    with remembered_search():
        AppInfo.from_app(app)
        second.app = app  # type: ignore[attr-defined]
        if change == "variable":
            first.app = None  # type: ignore[attr-defined]
        else:
            del sys.modules["its_first_module"]

        assert AppInfo.from_app(app).module == "its_second_module"


@searches
def test_an_app_that_was_made_for_a_test_is_not_searched_for(counted: mock.Mock) -> None:
    """Pynenc says the same of it after a search."""
    app = build_app("made", {})
    expected = AppInfo.from_app(app)
    counted.reset_mock()

    with remembered_search():
        assert AppInfo.from_app(app) == expected

    assert counted.call_count == 0


def test_pynenc_searches_as_before_afterwards() -> None:
    """Also one that does not search."""
    before = getattr(import_app, SEARCH, None)
    with remembered_search():
        pass
    assert getattr(import_app, SEARCH, None) is before
