"""An app whose own configuration says where it wants to keep its data."""

from __future__ import annotations

from pynenc import Pynenc

ELSEWHERE = {"sqlite_db_path": "elsewhere.db"}

app = Pynenc(
    config_values={
        "app_id": "stubborn",
        "state_backend_cls": "SQLiteStateBackend",
        "orchestrator_cls": "SQLiteOrchestrator",
        "sqlite": ELSEWHERE,
        "orchestratorsqlite": ELSEWHERE,
        "statebackendsqlite": ELSEWHERE,
        **ELSEWHERE,
    }
)
