"""An app can be had in another process from plain data."""

from __future__ import annotations

import pickle

from pynenc.identifiers.task_id import TaskId

from pytest_pynenc_state.apps.pointing import build_app
from pytest_pynenc_state.apps.preserving import preserved_app
from pytest_pynenc_state.apps.recipe import AppRecipe
from tests.processes import tasks


def test_a_fresh_app_is_rebuilt_with_its_tasks_and_their_options() -> None:
    """The function is imported; the options travel."""
    app = build_app("recipe-of-a-fresh-app", {"max_pending_seconds": 7.0})
    app.task(tasks.process_id, max_retries=3, retry_for=(tasks.BusyError,))

    recipe = pickle.loads(pickle.dumps(AppRecipe.of(app, None, ())))
    rebuilt = recipe.build()

    task = rebuilt.get_task(TaskId(tasks.__name__, "process_id"))
    assert rebuilt is not app
    assert (rebuilt.app_id, rebuilt.conf.max_pending_seconds) == (app.app_id, 7.0)
    assert (task.conf.max_retries, task.conf.retry_for) == (3, (tasks.BusyError,))
    assert task.func is tasks.process_id


def test_a_task_that_its_module_holds_is_rebuilt_on_the_fresh_app() -> None:
    """It does not drag the app of its module along."""
    app = build_app("recipe-with-a-module-task", {})
    app.get_task(tasks.own_process_id.task_id)

    rebuilt = AppRecipe.of(app, None, ()).build()

    task = rebuilt.get_task(tasks.own_process_id.task_id)
    assert task.app is rebuilt
    assert task.conf.max_retries == 2


def test_an_authors_app_is_imported_and_pointed() -> None:
    """The child gets the app that its module holds, with the values of the place."""
    with preserved_app(tasks.app):
        tasks.app.config_values = {"max_pending_seconds": 9.0}
        recipe = AppRecipe.of(tasks.app, f"{tasks.__name__}:app", ())
        tasks.app.config_values = {}

        rebuilt = recipe.build()

        assert rebuilt is tasks.app
        assert rebuilt.conf.max_pending_seconds == 9.0


def test_pynencs_own_tasks_are_not_part_of_a_recipe() -> None:
    """Every app registers them itself."""
    app = build_app("recipe-without-core-tasks", {})
    app.register_core_tasks()

    assert AppRecipe.of(app, None, ()).tasks == ()
