"""Registering a running invocation again makes it one that may be run."""

from textwrap import dedent

from pynenc import PynencBuilder
from pynenc.invocation.status import InvocationStatus

app = PynencBuilder().app_id("shop").memory().build()
invocation = app.task(dedent)("text")
for status in (InvocationStatus.PENDING, InvocationStatus.RUNNING):
    app.orchestrator._atomic_status_transition(invocation.invocation_id, status, "a runner")
app.orchestrator._register_new_invocations([invocation])
print("status:", app.orchestrator.get_invocation_status(invocation.invocation_id).value)

# Prints: status: registered
# Should: status: running
