"""Saving and restoring what pynenc keeps outside a store: apps, tasks, contexts, signals."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pynenc.app
from pynenc import context
from pynenc.app import Pynenc
from pynenc.util.log import create_logger

if TYPE_CHECKING:
    from pynenc.identifiers.task_id import TaskId
    from pynenc.task import Task
    from pynenc.trigger.trigger_builder import TriggerBuilder

# What a Task computes once from its app's configuration.
_TASK_CACHES = ("conf", "retriable_exceptions", "wf")

_ABSENT = object()


@contextmanager
def preserved_process() -> Iterator[None]:
    """Restore what pynenc changes for the whole process.

    That is: apps known by id, the thread's contexts, the apps' loggers, the handlers of
    SIGINT and SIGTERM (a runner in the main thread replaces them), and the start method of
    child processes. What apps log meanwhile goes to the standard error, or output, of that moment.
    """
    start_method = multiprocessing.get_start_method(allow_none=True)
    handlers = _signal_handlers()
    with ExitStack() as stack:
        stack.callback(multiprocessing.set_start_method, start_method, force=True)
        for number, handler in handlers.items():
            stack.callback(signal.signal, number, handler)
        stack.enter_context(_preserved_mapping(Pynenc._instances))
        stack.enter_context(_preserved_contexts())
        stack.enter_context(_preserved_loggers())
        stack.enter_context(replaced(pynenc.app, "create_logger", _following_logger))
        yield


@contextmanager
def preserved_app(app: Pynenc) -> Iterator[None]:
    """Restore every slot of *app* and of its tasks, and the content of its registries.

    But tasks of modules that are imported meanwhile stay, with their triggers: Python imports a
    module once, so nobody would give them to the app again.
    """
    modules = frozenset(sys.modules)
    deferred = _Remembering(app._deferred_trigger_tasks)
    imported: dict[TaskId, Task[Any, Any]] = {}
    with ExitStack() as stack:
        stack.callback(_register_again, app, imported, deferred.seen)
        stack.enter_context(_preserved_mapping(app.__dict__))
        stack.enter_context(_preserved_mapping(app._tasks))
        for task in app._tasks.values():
            stack.enter_context(_preserved_mapping(task.__dict__))
        stack.callback(lambda: imported.update(_imported_since(modules, app)))
        app._deferred_trigger_tasks = deferred
        yield


class _Remembering(defaultdict["TaskId", list["TriggerBuilder"]]):
    """Triggers that wait for a runner.

    :ivar seen: Those that were added, also when a runner has registered them and dropped them.
    """

    def __init__(self, content: Mapping[TaskId, list[TriggerBuilder]]) -> None:
        super().__init__(list, content)
        self.seen: dict[TaskId, list[TriggerBuilder]] = {}

    def __setitem__(self, task_id: TaskId, triggers: list[TriggerBuilder]) -> None:
        super().__setitem__(task_id, triggers)
        self.seen[task_id] = triggers


def _imported_since(modules: frozenset[str], app: Pynenc) -> dict[TaskId, Task[Any, Any]]:
    """The tasks of modules that are not among *modules*, and that Python knows now."""
    new = sys.modules.keys() - modules
    return {task_id: task for task_id, task in app._tasks.items() if task_id.module in new}


def _register_again(
    app: Pynenc,
    tasks: Mapping[TaskId, Task[Any, Any]],
    triggers: Mapping[TaskId, list[TriggerBuilder]],
) -> None:
    for task_id, task in tasks.items():
        _forget_settings(task)
        app._tasks[task_id] = task
        if task_id in triggers:
            app._deferred_trigger_tasks[task_id] = triggers[task_id]


def forget_configuration(app: Pynenc) -> None:
    """Let *app* and its tasks read their configuration, and build components, anew."""
    app._reset_cached_components()
    app._runner_instance = None
    for task in app._tasks.values():
        _forget_settings(task)


def _forget_settings(task: Task[Any, Any]) -> None:
    for cached in _TASK_CACHES:
        task.__dict__.pop(cached, None)


@contextmanager
def replaced(holder: object, name: str, value: object) -> Iterator[None]:
    """Let *holder* have *value* as its attribute *name*, which it need not have had.

    As `unittest.mock.patch.object` does, in a twentieth of the time: each test needs several.
    """
    former = vars(holder).get(name, _ABSENT)
    setattr(holder, name, value)
    try:
        yield
    finally:
        if former is _ABSENT:
            delattr(holder, name)
        else:
            setattr(holder, name, former)


@contextmanager
def _preserved_mapping(mapping: dict[Any, Any]) -> Iterator[None]:
    content = dict(mapping)
    try:
        yield
    finally:
        mapping.clear()
        mapping.update(content)


@contextmanager
def _preserved_contexts() -> Iterator[None]:
    # The values are dictionaries by app id, which pynenc changes in place.
    contexts = context.thread_local.__dict__
    saved = {
        key: dict(value) if isinstance(value, dict) else value for key, value in contexts.items()
    }
    try:
        yield
    finally:
        contexts.clear()
        contexts.update(saved)


@contextmanager
def _preserved_loggers() -> Iterator[None]:
    # Every app adds a handler to a logger of its id, which would hold on to the standard
    # error of the test that happened to build it.
    loggers = logging.Logger.manager.loggerDict
    saved = {
        logger: (list(logger.handlers), list(logger.filters), logger.level, logger.propagate)
        for logger in _app_loggers().values()
    }
    try:
        yield
    finally:
        for name, logger in _app_loggers().items():
            if logger in saved:
                logger.handlers, logger.filters, logger.level, logger.propagate = saved[logger]
            else:
                del loggers[name]


class _Stream:
    """A standard stream, whichever it is when it is used: pytest replaces and closes them."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(sys, self._name), name)


def _following_logger(app: Pynenc) -> logging.Logger:
    logger = create_logger(app)
    for handler in logger.handlers:
        for name in ("stdout", "stderr"):
            if getattr(handler, "stream", None) is getattr(sys, name):
                handler.stream = _Stream(name)  # type: ignore[attr-defined]
    return logger


def _app_loggers() -> dict[str, logging.Logger]:
    loggers = logging.Logger.manager.loggerDict
    return {
        name: logger
        for name, logger in loggers.items()
        if name.startswith("pynenc.") and isinstance(logger, logging.Logger)
    }


def _signal_handlers() -> dict[int, Any]:
    # Only the main thread may set handlers, so elsewhere none can have changed.
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # None: installed by something other than Python, which cannot put it back.
    return {number: handler for number, handler in handlers.items() if handler is not None}
