"""The place wins: over variables, over files and over what an app says of itself."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os

import jobs
import pytest
import stubborn

COMPONENTS = ("state_backend", "orchestrator", "broker", "trigger", "client_data_store")


def assert_is_on_its_place(app, backend, place):
    """Look at the classes and files that the app really uses, and use them."""
    for name in COMPONENTS:
        component = getattr(app, name)
        assert type(component).__name__ == backend.components[f"{name}_cls"]
        assert component.conf.sqlite_db_path == place.values["sqlite_db_path"]
    invocation = app.task(jobs.greet)("Ada")
    assert app.state_backend.get_invocation(invocation.invocation_id) == invocation
    assert os.environ["PYNENC__SQLITE_DB_PATH"] == place.values["sqlite_db_path"]


def test_a_fresh_app(pynenc_app, pynenc_backend, pynenc_place, pynenc_namespace):
    """Its id is that of the test."""
    assert pynenc_app.app_id == pynenc_namespace
    assert_is_on_its_place(pynenc_app, pynenc_backend, pynenc_place)


@pytest.mark.pynenc(app="stubborn:app")
def test_an_authors_app(pynenc_app, pynenc_backend, pynenc_place):
    """It keeps its own id."""
    assert pynenc_app is stubborn.app
    assert_is_on_its_place(pynenc_app, pynenc_backend, pynenc_place)


def test_further_apps(pynenc_app_factory, pynenc_backend, pynenc_place, pynenc_namespace):
    """Each has the id that it was given."""
    for app_id in (None, "other"):
        app = pynenc_app_factory(app_id)
        assert app.app_id == (app_id or pynenc_namespace)
        assert_is_on_its_place(app, pynenc_backend, pynenc_place)
