"""pymongo's errors in this package's words; a password is never among these words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidName,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from pytest_pynenc_state.errors import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    StoreFull,
    StoreUnusable,
)
from pytest_pynenc_state.option_values import without_credentials

# Unauthorized, AuthenticationFailed.
_REFUSED_LOGIN = frozenset({13, 18})
_OUT_OF_DISK_SPACE = 14031
_WRITE_CONCERN_FAILED = 64

_TIMEOUTS = (NetworkTimeout, ExecutionTimeout, WTimeoutError)

# In characters: enough for any server's words; some of the driver's quote whole documents.
_LONGEST_REASON = 500


@contextmanager
def failures(url: str) -> Iterator[None]:
    """Turn what pymongo raises inside, working on the server at *url*, into our errors.

    A `DuplicateKeyError` passes: it is an answer, not a failure.

    :raises BackendUnavailable: No server answers there, or it refuses the login.
    :raises BackendTimeout: The server did not answer in time; it may yet do the work.
    :raises StoreUnusable: The URL, or the name of the database, cannot be used.
    :raises StoreFull: The server's disk has no room left.
    :raises BackendError: The server, or the driver, refused the operation.
    """
    try:
        yield
    except DuplicateKeyError:
        raise
    except (PyMongoError, BSONError, UnicodeEncodeError, OverflowError) as error:
        raise translated(error, url) from error


def translated(error: Exception, url: str) -> BackendError:
    """Return *error*, which happened on the server at *url*, as one of this package's errors."""
    where = f"MongoDB at {without_credentials(url)!r}"
    code, text = _cause(error)
    reason = without_credentials(text[:_LONGEST_REASON])
    match error:
        case _ if isinstance(error, _TIMEOUTS) or code == _WRITE_CONCERN_FAILED:
            return BackendTimeout(
                f"{where} did not answer in time ({reason}); it may yet do what was asked",
                "raise the time limits in the URL",
            )
        case ServerSelectionTimeoutError() | AutoReconnect():
            return BackendUnavailable(
                f"{where} cannot be reached ({reason})",
                "start a server there",
                "give another URL with --pynenc-mongo-url",
                "or run without it: --pynenc-backend mongomock",
            )
        case ConfigurationError() | InvalidURI() | InvalidName():
            return StoreUnusable(f"{where} cannot be used ({reason})", "mend mongo_url")
        case OperationFailure() if code in _REFUSED_LOGIN:
            return BackendUnavailable(
                f"{where} refused the login ({reason})",
                "check user, password and authSource in the URL",
            )
        case OperationFailure() if code == _OUT_OF_DISK_SPACE:
            return StoreFull(f"{where} has no room left ({reason})", "free space on its disk")
    return BackendError(f"{where} refused an operation ({type(error).__name__}: {reason})")


def _cause(error: Exception) -> tuple[int | None, str]:
    """The code and the words of the server; a bulk's own words repeat all that was sent."""
    if isinstance(error, BulkWriteError):
        errors = [*error.details["writeErrors"], *error.details.get("writeConcernErrors", ())]
        return (errors[0]["code"], str(errors[0]["errmsg"])) if errors else (error.code, "bulk")
    return getattr(error, "code", None), str(error)
