"""A mutant that could not be built, was not asked, or does not work at all, has not been caught."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.errors import ProcessTimeout

if TYPE_CHECKING:
    from tests.conformance.mutants.mutant import Mutant

# What is raised by a mutant that has another fault than it says.
_STUMBLES = (AttributeError, NameError, TypeError, ProcessTimeout)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a clause of a mutant that was skipped, or has failed for another reason."""
    report = yield
    mutant: Mutant | None = getattr(getattr(item, "cls", None), "mutant", None)
    if mutant is None:
        return report
    error, is_caught = call.excinfo and call.excinfo.value, hasattr(report, "wasxfail")
    if report.skipped and not is_caught:
        report.outcome = "failed"
        report.longrepr = f"the mutant was not caught, but skipped: {report.longrepr}"
    if is_caught and isinstance(error, _STUMBLES) and not isinstance(error, mutant.stumbles):
        del report.wasxfail
        report.outcome = "failed"
        report.longrepr = f"the mutant was not caught, but does not work: {error!r}"
    return report
