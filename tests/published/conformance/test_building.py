"""What cannot be built on the newest pynenc is told by name."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from pytest_pynenc_state.conformance.building import unbuildable_of
from tests.published.conformance.defects import PYNENCS
from tests.published.conformance.recipes import PUBLISHED, Published

# The methods that each class lacks on the newest pynenc, or how many, if they are more.
_ROUTING = ("_route_invocation", "_route_invocations")
_EXECUTIONS = (
    "finalize_atomic_service_execution",
    "get_active_atomic_service_executions",
    "get_atomic_service_executions_in_timerange",
    "purge_atomic_service_executions",
    "record_atomic_service_execution_start",
)
_EVENTS = ("get_invocations_by_parent_event",)
_TRIGGER = 18
_NAMED = len(_EXECUTIONS)

LACKING = {
    "pynenc-redis": {"RedisBroker": _ROUTING},
    "pynenc-mongo": {"MongoBroker": _ROUTING},
    "pynenc-rabbitmq": {"RabbitMqBroker": _ROUTING},
    "pynenc-rustvello-memory": {
        "RustMemBroker": _ROUTING,
        "RustMemNativeOrchestrator": _EXECUTIONS,
        "RustMemStateBackend": _EVENTS,
        "RustMemTrigger": _TRIGGER,
    },
    "pynenc-rustvello-sqlite": {
        "RustSqliteBroker": _ROUTING,
        "RustSqliteNativeOrchestrator": _EXECUTIONS,
        "RustSqliteStateBackend": _EVENTS,
        "RustSqliteTrigger": _TRIGGER,
    },
}

INSTALLED = [published for published in PUBLISHED if not published.backend.obstacle()]


@pytest.mark.parametrize("published", INSTALLED, ids=lambda published: published.key)
def test_each_missing_method_is_named(published: Published) -> None:
    """Component by component; on older pynencs, all that are installed can be built."""
    lacking = LACKING.get(published.key, {}) if version("pynenc") == PYNENCS[-1] else {}

    found = {
        each.class_name: each.missing if len(each.missing) <= _NAMED else len(each.missing)
        for each in unbuildable_of(published.backend).values()
    }

    assert found == lacking
