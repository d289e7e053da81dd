"""`Races`: lets children of the pool, or threads, make a call at one instant."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_pynenc_state.apps.pointing import touch_components
from pytest_pynenc_state.errors import NotShared, OptionsError
from pytest_pynenc_state.processes.calling import check_runs, name_of, packed_call
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.race import Outcome, Race
from pytest_pynenc_state.processes.racing_threads import raced_by_threads
from pytest_pynenc_state.processes.serving import Go
from pytest_pynenc_state.processes.visiting import Destination

# Racers are told the instant so long before it, so that all know it in time: a part for the
# first one, and one for each.
_LEAD_NS = 200_000
_LEAD_OF_EACH_NS = 100_000

# The longest pause between that instant and a racer's call.
_LONGEST_JITTER_NS = 200_000


_EACH = "each=[(1,), (2,)], with the arguments of each racer"


@dataclass(frozen=True)
class Rules:
    """What the options say about races.

    :param racers: How many, unless a race says so itself.
    :param seed: What the pauses before the calls are drawn from.
    :param timeout_s: How long the racers may take to be ready, and again for the race.
    """

    racers: int
    seed: int
    timeout_s: float


def jitters_ns(seed: int, number: int, racers: int) -> list[int]:
    """The pauses before the calls of a race; the same ones for the same seed and race."""
    names = (f"{seed}-{number}-{index}" for index in range(racers))
    return [random.Random(name).randrange(_LONGEST_JITTER_NS) for name in names]  # noqa: S311


def starts_ns(pauses_ns: Sequence[int]) -> list[int]:
    """When the racers of a race are to make their calls: all are ready now."""
    instant_ns = time.monotonic_ns() + _LEAD_NS + _LEAD_OF_EACH_NS * len(pauses_ns)
    return [instant_ns + pause_ns for pause_ns in pauses_ns]


def _listed(name: str, given: Any, example: str) -> tuple[Any, ...]:
    """The items of *given*; a text or a mapping is a single thing here."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | bytearray | Mapping):
        return tuple(given)
    message = f"pynenc_race: {name} is a sequence; got {given!r}"
    raise OptionsError(message, f"write it like {example}")


class Races:
    """What the fixture ``pynenc_race`` returns: a function that lets racers race.

    :ivar last: The last race of the test that came to an end.
    """

    def __init__(self, destination: Destination, pool: Pool, rules: Rules) -> None:
        self.last: Race | None = None
        self._destination = destination
        self._pool = pool
        self._rules = rules
        self._number = 0

    def __repr__(self) -> str:
        return f"<Races: {self._number} so far, seed {self._rules.seed}>"

    def __call__(
        self,
        function: Callable[..., Any],
        n: int | None = None,
        *,
        args: Sequence[Any] = (),
        each: Sequence[Sequence[Any]] | None = None,
        threads: bool = False,
    ) -> Race:
        """Let *n* racers call ``function(app, *args)`` at one instant; return what became of it.

        Each racer is a process with the app of the test, ready and connected; a few
        microseconds of pause, drawn from ``--pynenc-seed``, vary who comes first. Races of
        processes are run one after the other: a thread that calls this waits for another one's.

        :param function: It must be importable: at the top level of a module.
        :param n: How many racers; by default ``--pynenc-processes``.
        :param args: The arguments of all racers.
        :param each: The further arguments of each racer; then there are as many racers.
        :param threads: Race threads of this process, all with its app, on any backend. They
            can call any function, and are switched between as often as Python can.
        :raises NotShared: The backend's state lives in one process, and the racers do not.
        :raises NotSendable: The function or an argument cannot go to another process.
        :raises OptionsError: There are no racers, or two numbers of them; *n*, *args* or *each* is
            of another kind; or the function is a coroutine function or a generator function, of
            which nothing would run.
        :raises ProcessDied: A racer died; the message says which one.
        :raises ProcessTimeout: A racer was not ready or has not ended within
            ``--pynenc-timeout``; the message says which one, and where it is.
        :raises ProcessError: The working directory has been removed.
        """
        check_runs("pynenc_race", function)
        arguments = self._arguments(n, args, each)
        number, self._number = self._number, self._number + 1
        name = f"{name_of(function)}, race {number},"
        pauses_ns = jitters_ns(self._rules.seed, number, len(arguments))
        if threads:
            touch_components(self._destination.app)
            calls = [(function, (self._destination.app, *own)) for own in arguments]
            outcomes = raced_by_threads(
                calls, partial(starts_ns, pauses_ns), name, self._rules.timeout_s
            )
        else:
            packed = self._packed(function, arguments)
            outcomes = self._raced(packed, pauses_ns, name)
        self.last = Race(number, self._rules.seed, tuple(outcomes))
        return self.last

    def report(self) -> str:
        """The last race, how to repeat it, and what the racers printed."""
        if self.last is None:
            return ""
        repeat = f"repeat its pauses with --pynenc-seed {self._rules.seed}"
        return "\n".join(filter(None, (str(self.last), repeat, self._pool.logs())))

    def close(self) -> None:
        """Have the racers close the app, when the test ends; they live on for the next one."""
        self._pool.leave()

    def _arguments(
        self, n: int | None, args: Sequence[Any], each: Sequence[Sequence[Any]] | None
    ) -> list[tuple[Any, ...]]:
        if n is not None and type(n) is not int:
            message = f"pynenc_race: n is a whole number of racers; got {n!r}"
            raise OptionsError(message, "leave it out for --pynenc-processes of them")
        of_all = _listed("args", args, "args=(1,)")
        of_each = None if each is None else _listed("each", each, _EACH)
        racers = n if n is not None else self._rules.racers if of_each is None else len(of_each)
        if racers < 1:
            message = f"pynenc_race: there are {racers} racers"
            raise OptionsError(message, "let two or more race")
        if of_each is None:
            return [of_all] * racers
        if len(of_each) != racers:
            message = f"pynenc_race: n={racers}, but each has arguments for {len(of_each)} racers"
            raise OptionsError(message, "leave n out")
        return [
            (*of_all, *_listed(f"each[{index}]", own, _EACH)) for index, own in enumerate(of_each)
        ]

    def _packed(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> list[bytes]:
        try:
            self._destination.backend.require_shared("pynenc_race")
        except NotShared as error:
            raise NotShared(
                error.message, "race threads instead: threads=True", *error.remedies
            ) from None
        return [packed_call(function, own) for own in arguments]

    def _raced(self, packed: Sequence[bytes], pauses_ns: Sequence[int], name: str) -> list[Outcome]:
        pool = self._pool
        with pool.alone():
            children = pool.take(len(packed))
            names = {child: f"{name} racer {index}" for index, child in enumerate(children)}
            calls = dict(zip(children, packed, strict=True))
            pool.prepare(calls, self._destination.visit(), names, self._rules.timeout_s)
            for child, start_ns in zip(children, starts_ns(pauses_ns), strict=True):
                pool.ask(child, Go(start_ns))
            answers = pool.collect(names, self._rules.timeout_s)
        return [
            Outcome.of(index, child.pid, answers[child].unpacked())
            for index, child in enumerate(children)
        ]
