"""The timelines of one test, attached to pytest's report of it, which may go to another process."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from pytest_pynenc_state.history.linearizability import NotLinearizable
from pytest_pynenc_state.history.operations_picture import operations_picture
from pytest_pynenc_state.history.picture import Picture
from pytest_pynenc_state.hookspecs import PICTURES
from pytest_pynenc_state.options import writes_pytest_html
from pytest_pynenc_state.session import SessionState, TestRecord

_EXTRAS = "extras"


def attach_timelines(item: pytest.Item, report: pytest.TestReport, error: object) -> None:
    """Attach what is to be drawn of a test; for pytest-html, if it is in use, as a drawing.

    :param error: What the phase of the test raised, if it did.
    """
    pictures = list(_pictures(SessionState.record(item), error))
    if not pictures:
        return
    setattr(report, PICTURES, pictures)
    if writes_pytest_html(item.config):
        from pytest_pynenc_state.report.drawing import standalone

        extras = importlib.import_module("pytest_html.extras")
        own = [extras.html(standalone(picture)) for picture in pictures]
        # The attribute that pytest-html looks for, and leaves what others have put there.
        setattr(report, _EXTRAS, [*getattr(report, _EXTRAS, []), *own])


def _pictures(record: TestRecord, error: object) -> Iterator[Picture]:
    if record.picture and (histories := record.picture()):
        yield histories
    if isinstance(error, NotLinearizable):
        for verdict in error.verdicts:
            for impossible in verdict.impossible:
                yield operations_picture(verdict.model, impossible)
