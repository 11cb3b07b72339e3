"""Connections that can be cut: names resolved, certificates verified, and a deadline over the whole of a talk.

A library's timeout counts each read; a server that drips a byte at a time outlives it, so a watchdog cuts the socket when
the whole time is over. What is read is bounded too: libraries collect an answer of any length.
"""

import contextlib
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from kanban import clock
from rules.transports.account import Account
from rules.transports.dns import addresses
from rules.transports.reach import NOWHERE_INSIDE, Reach

MOST_ANSWER = 1_000_000
MOST_TRIED = 8  # addresses of one name


class Wire:
    """A second handle of a connection, so that it can be cut even in the middle of a TLS handshake: TLS takes the first
    one for itself."""

    def __init__(self) -> None:
        self._handle: socket.socket | None = None
        self._ends_at = math.inf

    def open(self, host: str, port: int, timeout_s: float, name_servers: str = "", reach: Reach = NOWHERE_INSIDE) -> socket.socket:
        """A connected socket, before the deadline is over: a name may have many addresses that don't answer. Each is judged as it is
        connected to, so a name that leads elsewhere by then leads nowhere. Raises OSError."""
        error: OSError | None = None
        for address in _spread(addresses(host, name_servers), port):
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise error or TimeoutError("timed out")
            try:
                reach.require(host, address)
                bare = socket.create_connection((address, port), min(timeout_s, left))
            except OSError as refused:
                error = refused
                continue
            bare.settimeout(timeout_s)
            self.let_go()
            self._handle = bare.dup()
            return bare
        raise error or OSError(f"no address for {host}")

    @property
    def is_open(self) -> bool:
        return self._handle is not None

    def cut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cuts the connection when the time is over; whatever that breaks becomes a TimeoutError."""
        expired, over = threading.Event(), threading.Event()

        def expire() -> None:
            end = time.monotonic() + 2
            while time.monotonic() < end and not self.is_open and not over.is_set():
                time.sleep(0.01)
            if not over.is_set():
                self.cut()

        def begin_to_expire() -> None:
            expired.set()
            threading.Thread(target=expire, daemon=True).start()

        watched = _watch.add(seconds, begin_to_expire)
        self._ends_at = time.monotonic() + seconds
        try:
            yield
        except Exception as error:
            if expired.is_set():
                raise TimeoutError(f"no answer within {seconds:g} s") from error
            raise
        finally:
            self._ends_at = math.inf
            over.set()
            _watch.remove(watched)


def _spread(hosts: list[str], port: int) -> list[str]:
    """Each address of names that the system resolves, so that the time of each connection can be bounded. Raises OSError."""
    try:
        found = [str(info[4][0]) for host in hosts for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise OSError("Name or service not known: a part of the name is empty or too long") from None
    return list(dict.fromkeys(found))[:MOST_TRIED]


class Bounded:
    """A file of a connection that gives `most` bytes and no more, until `renew` is called. Raises OSError then."""

    def __init__(self, file: Any, most: int = MOST_ANSWER) -> None:
        self._file, self._most, self._left = file, most, most

    def renew(self) -> None:
        self._left = self._most

    def readline(self, size: int) -> bytes:
        return self._counted(self._file.readline(size))

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise OSError(f"an answer of more than {self._most} bytes")
        return self._counted(self._file.read(size))

    def flush(self) -> None:
        """Of what is read there is nothing to flush."""

    def close(self) -> None:
        self._file.close()

    def _counted(self, got: bytes) -> bytes:
        self._left -= len(got)
        if self._left < 0:
            raise OSError(f"an answer of more than {self._most} bytes")
        return got


class _Watch:
    """One thread for all deadlines of the process: a thread for each message would cost a fifth of sending it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waits: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = 0.0  # 0: the thread has not been started

    def add(self, seconds: float, action: Callable[[], None]) -> object:
        """Calls `action`, which must be quick, after this time, unless what is returned is removed before."""
        key, at = object(), time.monotonic() + seconds
        with self._changed:
            self._waits[key] = (at, action)
            if not self._wakes_at:
                self._wakes_at = at
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif at < self._wakes_at:
                self._changed.notify()
        return key

    def remove(self, key: object) -> None:
        """The thread sleeps on: it finds nothing to do when it wakes."""
        with self._changed:
            self._waits.pop(key, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._wakes_at = min((at for at, _ in self._waits.values()), default=math.inf)
                self._changed.wait(min(self._wakes_at - time.monotonic(), threading.TIMEOUT_MAX))
                now = time.monotonic()
                due = [key for key, (at, _) in self._waits.items() if at <= now]
                actions = [self._waits.pop(key)[1] for key in due]
            for action in actions:
                action()


_watch = _Watch()


def tls_context(account: Account) -> ssl.SSLContext:
    """Certificates are verified, by the system's authorities and those of one's own."""
    return trusting(account.ca_file, account.ca_pem)


def trusting(ca_file: str, ca_pem: str = "") -> ssl.SSLContext:
    """Shared by all connections, since reading the authorities takes longer than a message; read anew each day, and as the file
    changes."""
    if _read_on[0] != clock.today():
        _read_on[0] = clock.today()
        _trusting.cache_clear()
    return _trusting(ca_file, Path(ca_file).stat().st_mtime_ns if ca_file else 0, ca_pem)


_read_on = [date.min]


@lru_cache(maxsize=16)
def _trusting(ca_file: str, _written_at: int, ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    return context
