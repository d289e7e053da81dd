"""The one class that an author subclasses: all clauses, on the backend that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_pynenc_state.backends.backend import Backend, check_given
from pytest_pynenc_state.conformance.accounting import Account
from pytest_pynenc_state.conformance.building import buildable
from pytest_pynenc_state.conformance.clause import all_clauses
from pytest_pynenc_state.conformance.exclusions import KnownBug, checked_exclusions

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@pytest.mark.pynenc_no_history_check  # clauses also write what no app would
class StateConformance:
    """Every clause of the installed pynenc's contract, each a test.

    Subclass it in a test module, and override the fixture `backend_under_test`: in the class, in
    the module or in a conftest. Without that, it runs on each of the selected backends.

    :cvar unsupported: Clauses that the backend does not mean to keep: id to reason. They are
        skipped, and no level that has one is proved.
    :cvar known_bugs: Clauses that it fails for now: id to `KnownBug`. They must fail: one that
        passes again is to be taken off the list.
    """

    __test__ = False

    unsupported: ClassVar[Mapping[str, str]] = {}
    known_bugs: ClassVar[Mapping[str, KnownBug]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Collect the subclass, if its exclusions are about clauses that there are."""
        super().__init_subclass__(**options)
        checked_exclusions(cls.__qualname__, cls.unsupported, cls.known_bugs)
        if "__test__" not in vars(cls):
            cls.__test__ = True

    @pytest.fixture(autouse=True)
    def _pynenc_account(self, request: pytest.FixtureRequest, backend_under_test: Backend) -> None:
        fixture = f"backend_under_test of {type(self).__qualname__}"
        check_given(fixture, backend_under_test, Backend)
        Account(request, backend_under_test, type(self)).open()

    @pytest.fixture
    def pynenc_backend(self, _pynenc_account: None, backend_under_test: Backend) -> Backend:
        """What of it can be built on the installed pynenc."""
        return buildable(backend_under_test)


for _each in sorted(all_clauses().values(), key=lambda clause: clause.order):
    if _each.is_applicable:
        setattr(StateConformance, _each.test_name, staticmethod(_each.check))


class AppInstanceConformance(StateConformance):
    """The clauses of level ``basic``, on an app that the fixture ``app_instance`` gives.

    It is for those who have that fixture for the suites that pynenc itself ships. What needs
    a second app on the same store, or another process, is not run: there is no recipe for it.
    """

    __test__ = False

    @pytest.fixture
    def backend_under_test(self) -> None:
        """There is none: an app is no recipe."""

    @pytest.fixture(autouse=True)
    def _pynenc_account(self, request: pytest.FixtureRequest) -> None:
        Account(request, None, type(self)).open()

    @pytest.fixture
    def pynenc_app(self, app_instance: Pynenc) -> Pynenc:
        """The author's app."""
        return app_instance
