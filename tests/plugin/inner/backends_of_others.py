"""Backends that are not built in: what a backend author would write."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

from dataclasses import replace

from pytest_pynenc_state.backends.sqlite.place import BACKEND
from pytest_pynenc_state.errors import BackendUnavailable

ACME = replace(BACKEND, name="acme", summary="made by Acme")


def open_nowhere(_space):
    """Fail as the opener of a backend whose server is down."""
    message = "no server at acme:27017"
    raise BackendUnavailable(message, "start one")


DOWN = replace(BACKEND, name="down", summary="needs a server", open_place=open_nowhere)
