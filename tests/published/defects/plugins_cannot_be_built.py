"""Plugins that allow any newer pynenc, and so are installed with 0.4.0, cannot be built there."""

from pynenc import PynencBuilder

for method in ("redis", "mongo", "rabbitmq_broker", "rustvello_mem"):
    try:
        getattr(PynencBuilder().app_id("shop"), method)().build().broker
        print(method, "is built")
    except TypeError as error:
        print(method, "lacks", *str(error).split("'")[1::2])

# Prints: four lines
# Should: "... is built", four times
