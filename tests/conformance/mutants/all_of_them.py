"""All mutants, by name, for ``--pynenc-backend tests.conformance.mutants.all_of_them:NAME``."""

from __future__ import annotations

import importlib
import pkgutil

from pytest_pynenc_state import Backend
from tests.conformance import mutants
from tests.conformance.mutants.mutant import MUTANTS

for _module in pkgutil.iter_modules(mutants.__path__, f"{mutants.__name__}."):
    if _module.name != __name__:
        importlib.import_module(_module.name)


def __getattr__(name: str) -> Backend:
    if name not in MUTANTS:
        raise AttributeError(name)
    return MUTANTS[name].backend
