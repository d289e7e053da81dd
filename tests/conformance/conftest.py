"""A mutant that could not be built, or was not asked, has not been caught."""

from __future__ import annotations

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a clause of a mutant that was skipped."""
    report = yield
    suite = getattr(item, "cls", None)
    if getattr(suite, "is_mutant", False) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"the mutant was not caught, but skipped: {report.longrepr}"
    return report
