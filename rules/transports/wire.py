"""Connections that can be cut: names resolved, certificates verified, and a deadline over the whole of a talk.

A library's timeout counts each read; a server that drips a byte at a time outlives it, so a watchdog cuts the socket when
the whole time is over.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator

from rules.accounts import Account
from rules.names import addresses


class Wire:
    """A second handle of a connection, so that it can be cut even in the middle of a TLS handshake: TLS takes the first
    one for itself."""

    def __init__(self) -> None:
        self._handle: socket.socket | None = None

    def open(self, host: str, port: int, timeout_s: float, name_servers: str = "") -> socket.socket:
        """A connected socket. Raises OSError."""
        error: OSError | None = None
        for address in addresses(host, name_servers):
            try:
                bare = socket.create_connection((address, port), timeout_s)
            except OSError as refused:
                error = refused
                continue
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
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            end = time.monotonic() + 2
            while time.monotonic() < end and not self.is_open:
                time.sleep(0.01)
            self.cut()

        watchdog = threading.Timer(seconds, expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except Exception as error:
            if expired.is_set():
                raise TimeoutError(f"no answer within {seconds:g} s") from error
            raise
        finally:
            watchdog.cancel()


def tls_context(account: Account) -> ssl.SSLContext:
    """Certificates are verified, by the system's authorities and those of one's own."""
    context = ssl.create_default_context()
    if account.ca_file:
        context.load_verify_locations(cafile=account.ca_file)
    if account.ca_pem:
        context.load_verify_locations(cadata=account.ca_pem)
    return context
