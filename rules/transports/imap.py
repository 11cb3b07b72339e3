"""IMAP, by IMAPClient over our own wire: a message looked for, and a copy laid into the folder of sent messages."""

import contextlib
import imaplib
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError
from imapclient.imapclient import JUNK, SENT

from rules.transports import words
from rules.transports.account import Account, Sealed
from rules.transports.wire import MOST_ANSWER, Wire, tls_context

ERRORS = (imaplib.IMAP4.error, OSError, UnicodeError, ValueError)
LOOK_EACH_S = 0.5
LOGOUT_S = 5.0


class _Plain(imaplib.IMAP4):
    _left = MOST_ANSWER  # bytes that an answer may still have

    def __init__(self, account: Account, wire: Wire) -> None:
        self._account, self._wire = account, wire
        super().__init__(account.receive_host, account.receive_port, account.timeout_s)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        there = self._account
        return self._wire.open(there.receive_host, there.receive_port, timeout or 20, there.name_servers, there.reach)

    def send(self, data: Any) -> None:
        self._left = MOST_ANSWER
        super().send(data)

    def read(self, size: int) -> bytes:
        self._take(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._take(len(line))
        return line

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort(f"an answer of more than {MOST_ANSWER} bytes")


class _Tls(_Plain):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return tls_context(self._account).wrap_socket(super()._create_socket(timeout), server_hostname=self._account.receive_host)


class _Client(IMAPClient):  # type: ignore[misc]
    def __init__(self, account: Account, wire: Wire) -> None:
        self._account, self._wire = account, wire
        super().__init__(
            account.receive_host,
            account.receive_port,
            ssl=account.receive_security == "tls",
            timeout=SocketTimeout(account.timeout_s, account.timeout_s),
        )

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - IMAPClient's name
        return (_Tls if self._account.receive_security == "tls" else _Plain)(self._account, self._wire)


@contextlib.contextmanager
def _sense() -> Iterator[None]:
    """What the libraries fail at in an answer that is no IMAP becomes one of ERRORS."""
    try:
        yield
    except ERRORS:
        raise
    except Exception as error:
        raise imaplib.IMAP4.error(f"an answer that is no IMAP: {type(error).__name__}") from error


@contextlib.contextmanager
def reached(account: Account, deadline_s: float) -> Iterator[IMAPClient]:
    """Connected, with a good certificate, and cut when the time is over. Raises ERRORS."""
    wire = Wire()
    try:
        with wire.deadline(deadline_s), _sense():
            client = _connect(account, wire)
            try:
                yield client
                with contextlib.suppress(Exception):
                    client.logout()
            finally:
                _close(client)
    finally:
        wire.cut()
        wire.let_go()


def _connect(account: Account, wire: Wire) -> IMAPClient:
    client = _Client(account, wire)
    try:
        if account.receive_security == "starttls":
            client.starttls(tls_context(account))
    except BaseException:
        _close(client)
        raise
    return client


def _close(client: IMAPClient) -> None:
    with contextlib.suppress(Exception):
        client.shutdown()


def sign_in(client: IMAPClient, account: Account) -> None:
    """By password, or by a token. Raises LoginError where it's refused."""
    username = account.receive_username or account.username or account.address
    if account.is_sealed:
        raise Sealed
    if account.oauth:
        client.oauth2_login(username, account.token)
        return
    if not (username + account.password).isascii():
        raise LoginError("letters outside ASCII in the user name or password")
    client.login(username, account.password)


def look_for(client: IMAPClient, message_id: str, within_s: float) -> str:
    """The folder where a message lies: the inbox, or that of spam. "" where it didn't come in time."""
    junk = client.find_special_folder(JUNK)
    end = time.monotonic() + within_s
    while True:
        for folder in ("INBOX", junk):
            if folder:
                client.select_folder(folder, readonly=True)
                if client.search(["HEADER", "Message-ID", message_id]):
                    return str(folder)
        if time.monotonic() >= end:
            return ""
        time.sleep(LOOK_EACH_S)


class SentFolder:
    """The folder of sent messages, over one connection: the one named, else the one the server marks so, else «Sent»."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._wire = Wire()
        self._client: IMAPClient | None = None
        self._name = account.sent_folder

    def keep(self, message: bytes, at: datetime, deadline_s: float) -> None:
        """Lays a message there, as read. Raises ERRORS."""
        with self._wire.deadline(deadline_s), _sense():
            if self._client is None:
                self._client = self._open()
            self._client.append(self._name, message, [b"\\Seen"], at)

    def _open(self) -> IMAPClient:
        client = _connect(self._account, self._wire)
        try:
            sign_in(client, self._account)
            self._name = str(self._name or client.find_special_folder(SENT) or "Sent")
            if not client.folder_exists(self._name):
                client.create_folder(self._name)
        except BaseException:
            _close(client)
            raise
        return client

    def close(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception), self._wire.deadline(LOGOUT_S):
                self._client.logout()
            _close(self._client)
        self._wire.cut()
        self._wire.let_go()


def words_of(error: BaseException) -> str:
    """The server's own words. IMAPClient keeps those of a refused sign-in as Python writes bytes."""
    if isinstance(error, LoginError) and error.__context__ is not None:
        error = error.__context__
    found: Any = error.args[0] if error.args else ""
    return words(found if isinstance(found, bytes) else str(found)) or type(error).__name__
