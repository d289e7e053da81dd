"""What a race of processes costs."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

from pynenc.app import Pynenc

from benchmarks.measuring import Series
from benchmarks.racers import read
from benchmarks.result import Result, Settings, Table, Target
from pytest_pynenc_state.apps.configuration import exported
from pytest_pynenc_state.apps.pointing import build_app
from pytest_pynenc_state.backends.backend import Backend, Place, Space
from pytest_pynenc_state.backends.catalogue import Catalogue
from pytest_pynenc_state.backends.mongo.place import shared_server
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.racing import Races, Rules
from pytest_pynenc_state.processes.visiting import Destination

_BACKENDS = ("sqlite", "mongomock")
_RACERS = 4
_PLACES = 5
_RACES = 100
_COLUMNS = ("backend", "very first", "first of a test", "median", "spread", "overlapping")
_SEED = 1
_TIMEOUT_S = 60.0

# Of a target: 4 children, on a machine that has nothing else to do.
_TARGET_MS = 50.0


@dataclass
class Costs:
    """What races took, in microseconds.

    :param first: Of each pool, the first race: its children are started.
    :param first_of_test: The first race on each further place: the app is built.
    :param further: All others.
    :param overlapping: Pairs of calls that overlapped in these, of all pairs.
    """

    first: Series
    first_of_test: Series
    further: Series
    overlapping: float


def measure(settings: Settings) -> Result:
    """Race on each backend, one after the other."""
    places, races = settings.either((_PLACES, _RACES), (2, 2))
    costs = {
        backend: _costs(backend, settings.directory, _RACERS, places, races)
        for backend in _BACKENDS
    }
    title = f"Races of {_RACERS} processes, in milliseconds (overlapping: of all pairs)"
    rows = [(backend, *_cells(cost)) for backend, cost in costs.items()]
    targets = [
        Target(
            f"{backend}, a race of {_RACERS} processes after the first",
            f"below {_TARGET_MS:g} ms",
            f"{cost.further.median_us / 1000:.1f} ms",
            cost.further.median_us / 1000 < _TARGET_MS,
        )
        for backend, cost in costs.items()
    ]
    data = {backend: cost.further.summary() for backend, cost in costs.items()}
    return Result([Table(title, _COLUMNS, rows)], targets, data)


def _cells(cost: Costs) -> list[str]:
    times_us = (
        cost.first.median_us,
        cost.first_of_test.median_us,
        cost.further.median_us,
        cost.further.spread_us,
    )
    return [*(f"{time_us / 1000:,.2f}" for time_us in times_us), f"{cost.overlapping:.0%}"]


def _costs(backend_name: str, directory: Path, racers: int, places: int, races: int) -> Costs:
    backend = Catalogue().select(backend_name)
    costs = Costs(Series(), Series(), Series(), 0.0)
    overlapping = 0
    with closing(Guard()) as guard, closing(Pool(guard)) as pool:
        for number in range(places):
            with _opened(backend, directory / f"races-{backend_name}-{number}") as app:
                destination = Destination(app, None, backend)
                rules = Rules(racers, _SEED, _TIMEOUT_S)
                with closing(Races(destination, pool, rules)) as race:
                    for turn in range(races + 1):
                        started_ns = perf_counter_ns()
                        outcome = race(read)
                        elapsed_us = (perf_counter_ns() - started_ns) / 1000
                        _series(costs, number, turn).times_us.append(elapsed_us)
                        overlapping += outcome.overlapping if turn else 0
    pairs = len(list(itertools.combinations(range(racers), 2)))
    costs.overlapping = overlapping / (pairs * places * races)
    return costs


def _series(costs: Costs, place: int, turn: int) -> Series:
    if turn:
        return costs.further
    return costs.first_of_test if place else costs.first


@contextmanager
def _opened(backend: Backend, directory: Path) -> Iterator[Pynenc]:
    if backend.service is None:
        with _opened_place(backend, Space(directory.name, directory, directory.parent)) as app:
            yield app
        return
    with shared_server(directory.parent / "server") as url:
        space = Space(directory.name, directory, directory.parent, url)
        with _opened_place(backend, space) as app:
            yield app


@contextmanager
def _opened_place(backend: Backend, space: Space) -> Iterator[Pynenc]:
    for module in backend.modules:
        importlib.import_module(module)
    place: Place = backend.open_place(space)
    values = {**backend.components, **place.values}
    try:
        with exported(values, modules=backend.modules):
            yield build_app(space.namespace, values)
    finally:
        place.close()
        place.remove()
