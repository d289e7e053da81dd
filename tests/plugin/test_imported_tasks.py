"""Tasks that a test imports stay with the author's app: Python imports a module once."""

from __future__ import annotations

import pytest

APP = """
    from pynenc import Pynenc

    app = Pynenc(config_values={"app_id": "late", "trigger_task_modules": ["late_tasks"]})
"""

TASKS = """
    from pynenc.trigger import TriggerBuilder

    from late_app import app

    def arguments(event):
        return {"number": event.payload["number"]}

    @app.task(triggers=TriggerBuilder().on_event("shipped").with_args_from_event(arguments))
    def receipt(number: int) -> int:
        return number
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester) -> None:
    """Have an app whose tasks nobody has imported."""
    pytester.makepyfile(late_app=APP, late_tasks=TASKS)
    pytester.makeini(
        """
        [pytest]
        pythonpath = .
        addopts = --pynenc-backend=sqlite --pynenc-app=late_app:app -p no:cacheprovider
        """
    )


def test_each_test_has_its_own_settings(pytester: pytest.Pytester) -> None:
    """Not those of the test that happened to import the tasks; and the app knows them still."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pynenc(max_retries=7)
        def test_first(pynenc_app):
            from late_tasks import receipt
            assert receipt.conf.max_retries == 7

        @pytest.mark.pynenc(max_retries=2)
        def test_second(pynenc_app):
            from late_tasks import receipt
            assert receipt.conf.max_retries == 2
            assert pynenc_app.tasks[receipt.task_id] is receipt

        def test_third():
            from late_app import app
            from late_tasks import receipt
            assert "conf" not in vars(receipt)
            assert "late_tasks" in str(list(app._deferred_trigger_tasks))
        """
    )

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=3)


def test_a_trigger_fires_in_each_test(pytester: pytest.Pytester) -> None:
    """The first runner imports the module of the trigger; the second has it all the same."""
    pytester.makepyfile(
        """
        import sys
        import pytest
        from pynenc.conf.config_pynenc import ConfigPynenc
        from pytest_pynenc_state.waiting import wait_until

        OFTEN = {"atomic_service_check_interval_minutes": 0.001}
        if "atomic_service_max_start_slot_fraction" in ConfigPynenc.config_fields():
            OFTEN["atomic_service_max_start_slot_fraction"] = 1.0

        @pytest.mark.pynenc(**OFTEN)
        @pytest.mark.parametrize("number", [1, 2])
        def test_it(pynenc_app, pynenc_runner, number):
            pynenc_app.trigger.emit_event("shipped", {"number": number})
            receipt = sys.modules["late_tasks"].receipt

            def found():
                return list(pynenc_app.orchestrator.get_task_invocation_ids(receipt.task_id))

            assert wait_until(found, 20)
            assert pynenc_app.state_backend.get_invocation(found()[0]).result == number
        """
    )

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=2)


def test_a_task_that_a_test_makes_is_gone_afterwards(pytester: pytest.Pytester) -> None:
    """Its module was imported before: what a test does is undone, what Python does is not."""
    pytester.makepyfile(
        """
        def own() -> None: pass

        def test_first(pynenc_app):
            assert pynenc_app.task(own).task_id in pynenc_app.tasks

        def test_second(pynenc_app):
            assert [each for each in pynenc_app.tasks if each.func_name == "own"] == []
        """
    )

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=2)
