"""The suite pynenc_tests.unit.orchestrator."""

from pynenc_tests.unit.orchestrator.all_tests import *  # noqa: F403 - the documented way
