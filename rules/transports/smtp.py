"""SMTP, by flask-mail's settings and Connection with our own host: verified certificates, a time limit that is one. One connection,
many messages, which are composed by rules.transports.compose."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from flask_mail import Connection, Mail

from rules.transports import Answer, RenderedMessage
from rules.transports.account import Account, Sealed
from rules.transports.answers import judge
from rules.transports.compose import Composed, Unsendable, compose
from rules.transports.reach import NOWHERE_INSIDE
from rules.transports.wire import Bounded, Wire, tls_context


class _Staged:
    """Knows how far a message got, and keeps the server's last word."""

    wire: Wire
    name_servers = ""
    reach = NOWHERE_INSIDE
    stage = "connect"
    wanted = ""  # the recipient that matters; a copy to oneself may be refused
    said = ""

    def getreply(self) -> tuple[int, bytes]:
        smtp: Any = self
        if smtp.file is None:
            smtp.file = Bounded(smtp.sock.makefile("rb"))
        smtp.file.renew()
        return super().getreply()  # type: ignore[misc, no-any-return]

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        self.stage = "mail"
        return super().mail(sender, options)  # type: ignore[misc, no-any-return]

    def rcpt(self, recipient: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        self.stage = "rcpt"
        code, said = super().rcpt(recipient, options)  # type: ignore[misc]
        if code not in (250, 251) and recipient == self.wanted:
            self._rset()  # type: ignore[attr-defined]
            raise smtplib.SMTPRecipientsRefused({recipient: (code, said)})
        return code, said

    def data(self, text: Any) -> tuple[int, bytes]:
        self.stage = "data"
        code, said = super().data(text)  # type: ignore[misc]
        self.said = f"{code} {said.decode('utf-8', 'replace')}"
        return code, said

    def send(self, text: Any) -> None:
        super().send(text)  # type: ignore[misc]
        if self.stage == "data" and bytes(text[-5:] if isinstance(text, bytes) else b"") == b"\r\n.\r\n":
            self.stage = "text"  # it is all out: from now on the server may have taken it


class _Plain(_Staged, smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.wire.open(host, port, timeout, self.name_servers, self.reach)


class _Tls(_Staged, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(self.wire.open(host, port, timeout, self.name_servers, self.reach), server_hostname=host)


class _Connection(Connection):
    """flask-mail's connection with our host; it neither logs in by the app's account nor skips verification."""

    def __init__(self, mail: Any, account: Account, wire: Wire) -> None:
        super().__init__(mail)
        self._account, self._wire = account, wire

    def configure_host(self) -> "_Plain | _Tls":
        account = self._account
        context = tls_context(account)
        host: Any = _Tls(timeout=account.timeout_s, context=context) if account.security == "tls" else _Plain(timeout=account.timeout_s)
        host.wire, host.name_servers, host.reach = self._wire, account.name_servers, account.reach
        try:
            self._begin(host, context)
        except BaseException:
            host.close()
            raise
        return host  # type: ignore[no-any-return]

    def _begin(self, host: Any, context: ssl.SSLContext) -> None:
        account = self._account
        host._host = account.host  # what the certificate is verified against
        code, said = host.connect(account.host, account.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        host._host = account.host
        if account.security == "starttls":
            host.starttls(context=context)
        sign_in(host, account)


def sign_in(host: smtplib.SMTP, account: Account) -> None:
    """By password, or by a token (XOAUTH2). Raises smtplib.SMTPException."""
    if account.is_sealed:
        raise Sealed
    if account.oauth:
        said = f"user={account.username or account.address}\x01auth=Bearer {account.token}\x01\x01"
        host.ehlo_or_helo_if_needed()
        host.auth("XOAUTH2", lambda challenge=None: said if challenge is None else "")
    elif account.username:
        host.login(account.username, account.password)


class Smtp:
    """A transport over one account. Use as a context."""

    def __init__(self, account: Account, deadline_s: float) -> None:
        self._account = account
        self._deadline_s = deadline_s
        self._connection: _Connection | None = None
        self._wire = Wire()
        self.sent = b""  # the last message that went, as it went

    def __enter__(self) -> "Smtp":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def send(self, message: RenderedMessage) -> Answer:
        """Hands one message over. Once the server has said 250 it is sent, whatever comes after.

        What fails before the server listens (connection, TLS, sign-in) is the account's fault.
        """
        host: Any = None
        try:
            with self._wire.deadline(self._deadline_s):
                connection = self._connected()
                host = connection.host
                host.stage, host.wanted, host.said = "mail", "", ""
                host.ehlo_or_helo_if_needed()
                composed = compose(message, self._account, smtputf8=host.has_extn("smtputf8"))
                self._transmit(host, composed, has_copy=not message.is_private)
                self.sent = composed.content
                return Answer("sent", host.said)
        except Exception as error:
            answer = judge(error, host.stage if host is not None else "connect")
            refused = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPRecipientsRefused | Unsendable)
            if not refused or answer.text.startswith("421"):
                self._drop()
            return answer

    def _transmit(self, host: Any, email: Composed, *, has_copy: bool) -> None:
        host.wanted = email.recipient
        recipients = [email.recipient]
        if has_copy and self._account.copy_to_self and self._account.per_letter != 1 and email.sender != email.recipient:
            recipients.append(email.sender)
        host.sendmail(email.sender, recipients, email.content, email.options)

    def sign_in(self) -> None:
        """Connects and signs in, no more. Raises what stands against it."""
        with self._wire.deadline(self._deadline_s):
            self._connected()

    def close(self) -> None:
        """Says goodbye; what the server makes of it changes nothing."""
        if self._connection is not None and self._connection.host is not None:
            with contextlib.suppress(Exception), self._wire.deadline(self._deadline_s):
                self._connection.host.quit()
        self._drop()

    def _connected(self) -> _Connection:
        if self._connection is None:
            mail = Mail().init_mail(_settings(self._account), debug=False, testing=False)
            connection = _Connection(mail, self._account, self._wire)
            connection.__enter__()
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        with contextlib.suppress(Exception):
            if self._connection is not None and self._connection.host is not None:
                self._connection.host.close()
        self._wire.let_go()
        self._connection = None


def _settings(account: Account) -> dict[str, object]:
    return {
        "MAIL_SERVER": account.host,
        "MAIL_PORT": account.port,
        "MAIL_DEFAULT_SENDER": account.address,
        "MAIL_SUPPRESS_SEND": False,
        "MAIL_MAX_EMAILS": None,
        "MAIL_DEBUG": 0,
    }
