"""Configuration files, which pynenc parses anew for each class of each component's settings.

A ``pyproject.toml`` in the working directory, which nearly every project has, is parsed a dozen
times for each test that way, which takes as long as all else that the test's app costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import wraps
from typing import Any

import cistell.base
from cistell import util_files

from pytest_pynenc_state.apps.preserving import replaced

# What loads a file and returns a dictionary, in one of the versions that pynencs come with; and
# which of its arguments is the path.
_LOADERS = ((cistell.base, "load_config_file", 0), (util_files, "load_file", 1))

# The clock by which a file system notes changes may stand still for some milliseconds: what was
# changed that recently may change again and be known by the same. In nanoseconds.
_TICK_NS = 50_000_000

# By loader, arguments and working directory: what the file was known by, and its content.
_contents: dict[tuple[Any, ...], tuple[tuple[int, ...], dict[str, Any]]] = {}


@contextmanager
def remembered_files() -> Iterator[None]:
    """Let each file be parsed again only if it has changed."""
    with ExitStack() as stack:
        for module, name, position in _LOADERS:
            if load := getattr(module, name, None):
                stack.enter_context(replaced(module, name, _remembering(load, position)))
        yield


def _remembering(
    load: Callable[..., dict[str, Any]], position: int
) -> Callable[..., dict[str, Any]]:
    @wraps(load)
    def load_once(*arguments: str) -> dict[str, Any]:
        try:
            status = os.stat(arguments[position])  # noqa: PTH116 - pathlib takes many times as long
        except OSError:
            return load(*arguments)  # which says what is wrong with it
        known_by = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _TICK_NS:
            return load(*arguments)
        key = (load, arguments, os.getcwd())  # noqa: PTH109 - as above
        if key not in _contents or _contents[key][0] != known_by:
            _contents[key] = known_by, load(*arguments)
        # Whoever is given it may change it.
        return deepcopy(_contents[key][1])

    return load_once
