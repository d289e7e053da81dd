"""Facts read from files of events, so that a rule's two histories can be laid side by side.

Each line is one event, as JSON; times are seconds since registration. A record's ``order`` says
``unknown`` if it may as well have come before the one in front of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pynenc.invocation.status import InvocationStatusRecord

from pytest_pynenc_state.history.facts import OPEN_END, AppFacts, InvocationFacts, ServiceWindow
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.status_machine import status_named
from tests.history.builders import REGISTERED_AT, context, record

DATA = Path(__file__).parent / "data"

Event = dict[str, Any]


@dataclass
class _Invocation:
    """What events have said of one invocation."""

    records: list[Event] = field(default_factory=list)
    task: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def lines_of(name: str) -> list[str]:
    """The lines of one file of events."""
    return (DATA / f"{name}.jsonl").read_text().splitlines()


def facts_from(lines: Iterable[str]) -> AppFacts:
    """The facts that the events on *lines* come to, in any order but that of records."""
    invocations: defaultdict[str, _Invocation] = defaultdict(_Invocation)
    processes: dict[str, Event] = {}
    services: list[Event] = []
    for event in map(json.loads, lines):
        if "host" in event:
            processes[event["runner"]] = event
        elif "services" in event:
            services.append(event)
        else:
            _tell(invocations[event.pop("invocation")], event)
    return AppFacts(
        invocations=tuple(_facts(key, told, processes) for key, told in invocations.items()),
        services=tuple(_window(event, processes) for event in services),
    )


def _tell(told: _Invocation, event: Event) -> None:
    match event:
        case {"status": _}:
            told.records.append(event)
        case {"call": task, "arguments": arguments, **options}:
            told.task, told.arguments = task, arguments
            told.facts |= options
        case {"table": status, "owner": owner, "at": at}:
            moment = REGISTERED_AT + timedelta(seconds=at)
            told.facts["status_record"] = InvocationStatusRecord(
                status_named(status), owner, moment
            )
        case {"stored": "result" | "exception" as what}:
            told.facts[f"has_{what}"] = True
        case {"counted": "retry"}:
            told.facts["retries"] = told.facts.get("retries", 0) + 1
        case _:
            message = f"no such event: {event}"
            raise ValueError(message)


def _facts(invocation_id: str, told: _Invocation, processes: dict[str, Event]) -> InvocationFacts:
    records = [
        record(
            event["status"],
            event["at"],
            event["owner"],
            event["by"],
            registered_by=event.get("registered_by"),
            runner_context=_context(processes[event["by"]]),
        )
        for event in told.records
    ]
    unknown = [place for place, event in enumerate(told.records) if "order" in event]
    history = History(
        invocation_id, records, task=told.task, arguments=told.arguments, order_unknown=unknown
    )
    return InvocationFacts(history, **told.facts)


def _context(process: Event) -> Any:
    return context(process["runner"], hostname=process["host"], pid=process["pid"])


def _window(event: Event, processes: dict[str, Event]) -> ServiceWindow:
    end = event["end"]
    return ServiceWindow(
        event["runner"],
        REGISTERED_AT + timedelta(seconds=event["start"]),
        OPEN_END if end is None else REGISTERED_AT + timedelta(seconds=end),
        event["services"] != "abandoned",
        processes[event["runner"]]["host"],
    )
