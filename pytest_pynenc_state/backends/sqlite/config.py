"""Configuration of the SQLite components, through pynenc's own config system."""

from __future__ import annotations

from cistell import ConfigField
from pynenc.conf.config_broker import ConfigBrokerSQLite
from pynenc.conf.config_client_data_store import ConfigClientDataStoreSQLite
from pynenc.conf.config_orchestrator import ConfigOrchestratorSQLite
from pynenc.conf.config_state_backend import ConfigStateBackendSQLite
from pynenc.conf.config_trigger import ConfigTriggerSQLite

from pytest_pynenc_state.backends.sqlite.connection import (
    DEFAULT_TIMEOUT_S,
    Database,
    open_database,
)
from pytest_pynenc_state.backends.sqlite.schema import prepare_file
from pytest_pynenc_state.backends.upstream import close_upstream_connections

# How long (seconds) an operation waits for somebody else's lock: what our components need beyond
# pynenc's ``sqlite_db_path``. Not in a class that all five derive from: cistell looks at each class
# anew whenever it makes a configuration, a tenth of what a test's app costs.
_SQLITE_TIMEOUT_S = ConfigField(DEFAULT_TIMEOUT_S)


class ConfigPytestStateBackendSQLite(ConfigStateBackendSQLite):
    """Configuration of `PytestSQLiteStateBackend`."""

    sqlite_timeout_s = _SQLITE_TIMEOUT_S


class ConfigPytestClientDataStoreSQLite(ConfigClientDataStoreSQLite):
    """Configuration of `PytestSQLiteClientDataStore`."""

    sqlite_timeout_s = _SQLITE_TIMEOUT_S


class ConfigPytestBrokerSQLite(ConfigBrokerSQLite):
    """Configuration of `PytestSQLiteBroker`."""

    sqlite_timeout_s = _SQLITE_TIMEOUT_S


class ConfigPytestOrchestratorSQLite(ConfigOrchestratorSQLite):
    """Configuration of `PytestSQLiteOrchestrator`."""

    sqlite_timeout_s = _SQLITE_TIMEOUT_S


class ConfigPytestTriggerSQLite(ConfigTriggerSQLite):
    """Configuration of `PytestSQLiteTrigger`."""

    sqlite_timeout_s = _SQLITE_TIMEOUT_S


def opened_database(
    conf: ConfigPytestStateBackendSQLite
    | ConfigPytestOrchestratorSQLite
    | ConfigPytestClientDataStoreSQLite
    | ConfigPytestBrokerSQLite
    | ConfigPytestTriggerSQLite,
) -> Database:
    """Return the configured file's database, its tables made if they are missing.

    From now on pynenc's own components on the file close their connections, too.

    :raises ValueError: No file is configured.
    :raises StoreUnusable: The file cannot be used; it is left as it was.
    """
    if not conf.sqlite_db_path:
        message = f"{type(conf).__name__}: no sqlite_db_path is configured"
        raise ValueError(message)
    close_upstream_connections()
    # First, so that the timeout also bounds the preparation.
    database = open_database(conf.sqlite_db_path, conf.sqlite_timeout_s)
    prepare_file(conf.sqlite_db_path)
    return database
