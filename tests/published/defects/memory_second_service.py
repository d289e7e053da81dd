"""Trimming the list of atomic services forgets the one that runs, so that a second one may."""

from datetime import UTC, datetime

from pynenc import PynencBuilder
from pynenc.orchestrator.atomic_service import AtomicServiceRun

app = PynencBuilder().app_id("shop").memory().build()
app.config_values["atomic_service_execution_max_records"] = 1
admitted = []
for number in range(3):
    run = AtomicServiceRun(runner_id=f"runner {number}", atomic_service_run_id=f"run {number}")
    start = app.orchestrator.record_atomic_service_execution_start
    admitted.append(start(run, datetime.now(UTC)))
print("admitted at once:", sum(admitted))

# Prints: admitted at once: 2
# Should: admitted at once: 1
