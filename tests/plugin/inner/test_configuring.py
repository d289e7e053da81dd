"""Configuration values of a test: fixture, module, class, test; the closest wins."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import office
import pytest

pytestmark = pytest.mark.pynenc(app="office:app", max_pending_seconds=1.0, print_arguments=False)


@pytest.fixture
def pynenc_config():
    """Set what the markers leave open, and what they all overrule."""
    return {"max_pending_seconds": 99.0, "truncate_arguments_length": 11}


def values(app):
    """Return what the app has of what is set here."""
    conf = app.conf
    return conf.max_pending_seconds, conf.truncate_arguments_length, conf.print_arguments


def test_module(pynenc_app):
    """The marker of the module beats the fixture, field by field."""
    assert pynenc_app is office.app
    assert values(pynenc_app) == (1.0, 11, False)


@pytest.mark.pynenc(max_pending_seconds=2.0)
class TestClass:
    """Its marker beats that of the module."""

    def test_class(self, pynenc_app):
        """The app and the other values are still those of the module."""
        assert pynenc_app is office.app
        assert values(pynenc_app) == (2.0, 11, False)

    @pytest.mark.pynenc(max_pending_seconds=3.0, print_arguments=True, blocking_control=False)
    def test_test(self, pynenc_app):
        """The closest marker wins, also for the configuration of components."""
        assert values(pynenc_app) == (3.0, 11, True)
        assert pynenc_app.orchestrator.conf.blocking_control is False


def test_false_is_false(pynenc_app):
    """In pynenc, any variable that is not empty is true."""
    assert pynenc_app.conf.print_arguments is False
    assert pynenc_app.conf.log_use_colors is False


@pytest.mark.pynenc(app_id="elsewhere")
def test_id(pynenc_app):
    """Also an app that other tests have used goes by the id of the marker, with all it has."""
    assert pynenc_app.app_id == office.add.app.app_id == "elsewhere"
    assert office.add(1, 2).app.app_id == "elsewhere"
    assert [*pynenc_app.state_backend.get_all_app_infos()] == ["elsewhere"]


def test_id_of_the_next(pynenc_app):
    """It goes by its own again."""
    assert pynenc_app.app_id == "office"
