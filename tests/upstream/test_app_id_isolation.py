"""The suite pynenc_tests.unit.app_id_isolation."""

from pynenc_tests.unit.app_id_isolation.all_tests import *  # noqa: F403 - the documented way
