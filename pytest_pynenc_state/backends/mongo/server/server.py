"""What the commands work on, and what they are given and return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pytest_pynenc_state.backends.mongo.server.cursors import Cursors
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.namespaces import Collection, Namespaces
from pytest_pynenc_state.backends.mongo.server.wire import Document


@dataclass(frozen=True)
class Server:
    """All that one server remembers."""

    namespaces: Namespaces
    cursors: Cursors


@dataclass(frozen=True, slots=True)
class Request:
    """One command.

    :ivar name: The command's name, as the client spells it.
    :ivar fields: The whole command; its first field is the name.
    """

    name: str
    fields: Document
    database: str
    connection_id: int

    @property
    def collection(self) -> str:
        """The collection that the command is about.

        :raises CommandError: It does not name one (InvalidNamespace).
        """
        name = self.fields[self.name]
        if not isinstance(name, str) or not name:
            message = f"collection name has invalid value {name!r}"
            raise CommandError(Code.InvalidNamespace, message)
        return name

    @property
    def namespace(self) -> str:
        """The full name of that collection."""
        return f"{self.database}.{self.collection}"


#: What a command returns: fields of the reply, or a whole encoded one.
Reply: TypeAlias = Document | bytes

Handler: TypeAlias = Callable[[Server, Request], Reply]


def target(server: Server, request: Request, *, create: bool) -> Collection | None:
    """Return the collection that *request* is about; None if there is none.

    :param create: Create it if there is none.
    """
    if create:
        return server.namespaces.find_or_create(request.database, request.collection)
    return server.namespaces.find(request.database, request.collection)
