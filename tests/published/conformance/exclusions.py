"""What published backends break, and what they do instead: one table for each.

A clause in a table has to fail, or else the run does. With `Only`, it is so on some pynencs.
What is broken at times, because it depends on the luck of threads and processes, is not
checked: `_AT_TIMES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_pynenc_state import KnownBug


@dataclass(frozen=True)
class Only:
    """A bug that not every pynenc has.

    :param pynencs: Those that do, separated by blanks.
    """

    pynencs: str
    reason: str


Table = Mapping[str, "str | Only"]

_FORMER_TOO = "keeps it with the former, too"
_CACHE = "pynenc's own cache of runner contexts outlives the purge"

_MEMORY: Table = {
    "BC-BLO-06": "lists in the order of a set",
    "BC-BLO-07": "raises KeyError for an awaited id that was never registered",
    "BE-PUR-01": "leaves workflow data and runner contexts",
    "BE-PUR-05": _CACHE,
    "OR-ATO-05": "refuses it, and records another one",
    "OR-ATO-21": "drops the one that runs, if there are too many",
    "OR-PUR-03": "raises KeyError for an invocation that was scheduled twice",
    "OR-REG-04": "sets a running invocation back to REGISTERED, and its retries to 0",
    "OR-REG-05": "sets known invocations of the batch back to REGISTERED",
    "OR-SEA-10": "raises KeyError for an unknown id",
    "OR-SEA-12": "raises KeyError for an unknown id",
    "OR-THR-06": "raises RuntimeError: changed size during iteration",
    "OR-TRA-04": "creates an invocation, or raises another error",
    "SB-CTX-11": "raises RuntimeError: changed size during iteration",
    "SB-HIS-13": "hands out the stored record",
    "SB-HIS-14": "stores the writer's record",
    "SB-INV-13": "hands out the stored arguments",
    "SB-INV-14": "stores the writer's arguments",
    "SB-INV-17": _FORMER_TOO,
    "SB-INV-19": _FORMER_TOO,
    "SB-INV-22": "raises RuntimeError: changed size during iteration",
    "SB-RNG-12": "hands out the stored record",
    "SB-THR-04": "raises RuntimeError: changed size during iteration",
    "SB-WFL-05": "stores the writer's object",
    "SB-WFL-06": "hands out the stored object",
    "SB-WFL-13": "raises RuntimeError: changed size during iteration",
}

_SQLITE: Table = {
    "BC-BLO-06": "the latest status change comes last, whenever it was registered",
    "BE-PUR-05": _CACHE,
    "BE-PUR-06": _CACHE,
    "OR-ATO-10": "records nothing",
    "OR-ATO-14": "compares time stamps as text",
    "OR-ATO-17": "rounds durations, and misses one that is exact",
    "OR-PUR-01": "two due invocations: waits for its own lock, for minutes, and gives up",
    "OR-SEA-06": "raises OperationalError: a join for each argument",
    "OR-SEA-10": "raises OperationalError: a variable for each id",
    "SB-CTX-03": "raises KeyError for the parent",
    "SB-CTX-09": "ignores the case, as LIKE does",
    "SB-CTX-10": "takes _ and % for wildcards, as LIKE does",
    "SB-HIS-07": "orders them by the names of their statuses",
    "SB-HIS-08": "keeps the last",
    "SB-RAC-02": "keeps one of those with equal instant and status",
    "SB-RNG-13": "pages with OFFSET, and so repeats records",
    "SB-THR-04": "pages with OFFSET, and so repeats records",
}

_NOT_NONE = "raises InvocationNotFoundError, where None is asked for"
_STILL_LISTED = "goes on listing it in pages and counts"
_TWO_OWNERS = "lets several win: what allows the change is read before its transaction"
_QUEUES = "does not know consumed_queues"

_REDIS: Table = {
    "BC-BLO-06": "the first that was waited for comes first",
    "BC-BLO-09": "frees a waiter that waits for others, too",
    "BC-BLO-10": "frees a waiter that waits for others, too",
    "BE-ISO-01": _NOT_NONE,
    "BE-PUR-01": _NOT_NONE,
    "BE-PUR-03": _NOT_NONE,
    "BE-PUR-05": _CACHE,
    "BE-PUR-06": _CACHE,
    "BE-RAC-01": _NOT_NONE,
    "BE-SET-03": _NOT_NONE,
    "OR-ATO-11": Only("0.4.0", _QUEUES),
    "OR-PUR-01": _STILL_LISTED,
    "OR-PUR-03": _STILL_LISTED,
    "OR-PUR-04": _STILL_LISTED,
    "OR-PUR-05": "leaves retries, arguments or waiters",
    "OR-RUN-11": Only("0.4.0", _QUEUES),
    "OR-SEA-16": "a limit of 0 is no limit",
    "SB-CTX-10": "takes *, ? and [ for wildcards",
    "SB-INV-07": _NOT_NONE,
    "SB-INV-17": _FORMER_TOO,
    "SB-INV-19": _FORMER_TOO,
    "SB-INV-21": _FORMER_TOO,
    "SB-RES-01": "cannot find an empty one",
    "SB-RNG-10": "repeats it for each batch",
    "SB-RNG-13": "pages by number, and so repeats records",
    "SB-THR-03": _NOT_NONE,
    "SB-THR-04": "pages by number, and so repeats records",
}

_OF_A_CALL = "cannot look up the invocations of a call: InvalidDocument"
_MILLISECONDS = "keeps milliseconds, and not the UTC offset"
_NOT_EQUAL = "keeps milliseconds, and one record of each millisecond and status"
_FIRST_STAYS = "the first that was stored stays"

_MONGO: Table = {
    "BC-BLO-03": "counts all that wait for it",
    "BC-BLO-06": "lists in the order of waiting",
    "BE-ISO-01": _OF_A_CALL,
    "BE-ISO-02": _OF_A_CALL,
    "BE-PUR-01": _OF_A_CALL,
    "BE-PUR-02": _OF_A_CALL,
    "BE-PUR-04": _OF_A_CALL,
    "BE-PUR-05": _CACHE,
    "BE-PUR-06": _CACHE,
    "BE-RAC-01": _OF_A_CALL,
    "BE-KIL-01": _OF_A_CALL,
    "BE-SET-03": _OF_A_CALL,
    "BE-SET-04": _OF_A_CALL,
    "OR-ATO-11": Only("0.4.0", _QUEUES),
    "OR-ATO-14": "compares time stamps as text",
    "OR-PUR-07": _OF_A_CALL,
    "OR-PUR-08": _OF_A_CALL,
    "OR-RAC-02": _MILLISECONDS,
    "OR-REG-01": _MILLISECONDS,
    "OR-REG-02": _MILLISECONDS,
    "OR-REG-03": _MILLISECONDS,
    "OR-REG-07": _MILLISECONDS,
    "OR-REG-08": _OF_A_CALL,
    "OR-RUN-11": Only("0.4.0", _QUEUES),
    "OR-SEA-09": _OF_A_CALL,
    "OR-SEA-16": "a limit of 0 is no limit",
    "OR-THR-05": _OF_A_CALL,
    "OR-THR-06": _OF_A_CALL,
    "OR-TRA-03": _MILLISECONDS,
    "OR-TRA-05": _MILLISECONDS,
    "OR-TRA-08": _MILLISECONDS,
    "SB-CTX-05": _FIRST_STAYS,
    "SB-CTX-10": "takes it for a regular expression",
    "SB-HIS-06": "orders by those of the status records",
    "SB-HIS-08": _NOT_EQUAL,
    "SB-HIS-09": _NOT_EQUAL,
    "SB-INV-10": _FIRST_STAYS,
    "SB-INV-17": _FIRST_STAYS,
    "SB-INV-19": _FIRST_STAYS,
    "SB-INV-21": _FIRST_STAYS,
    "SB-RAC-02": _NOT_EQUAL,
    "SB-RAC-04": _NOT_EQUAL,
    "SB-RES-04": "the large one stays",
    "SB-RNG-02": _MILLISECONDS,
    "SB-THR-01": _NOT_EQUAL,
}

_NO_KEY_ERROR = "raises an error of its own, which is no KeyError"
_NO_PARENTS = "drops who registered it, or the parents of runner contexts"
_ENDS_OF_RANGE = "has instants as floats, and so misses what is at the ends of a range"

_RUSTVELLO: Table = {
    "BC-BLO-06": "lists in no particular order",
    "BE-ISO-01": _NO_KEY_ERROR,
    "BE-ISO-02": _ENDS_OF_RANGE,
    "BE-PUR-01": _NO_KEY_ERROR,
    "BE-PUR-02": _ENDS_OF_RANGE,
    "BE-PUR-04": _ENDS_OF_RANGE,
    "BE-PUR-05": _CACHE,
    "BE-PUR-06": _CACHE,
    "BE-SET-03": _NO_KEY_ERROR,
    "OR-PUR-01": _NO_KEY_ERROR,
    "OR-PUR-04": "schedules nothing",
    "OR-PUR-06": _NO_KEY_ERROR,
    "OR-PUR-07": _NO_KEY_ERROR,
    "OR-REG-02": "gives each an instant of its own",
    "OR-REG-04": "sets a running invocation back to REGISTERED",
    "OR-REG-05": "sets known invocations of the batch back to REGISTERED",
    "OR-REG-06": _NO_KEY_ERROR,
    "OR-REG-07": _NO_PARENTS,
    "OR-RUN-03": "gives each an instant of its own",
    "OR-SEA-02": "finds none for an empty dict",
    "OR-SEA-15": "lists in no particular order",
    "OR-THR-05": _NO_KEY_ERROR,
    "OR-TRA-01": "takes the empty text for an owner",
    "OR-TRA-04": _NO_KEY_ERROR,
    "SB-APP-05": "discover_app_infos is no static method",
    "SB-APP-06": "discover_app_infos is no static method",
    "SB-CTX-01": _NO_PARENTS,
    "SB-CTX-02": _NO_PARENTS,
    "SB-HIS-02": _NO_PARENTS,
    "SB-HIS-18": _NO_PARENTS,
    "SB-HIS-19": _NO_PARENTS,
    "SB-INV-20": "ignores the type if there is an id",
    "SB-RNG-02": _ENDS_OF_RANGE,
    "SB-RNG-06": _ENDS_OF_RANGE,
    "SB-RNG-07": _ENDS_OF_RANGE,
    "SB-RNG-11": _ENDS_OF_RANGE,
    "SB-RNG-12": _ENDS_OF_RANGE,
    "SB-RNG-13": _ENDS_OF_RANGE,
    "SB-RNG-14": _ENDS_OF_RANGE,
}

_RUSTVELLO_MEMORY: Table = {
    **_RUSTVELLO,
    "BC-BLO-09": "frees a waiter that waits for others, too",
    "BC-BLO-10": "frees a waiter that waits for others, too",
    "SB-INV-17": _FIRST_STAYS,
    "SB-INV-21": _FIRST_STAYS,
    "SB-WFL-12": "lists it as often as it was stored",
}

_NO_CONTEXT = "drops the runner context of a record"

_RUSTVELLO_SQLITE: Table = {
    **_RUSTVELLO,
    "BC-BLO-03": "counts what it then leaves out",
    "BC-BLO-05": "leaves out what was rerouted",
    "BE-ISO-02": _NO_CONTEXT,
    "BE-KIL-01": _NO_CONTEXT,
    "BE-PUR-02": _NO_CONTEXT,
    "BE-PUR-04": _NO_CONTEXT,
    "BE-RAC-01": _NO_CONTEXT,
    "BE-SET-04": _NO_CONTEXT,
    "OR-SEA-06": "raises an error: the query is nested for each argument",
    "OR-TRA-11": "lists one that is running",
    "SB-CTX-09": "ignores the case, as LIKE does",
    "SB-CTX-10": "takes _ and % for wildcards, as LIKE does",
    "SB-HIS-16": _NO_CONTEXT,
    "SB-INV-01": "drops the parent of a workflow",
    "SB-RAC-02": _NO_CONTEXT,
}

_KNOWN: Mapping[str, Table] = {
    "pynenc-memory": _MEMORY,
    "pynenc-sqlite": _SQLITE,
    "pynenc-redis": _REDIS,
    "pynenc-mongo": _MONGO,
    "pynenc-rustvello-memory": _RUSTVELLO_MEMORY,
    "pynenc-rustvello-sqlite": _RUSTVELLO_SQLITE,
}

_PAGES = "pages by number, and so repeats records"
_CUT_OFF = "writes several keys one after the other"
_FLOATS = "rounds instants, as it has them as floats"
_OWN_ERROR = "raises an error of its own when others write"

_LOCK_STAYS = "a lock that is cut off stays"

_AT_TIMES: Mapping[str, Table] = {
    "pynenc-memory": {
        "OR-THR-02": "loses some: reads, adds and writes without a lock",
        "OR-THR-05": "raises KeyError for what is purged meanwhile",
        "SB-THR-03": "raises RuntimeError: changed size during iteration",
    },
    "pynenc-sqlite": {"SB-RAC-04": _PAGES},
    "pynenc-redis": {
        "BE-KIL-02": _CUT_OFF,
        "BE-LIN-01": _TWO_OWNERS,
        "OR-LIN-01": _TWO_OWNERS,
        "OR-RAC-01": _TWO_OWNERS,
        "OR-THR-01": _TWO_OWNERS,
        "OR-RAC-02": _TWO_OWNERS,
        "OR-RAC-05": _TWO_OWNERS,
        "SB-RAC-04": _PAGES,
    },
    "pynenc-mongo": {"BE-KIL-02": _LOCK_STAYS, "BE-LIN-01": _LOCK_STAYS},
    "pynenc-rustvello-memory": {"OR-RUN-09": _FLOATS, "OR-TRA-08": _FLOATS},
    "pynenc-rustvello-sqlite": {
        "BE-KIL-02": _NO_KEY_ERROR,
        "BE-LIN-01": _OWN_ERROR,
        "OR-LIN-01": _OWN_ERROR,
        "OR-RAC-01": _OWN_ERROR,
        "OR-RAC-02": _OWN_ERROR,
        "OR-RAC-05": _OWN_ERROR,
        "OR-RUN-09": _FLOATS,
        "OR-TRA-08": _FLOATS,
        "SB-RAC-04": _PAGES,
    },
}


def known_bugs(key: str, pynenc: str) -> dict[str, KnownBug]:
    """What a backend breaks on a pynenc each time, if it can be built there."""
    table = _on(pynenc, _KNOWN.get(key, {}))
    return {each: KnownBug(reason) for each, reason in table.items()}


def unsupported(key: str, pynenc: str) -> dict[str, str]:
    """What it breaks now and then."""
    table = _on(pynenc, _AT_TIMES.get(key, {}))
    return {each: f"fails at times: {reason}" for each, reason in table.items()}


def _on(pynenc: str, table: Table) -> dict[str, str]:
    every = {each: bug if isinstance(bug, str) else bug.reason for each, bug in table.items()}
    elsewhere = [
        each
        for each, bug in table.items()
        if isinstance(bug, Only) and pynenc not in bug.pynencs.split()
    ]
    return {each: reason for each, reason in every.items() if each not in elsewhere}
