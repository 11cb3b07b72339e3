"""SMTP, by flask-mail's Message and Connection with our own host: verified certificates, a time limit that is one.

One connection, many letters. smtplib's timeout counts each read; a server that drips a byte at a time outlives it, so a
watchdog cuts the socket when a letter's whole time is over.
"""

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.charset import BASE64, Charset
from email.utils import formataddr
from types import TracebackType
from typing import Any

from flask_mail import BadHeaderError, Connection, Mail, Message

from rules.accounts import Account
from rules.transports import Answer, Letter

TOO_LARGE = 552

# flask-mail would send UTF-8 bodies bare, with lines longer than SMTP allows (RFC 5321, 4.5.3.1.6).
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = _UTF8.body_encoding = BASE64


class _Socketed:
    """Keeps a second handle of the connection, so that it can be cut even in the middle of a TLS handshake: TLS takes the
    first one for itself."""

    handle: socket.socket | None = None

    def _open(self, host: str, port: int, timeout: float) -> socket.socket:
        bare = socket.create_connection((host, port), timeout)
        self.handle = bare.dup()
        return bare

    def cut(self) -> None:
        if self.handle is not None:
            with contextlib.suppress(OSError):
                self.handle.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        if self.handle is not None:
            self.handle.close()


class _Plain(_Socketed, smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._open(host, port, timeout)


class _Tls(_Socketed, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(self._open(host, port, timeout), server_hostname=host)


class _Connection(Connection):
    """flask-mail's connection with our host; it neither logs in by the app's account nor skips verification."""

    def __init__(self, mail: Any, account: Account, on_open: Any) -> None:
        super().__init__(mail)
        self._account = account
        self._on_open = on_open

    def configure_host(self) -> smtplib.SMTP:
        account = self._account
        context = ssl.create_default_context(cafile=account.ca_file or None)
        host: _Plain | _Tls
        if account.security == "tls":
            host = _Tls(timeout=account.timeout_s, context=context)
            host._host = account.host  # type: ignore[attr-defined]
        else:
            host = _Plain(timeout=account.timeout_s)
        self._on_open(host)
        code, said = host.connect(account.host, account.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        host._host = account.host  # type: ignore[union-attr]  # what starttls verifies the certificate against
        if account.security == "starttls":
            host.starttls(context=context)
        if account.username:
            host.login(account.username, account.password)
        return host


class Smtp:
    """A transport over one account. Use as a context; send() never raises for what a server or network does."""

    def __init__(self, account: Account, deadline_s: float) -> None:
        self._account = account
        self._deadline_s = deadline_s
        self._connection: _Connection | None = None
        self._host: _Plain | _Tls | None = None

    def __enter__(self) -> "Smtp":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def send(self, letter: Letter) -> Answer:
        """Hands one letter over. Once the server has said 250 it is sent, whatever comes after.

        What fails before the server listens (connection, TLS, sign-in) is the account's fault; what fails after is this
        letter's, and the next one gets a connection of its own.
        """
        by_account = True
        try:
            with self._deadline() as cut:
                try:
                    connection = self._connected()
                    by_account = False
                    connection.send(_compose(letter, self._account))
                    return Answer("sent", "250")
                except Exception:
                    if cut.is_set():
                        raise TimeoutError(f"no answer within {self._deadline_s:g} s") from None
                    raise
        except Exception as error:
            answer = Answer("retry", words_of(error), by_account=True) if by_account else judge(error)
            if by_account or not isinstance(error, smtplib.SMTPDataError | smtplib.SMTPRecipientsRefused) or answer.text.startswith("421"):
                self._drop()
            return answer

    def close(self) -> None:
        """Says goodbye; what the server makes of it changes nothing."""
        with contextlib.suppress(Exception), self._deadline():
            if self._connection is not None and self._connection.host is not None:
                self._connection.host.quit()
        self._drop()

    def _connected(self) -> _Connection:
        if self._connection is None:
            mail = Mail().init_mail(_settings(self._account), debug=False, testing=False)
            connection = _Connection(mail, self._account, self._opened)
            connection.__enter__()
            self._connection = connection
        return self._connection

    def _opened(self, host: "_Plain | _Tls") -> None:
        self._host = host

    def _drop(self) -> None:
        with contextlib.suppress(Exception):
            if self._host is not None:
                self._host.close()
                self._host.let_go()
        self._connection = self._host = None

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[threading.Event]:
        cut = threading.Event()

        def expire() -> None:
            cut.set()
            end = time.monotonic() + 2
            while time.monotonic() < end and (self._host is None or self._host.handle is None):
                time.sleep(0.01)
            if self._host is not None:
                self._host.cut()

        watchdog = threading.Timer(self._deadline_s, expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield cut
        finally:
            watchdog.cancel()


def _settings(account: Account) -> dict[str, Any]:
    return {
        "MAIL_SERVER": account.host, "MAIL_PORT": account.port, "MAIL_DEFAULT_SENDER": account.address,
        "MAIL_SUPPRESS_SEND": False, "MAIL_MAX_EMAILS": None, "MAIL_DEBUG": 0,
    }  # fmt: skip


def _compose(letter: Letter, account: Account) -> Message:
    """Headers from fields that hold no line breaks: flask-mail refuses the letter otherwise (BadHeaderError)."""
    message = Message(
        subject=letter.subject,
        recipients=[_named(letter.name, letter.address)],
        body=letter.text,
        html=letter.html,
        charset=_UTF8,  # type: ignore[arg-type]
        sender=_named(account.sender_name, account.address),
        extra_headers={"Auto-Submitted": "auto-generated"} | ({"X-Potok-Event": str(letter.event_id)} if letter.event_id else {}),
    )
    message.msgId = letter.message_id
    return message


def _named(name: str, address: str) -> str:
    """A name is a name, whatever signs it holds: quoted, so that it never reads as another address or an encoded word."""
    name = " ".join(name.split()).replace("=?", "= ?")
    return formataddr((name, address)) if name else address


def judge(error: Exception) -> Answer:
    """What an exception in the middle of a letter means for it. 5xx is final; all else passes (RFC 5321, 4.2.1).

    A refused sender is mostly a matter of the account, so it passes too; but 552 means this letter is too large.
    """
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Answer("failed" if error.smtp_code == TOO_LARGE else "retry", words_of(error))
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        text = words_of(error)
        return Answer("failed" if text.startswith("5") else "retry", text)
    if isinstance(error, BadHeaderError | ValueError) and not isinstance(error, OSError):  # a bad certificate is both
        return Answer("failed", f"{type(error).__name__}: {error}")
    return Answer("retry", words_of(error))


def words_of(error: Exception) -> str:
    """The server's own words where there are any."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"{code} {_decoded(said)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).strip()[:1000]
