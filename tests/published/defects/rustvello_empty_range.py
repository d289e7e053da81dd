"""A range from the first record to the last leaves out both."""

from datetime import UTC, datetime, timedelta

from pynenc import PynencBuilder
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.state_backend.base_state_backend import InvocationHistory

app = PynencBuilder().app_id("shop").rustvello_mem().build()
instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)
status = InvocationStatusRecord(InvocationStatus.REGISTERED)
record = InvocationHistory("an id", status, "a runner")
record._timestamp = instant
app.state_backend._add_histories(["an id"], record)
print("found:", len(list(app.state_backend.iter_history_in_timerange(instant, instant))))

# Prints: found: 0
# Should: found: 1
