"""A real SMTP server in the process, with AUTH and STARTTLS or TLS, that can be told to misbehave."""

import email
import email.policy
import os
import random
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from rules.transports.reach import read_reach

USER, WORD = "potok@melnikov.example", "app-password"


LOOPBACK = read_reach("127.0.0.0/8 ::1/128")  # where all servers of tests are


@dataclass
class Certificates:
    """A CA of our own and a server certificate for 127.0.0.1."""

    ca_file: str
    context: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    ca = trustme.CA()
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return Certificates(str(path), context)


@dataclass
class Handler:
    """Keeps what arrives. refuse: address → answer at RCPT; data_answer: what DATA is answered with instead of 250.

    letters: as they came, byte for byte. senders: of the envelopes. options: of each MAIL FROM.
    """

    mail: list[EmailMessage] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_answer: str = ""
    on_data: Callable[[], None] | None = None
    drop_after_data: int = 0

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.on_data:
            self.on_data()
        if self.data_answer:
            return self.data_answer
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mail.append(email.message_from_bytes(content, policy=email.policy.default))
        self.messages.append(content)
        self.senders.append(envelope.mail_from)
        self.options.append(envelope.mail_options)
        self.recipients.extend(envelope.rcpt_tos)
        if self.drop_after_data:
            self.drop_after_data -= 1
            cast(Any, server.transport).abort()
        return "250 Accepted"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), WORD.encode())
    return AuthResult(success=right, handled=False)


class MailServer:
    """`with MailServer(certificates) as server:` listens on 127.0.0.1:server.port until the end."""

    def __init__(self, certificates: Certificates, *, security: str = "starttls", port: int = 0, smtputf8: bool = True) -> None:
        self.handler = Handler()
        common: dict[str, Any] = {
            "auth_required": True,
            "authenticator": authenticate,
            "auth_require_tls": security != "none",
            "decode_data": False,
            "enable_SMTPUTF8": smtputf8,
        }
        if security == "starttls":
            common |= {"tls_context": certificates.context, "require_starttls": True}
        else:
            common["ssl_context"] = certificates.context if security == "tls" else None
            common["auth_require_tls"] = False
        self._controller = Controller(self.handler, hostname="127.0.0.1", port=port or free_port(), ready_timeout=10, **common)

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def mail(self) -> list[EmailMessage]:
        return self.handler.mail

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class DrippingServer:
    """Greets one byte a second, for ever: no single read times out."""

    def __init__(self, every_s: float = 0.2) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._every_s = every_s
        self._running = True

    def __enter__(self) -> "DrippingServer":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self) -> None:
        while self._running:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            while self._running:
                try:
                    connection.sendall(b"2")
                except OSError:
                    return
                time.sleep(self._every_s)

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._socket.close()


# Above those that browsers refuse (the last is 10080), below those that a system gives to whoever asks for any.
_FIRST_PORT, _PORTS_OF_A_WORKER = 10_100, 2_000
_lately: deque[int] = deque(maxlen=100)


def free_port() -> int:
    """Nobody listens on it, nor gets it by asking the system for any before it is used. Each worker of pytest has ports of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    while True:
        port = _FIRST_PORT + worker * _PORTS_OF_A_WORKER + random.SystemRandom().randrange(_PORTS_OF_A_WORKER)
        if port in _lately:
            continue
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _lately.append(port)
            return port
