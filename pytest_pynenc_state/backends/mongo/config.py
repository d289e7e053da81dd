"""Configuration of the MongoDB components, through pynenc's own config system."""

from __future__ import annotations

from cistell import ConfigField
from pynenc.conf.config_base import ConfigPynencBase
from pynenc.conf.config_orchestrator import ConfigOrchestrator
from pynenc.conf.config_state_backend import ConfigStateBackend

from pytest_pynenc_state.backends.mongo.connection import DEFAULT_TIMEOUT_S, Database
from pytest_pynenc_state.backends.upstream import close_upstream_connections


class ConfigPytestMongo(ConfigPynencBase):
    """What our MongoDB components need.

    :cvar mongo_url: The server: ``mongodb://…`` or ``mongodb+srv://…``.
    :cvar mongo_database: The name of the database; several apps may share one.
    :cvar mongo_timeout_s: How long (seconds) to look for the server, unless the URL has a
        ``serverSelectionTimeoutMS`` of its own.
    :cvar mongo_chunk_threshold: Arguments, results, exceptions and workflow data of more
        bytes than this are compressed and split into chunks.
    """

    mongo_url = ConfigField("")
    mongo_database = ConfigField("pynenc")
    mongo_timeout_s = ConfigField(DEFAULT_TIMEOUT_S)
    mongo_chunk_threshold = ConfigField(1024 * 1024)


class ConfigPytestStateBackendMongo(ConfigStateBackend, ConfigPytestMongo):
    """Configuration of `PytestMongoStateBackend`."""


class ConfigPytestOrchestratorMongo(ConfigOrchestrator, ConfigPytestMongo):
    """Configuration of `PytestMongoOrchestrator`."""


def configured_database(conf: ConfigPytestMongo) -> Database:
    """Return the database that *conf* names; nothing is connected yet.

    From now on pynenc's own components on SQLite, which a place of ours has beside the
    database, close their connections.

    :raises ValueError: No URL is configured.
    """
    if not conf.mongo_url:
        message = f"{type(conf).__name__}: no mongo_url is configured"
        raise ValueError(message)
    close_upstream_connections()
    return Database(conf.mongo_url, conf.mongo_database, conf.mongo_timeout_s)
