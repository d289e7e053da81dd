"""The hooks that a conftest or another plugin may implement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend


@pytest.hookspec
def pytest_pynenc_backends(config: pytest.Config) -> Iterable[Backend]:
    """Return backends that may be selected by their names, besides the built-in ones.

    The result may be any iterable of `pytest_pynenc_state.Backend`. A name that is
    already taken is a usage error.
    """
    raise NotImplementedError
