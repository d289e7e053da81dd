"""What a process finds around it: variables, working directory, and where modules come from."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pytest_pynenc_state.errors import ProcessError


@dataclass(frozen=True)
class Surroundings:
    """Taken from the process of a test, for a child that may have served other tests before."""

    variables: dict[str, str]
    directory: str
    sys_path: list[str]

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process, as they are now.

        :raises ProcessError: The working directory has been removed.
        """
        try:
            directory = os.getcwd()  # noqa: PTH109 - plain text
        except FileNotFoundError as error:
            message = "no child can start where the test is: its working directory was removed"
            raise ProcessError(
                message, "change to one that is there first: monkeypatch.chdir(tmp_path)"
            ) from error
        return cls(dict(os.environ), directory, list(sys.path))

    def enter(self) -> None:
        """Make them those of this process.

        Modules that came from folders which are not on the path any more are forgotten: a
        later test may have others of the same names. All others stay imported.
        """
        if dict(os.environ) != self.variables:
            os.environ.clear()
            os.environ.update(self.variables)
        former = _folders()
        os.chdir(self.directory)
        sys.path[:] = self.sys_path
        if left := former - _folders():
            for name, module in list(sys.modules.items()):
                if "." not in name and left.intersection(_homes(module)):
                    _forget(name)
        importlib.invalidate_caches()


@contextmanager
def variable_set(name: str, value: str) -> Iterator[None]:
    """Have an environment variable for a while, for this process and those that it starts."""
    former = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if former is not None:
            os.environ[name] = former


def _folders() -> set[str]:
    # An empty entry is the working directory.
    return {str(Path(entry).absolute()) for entry in sys.path}


def _homes(module: ModuleType) -> set[str]:
    """The folders that a top-level module was found in."""
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return set()
    # A package is a folder, or several; a module is a file, unless it is built in.
    places = list(spec.submodule_search_locations or ())
    if not places and spec.has_location:
        places = [spec.origin]
    return {str(Path(place).absolute().parent) for place in places}


def _forget(package: str) -> None:
    for name in list(sys.modules):
        if name == package or name.startswith(f"{package}."):
            del sys.modules[name]
