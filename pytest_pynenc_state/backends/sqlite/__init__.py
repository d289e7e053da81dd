"""State backend and orchestrator on one SQLite file, shared by every process."""
