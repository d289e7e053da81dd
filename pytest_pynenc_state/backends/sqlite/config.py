"""Configuration of the SQLite components, through pynenc's own config system."""

from __future__ import annotations

from cistell import ConfigField
from pynenc.conf.config_base import ConfigPynencBase
from pynenc.conf.config_broker import ConfigBrokerSQLite
from pynenc.conf.config_client_data_store import ConfigClientDataStoreSQLite
from pynenc.conf.config_orchestrator import ConfigOrchestratorSQLite
from pynenc.conf.config_state_backend import ConfigStateBackendSQLite

from pytest_pynenc_state.backends.sqlite.connection import (
    DEFAULT_TIMEOUT_S,
    Database,
    open_database,
)
from pytest_pynenc_state.backends.sqlite.schema import prepare_file
from pytest_pynenc_state.backends.upstream import close_upstream_connections


class ConfigPytestSQLite(ConfigPynencBase):
    """What our SQLite components need beyond pynenc's ``sqlite_db_path``.

    :cvar sqlite_timeout_s: How long (seconds) an operation waits for somebody else's lock.
    """

    sqlite_timeout_s = ConfigField(DEFAULT_TIMEOUT_S)


class ConfigPytestStateBackendSQLite(ConfigStateBackendSQLite, ConfigPytestSQLite):
    """Configuration of `PytestSQLiteStateBackend`."""


class ConfigPytestClientDataStoreSQLite(ConfigClientDataStoreSQLite, ConfigPytestSQLite):
    """Configuration of `PytestSQLiteClientDataStore`."""


class ConfigPytestBrokerSQLite(ConfigBrokerSQLite, ConfigPytestSQLite):
    """Configuration of `PytestSQLiteBroker`."""


class ConfigPytestOrchestratorSQLite(ConfigOrchestratorSQLite, ConfigPytestSQLite):
    """Configuration of `PytestSQLiteOrchestrator`."""


def opened_database(
    conf: ConfigPytestStateBackendSQLite
    | ConfigPytestOrchestratorSQLite
    | ConfigPytestClientDataStoreSQLite
    | ConfigPytestBrokerSQLite,
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
