"""What a child process needs to have the same app: plain data, never the app itself."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynenc.app import Pynenc
from pynenc.identifiers.task_id import TaskId
from pynenc.task import Task

from pytest_pynenc_state.apps.pointing import build_app, load_app
from pytest_pynenc_state.apps.preserving import forget_configuration

# pynenc adds these to every app by itself.
_CORE_TASKS = "pynenc.core_tasks"


@dataclass(frozen=True)
class TaskRecipe:
    """A task of an app that was built in a test: where its function is, and its options."""

    task_class: type[Task]  # type: ignore[type-arg]
    module: str
    function: str
    options: Mapping[str, Any]

    def add_to(self, app: Pynenc) -> None:
        """Register the task on *app*."""
        function = getattr(importlib.import_module(self.module), self.function)
        # A module may hold the task in place of its function.
        function = inspect.unwrap(getattr(function, "func", function))
        task_id = TaskId(self.module, self.function)
        app._tasks[task_id] = self.task_class(app, function, dict(self.options))


@dataclass(frozen=True)
class AppRecipe:
    """How to have an app in another process.

    :param path: ``pkg.mod:app`` of an author's app; None for one that is built there.
    :param modules: Modules that define the component classes.
    """

    path: str | None
    app_id: str
    config_values: Mapping[str, Any]
    config_filepath: str | None
    tasks: tuple[TaskRecipe, ...]
    modules: tuple[str, ...]

    @classmethod
    def of(cls, app: Pynenc, path: str | None, modules: tuple[str, ...]) -> AppRecipe:
        """Describe *app* as it is now."""
        tasks = [
            TaskRecipe(type(task), task_id.module, task_id.func_name, dict(task.options))
            for task_id, task in app._tasks.items()
            if task_id.module != _CORE_TASKS
        ]
        return cls(
            path=path,
            app_id=app.app_id,
            config_values=dict(app.config_values or {}),
            config_filepath=app.config_filepath,
            tasks=tuple(tasks),
            modules=modules,
        )

    def build(self) -> Pynenc:
        """Build, or import and point, the app in this process.

        :raises ImportError: A module of the app, a task or a component is not importable.
        """
        for module in self.modules:
            importlib.import_module(module)
        if self.path is not None:
            app = load_app(self.path)
            app.config_values = dict(self.config_values)
            forget_configuration(app)
        else:
            app = build_app(self.app_id, self.config_values)
        for task in self.tasks:
            if TaskId(task.module, task.function) not in app._tasks:
                task.add_to(app)
        return app
