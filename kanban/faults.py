"""What a database says when it can't do as it was told, as a refusal with a sentence; and once in the log, not each time."""

import logging
import threading
import time
from enum import Enum

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import DBAPIError

from kanban.errors import Busy, Refused, Unwritable

log = logging.getLogger("potok.database")
AGAIN_S = 60.0  # how long the same fault is not said again


class Fault(Enum):
    BUSY = "busy"
    FULL = "full"
    READ_ONLY = "read-only"
    AWAY = "away"


WORDS = {
    Fault.BUSY: _l("Others are saving changes right now, so nothing was changed. Try again in a moment."),
    Fault.FULL: _l("The server's disk is full, so nothing was changed. Contact the server administrator."),
    Fault.READ_ONLY: _l("The server can't write to its database, so nothing was changed. Contact the server administrator."),
    Fault.AWAY: _l("The database can't be reached right now, so nothing was changed. Try again in a moment."),
}
# By SQLite's result codes (sqlite.org/rescode.html) and PostgreSQL's error codes (appendix A of its manual), as they begin.
_SQLITE = (
    ("SQLITE_BUSY", Fault.BUSY),
    ("SQLITE_LOCKED", Fault.BUSY),
    ("SQLITE_FULL", Fault.FULL),
    ("SQLITE_READONLY", Fault.READ_ONLY),
    ("SQLITE_CANTOPEN", Fault.READ_ONLY),
    ("SQLITE_IOERR", Fault.READ_ONLY),
)
_POSTGRESQL = (
    ("55P03", Fault.BUSY),
    ("40P01", Fault.BUSY),
    ("53100", Fault.FULL),
    ("25006", Fault.READ_ONLY),
    ("53", Fault.AWAY),
    ("57P", Fault.AWAY),
    ("08", Fault.AWAY),
)


class _Reported:
    """What was said lately, by every thread of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[Fault, float] = {}

    def is_new(self, fault: Fault) -> bool:
        with self._lock:
            now = time.monotonic()
            is_new = now - self._at.get(fault, -AGAIN_S) >= AGAIN_S
            if is_new:
                self._at[fault] = now
            return is_new


_reported = _Reported()


def as_refusal(error: DBAPIError) -> Refused | None:
    """The refusal that a fault of the database is; None where it is one of ours."""
    fault = fault_of(error)
    if fault is None:
        return None
    if _reported.is_new(fault):
        log.error("%s: %s", fault.value, str(error.orig).strip() or type(error.orig).__name__)
    return refusal_of(fault)


def refusal_of(fault: Fault) -> Refused:
    return Busy(WORDS[fault]) if fault in (Fault.BUSY, Fault.AWAY) else Unwritable(WORDS[fault])


def fault_of(error: DBAPIError) -> Fault | None:
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return next((fault for begins, fault in _SQLITE if name.startswith(begins)), None)
    code = getattr(error.orig, "sqlstate", None)
    if code is None:  # PostgreSQL's library has no code for a server that isn't there
        return Fault.AWAY if error.connection_invalidated or "connection" in str(error.orig) else None
    return next((fault for begins, fault in _POSTGRESQL if code.startswith(begins)), None)
