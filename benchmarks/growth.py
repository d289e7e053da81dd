"""Whether the last batch of a long time range costs what the first one did."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from benchmarks import contenders
from benchmarks.workload import EPOCH, Workload

_BATCH_SIZE = 100
_ROWS_PER_MS = 50


@dataclass(frozen=True)
class Growth:
    """The median time of a batch in the first and in the last tenth of an iteration."""

    rows: int
    first_us: float
    last_us: float

    @property
    def factor(self) -> float:
        """How much slower the last tenth was."""
        return self.last_us / self.first_us


def grown(names: Sequence[str], directory: Path, rows: int) -> dict[str, Growth]:
    """Iterate over *rows* rows of history, the contenders taking turns batch by batch."""
    times_us: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        running: dict[str, Iterator[Any]] = {}
        for name in names:
            workload = Workload(stack.enter_context(contenders.opened(name, directory)))
            workload.seed_timeline(rows // _ROWS_PER_MS, _ROWS_PER_MS)
            running[name] = iter(
                workload.state.iter_history_in_timerange(
                    EPOCH, EPOCH + timedelta(days=365), _BATCH_SIZE
                )
            )
        while running:
            for name, batches in list(running.items()):
                started_ns = perf_counter_ns()
                if next(batches, None) is None:
                    del running[name]
                else:
                    times_us[name].append((perf_counter_ns() - started_ns) / 1000)
    return {name: _growth(times) for name, times in times_us.items()}


def _growth(times_us: Sequence[float]) -> Growth:
    tenth = max(len(times_us) // 10, 1)
    return Growth(
        rows=len(times_us) * _BATCH_SIZE,
        first_us=statistics.median(times_us[:tenth]),
        last_us=statistics.median(times_us[-tenth:]),
    )
