"""Of records of one status within a millisecond, the first is kept."""

import os
from datetime import UTC, datetime, timedelta

from pynenc import PynencBuilder
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.state_backend.base_state_backend import InvocationHistory

app = PynencBuilder().app_id("shop").mongo(url=os.environ["MONGO_URL"]).build()
for microsecond in range(3):
    status = InvocationStatusRecord(InvocationStatus.REGISTERED)
    record = InvocationHistory("an id", status, "a runner")
    record._timestamp = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=microsecond)
    app.state_backend._add_histories(["an id"], record)
print("records:", len(app.state_backend.get_history("an id")))

# Prints: records: 1
# Should: records: 3
