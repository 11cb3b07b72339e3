"""Processes wake one another after a commit, instead of asking the database again and again.

PostgreSQL: NOTIFY, which leaves with the commit, to any machine. SQLite: a datagram to each process that listens in the instance
folder. A wake-up may be lost, and is never early: whoever waits also looks by itself now and then.
"""

import logging
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

if TYPE_CHECKING:  # on SQLite it would lie in memory for nothing
    import psycopg

log = logging.getLogger("potok")

AGAIN_S = 15.0  # after a connection to listen by was lost
_PATIENCE = {"connect_timeout": 2, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
LONGEST_PATH = 100  # bytes of a socket's address (unix(7): 108)
_WAKES = "wakes"  # in a session's info: whom its transaction wakes
_folder: list[Path | None] = [None]


class Topic(StrEnum):
    """feed: live changes, for the web. outbox: what is due, for the worker."""

    FEED = "feed"
    OUTBOX = "outbox"


class Listener(Protocol):
    """Of one topic. One thread waits at a time."""

    def wait(self, seconds: float) -> None:
        """Returns when it is woken, otherwise after so many seconds."""

    def end(self) -> None:
        """Whoever waits returns soon, and so does every later wait. May be called by a signal."""

    def close(self) -> None:
        """By who waited, at the end."""


def set_folder(instance: Path) -> None:
    """Where the processes of an installation on SQLite find one another."""
    _folder[0] = instance / "wakeups"


def listen(engine: Engine, topic: Topic) -> Listener:
    """Never raises: where nothing can wake it, it waits by the clock."""
    if engine.dialect.name == "postgresql":
        return _ByNotify(engine, topic)
    if _folder[0] is not None and hasattr(socket, "AF_UNIX"):
        try:
            return _ByDatagram(_folder[0], topic)
        except OSError as error:  # a file system without sockets, say
            log.warning("no wake-ups in %s: %s", _folder[0], error)
    return _ByClock()


def wake(session: Session, topic: Topic) -> None:
    """Whoever listens to the topic is woken once the transaction commits."""
    session.info.setdefault(_WAKES, set()).add(topic)


def before_commit(session: Session) -> None:
    """On PostgreSQL a wake-up is a part of the transaction."""
    if _WAKES in session.info and session.get_bind().dialect.name == "postgresql":
        for topic in session.info.pop(_WAKES):
            session.connection().execute(text("SELECT pg_notify(:channel, '')"), {"channel": _channel(topic)})


def after_commit(session: Session) -> None:
    for topic in session.info.pop(_WAKES, ()):
        if _folder[0] is not None:
            _send(_folder[0], topic)


def after_rollback(session: Session) -> None:
    session.info.pop(_WAKES, None)


class _ByClock:
    """Where nothing can wake it."""

    def __init__(self) -> None:
        self._is_over = threading.Event()

    def wait(self, seconds: float) -> None:
        self._is_over.wait(seconds)

    def end(self) -> None:
        self._is_over.set()

    def close(self) -> None:
        self.end()


class _ByDatagram:
    """A socket of its own in the folder; who has gone leaves a name that the next sender removes."""

    def __init__(self, folder: Path, topic: Topic) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{topic}-{secrets.token_hex(8)}"  # one that was killed has left its name
        self._folder = folder
        self._is_over = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _at(folder, self._name, self._socket.bind)
        except OSError:
            self._socket.close()
            raise

    def wait(self, seconds: float) -> None:
        if self._is_over:
            return
        self._socket.settimeout(seconds)
        with suppress(TimeoutError):
            self._socket.recv(1)
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:  # several at once are one
                self._socket.recv(1)

    def end(self) -> None:
        self._is_over = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            _at(self._folder, self._name, lambda address: sender.sendto(b"!", address))

    def close(self) -> None:
        self._is_over = True
        self._socket.close()
        with suppress(OSError):
            (self._folder / self._name).unlink()


class _ByNotify:
    """A connection of its own, which LISTENs. While there is none it waits by the clock."""

    def __init__(self, engine: Engine, topic: Topic) -> None:
        self._engine, self._topic = engine, topic
        self._is_over = False
        self._ended, self._ending = socket.socketpair()  # a wait ends by what is written into it
        self._connection: psycopg.Connection | None = None
        self._failed_at = -AGAIN_S

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._is_over and (left := end - time.monotonic()) > 0:
            is_new = self._connection is None
            connection = self._open()
            if connection is not None and is_new:
                return  # what was committed before it LISTENed has to be looked for
            if connection is None:
                select.select([self._ended], [], [], min(left, AGAIN_S))
            elif self._is_woken(connection, left):
                return

    def end(self) -> None:
        self._is_over = True
        with suppress(OSError):
            self._ending.send(b"!")

    def close(self) -> None:
        self._is_over = True
        self._close()
        self._ending.close()
        self._ended.close()

    def _is_woken(self, connection: "psycopg.Connection", seconds: float) -> bool:
        import psycopg  # noqa: PLC0415, as above

        try:
            heard = connection.fileno()
            ready = select.select([heard, self._ended.fileno()], [], [], seconds)[0]
            return heard in ready and next(iter(connection.notifies(timeout=0, stop_after=1)), None) is not None
        except (psycopg.Error, OSError, ValueError) as error:
            self._fail(error)
            return False

    def _open(self) -> "psycopg.Connection | None":
        import psycopg  # noqa: PLC0415, as above

        if self._connection is None and time.monotonic() - self._failed_at >= AGAIN_S:
            try:
                arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
                options = {name: value for name, value in options.items() if name != "context"}
                self._connection = psycopg.connect(*arguments, **options | _PATIENCE, autocommit=True)
                self._connection.execute(f"LISTEN {_channel(self._topic)}")
            except (psycopg.Error, OSError) as error:
                self._fail(error)
        return self._connection

    def _fail(self, error: Exception) -> None:
        """Until the next try it waits by the clock."""
        log.warning("no wake-ups of %s for now: %s", self._topic, error)
        self._failed_at = time.monotonic()
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _channel(topic: Topic) -> str:
    return f"potok_{topic}"


def _send(folder: Path, topic: Topic) -> None:
    """To all who listen. One whose queue is full has been woken already. Never raises: the commit stands."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for name in [path.name for path in folder.iterdir() if path.name.startswith(topic)]:
            try:
                _at(folder, name, lambda address: sender.sendto(b"!", address))
            except ConnectionRefusedError:
                with suppress(OSError):
                    (folder / name).unlink()
            except OSError:
                continue


def _at(folder: Path, name: str, work: Callable[[str], object]) -> None:
    """Calls work with an address of the socket that is short enough, however deep the folder lies."""
    path = str(folder / name)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        work(path)
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        work(f"/proc/self/fd/{number}/{name}")
    finally:
        os.close(number)
