"""Plugins that allow any newer pynenc, and so are installed with this one, cannot be built."""

from pynenc import Pynenc

for name in ("RedisBroker", "MongoBroker", "RabbitMqBroker", "RustMemBroker"):
    try:
        print(type(Pynenc(config_values={"app_id": "shop", "broker_cls": name}).broker).__name__)
    except TypeError as error:
        print(name, "lacks", str(error).rpartition("methods ")[2])

# Prints: RustMemBroker lacks '_route_invocation', '_route_invocations'
# Should: RustMemBroker
