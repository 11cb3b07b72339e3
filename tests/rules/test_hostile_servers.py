"""Mail servers that mean ill or talk nonsense: every answer ends in a sentence, within its time and its size."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kanban import clock
from kanban.config import Config
from kanban.db import db
from rules.mail.check import find_in_mailbox, sign_in
from rules.mail.discovery import _described, _fetch
from rules.models import Delivery, MailAccount
from rules.post.in_flight import InFlightQueue
from rules.post.sender_pool import SenderPool
from rules.transports import Answer, RenderedMessage, imap
from rules.transports.account import Account
from rules.transports.copies import KeepsCopies
from rules.transports.smtp import Smtp
from rules.transports.wire import Wire
from tests.cast import Cast
from tests.fakegateways import LONG_S
from tests.fakenet import FakeDns
from tests.mailserver import LOOPBACK, Certificates, DrippingServer
from tests.rules.test_worker import drain, smtp, use

CAPABILITY = b"* CAPABILITY IMAP4rev1 SPECIAL-USE\r\n"


class ScriptedServer:
    """Greets, and answers each command by its first word; `TAG` in an answer stands for the tag of IMAP. A line of `text` ends
    a letter of SMTP. An answer that ends in `for ever` is repeated until the other side has enough."""

    def __init__(self, greeting: bytes, answers: dict[bytes, bytes], other: bytes) -> None:
        self._greeting, self._answers, self._other = greeting, answers, other
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.given = 0
        self.heard: list[bytes] = []

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            self._say(connection, self._greeting)
            is_text = False
            while line := lines.readline():
                self.heard.append(line.strip())
                if is_text and line != b".\r\n":
                    continue
                said = [b"", *line.split(), b""]
                answer = self._answers.get(b"." if is_text else said[1].upper(), self._answers.get(said[2].upper(), self._other))
                is_text = not is_text and answer.startswith(b"354")
                self._say(connection, answer.replace(b"TAG", said[1]))

    def _say(self, connection: socket.socket, answer: bytes) -> None:
        while True:
            connection.sendall(answer.removesuffix(b"for ever"))
            self.given += len(answer)
            if not answer.endswith(b"for ever"):
                return


def imap_server(greeting: bytes = b"* OK hello\r\n", **answers: bytes) -> ScriptedServer:
    known = {b"CAPABILITY": CAPABILITY + b"TAG OK done\r\n"} | {word.encode(): said for word, said in answers.items()}
    return ScriptedServer(greeting, known, b"TAG OK done\r\n")


def smtp_server(greeting: bytes = b"220 hello\r\n", **answers: bytes) -> ScriptedServer:
    known = {b"EHLO": b"250 hello\r\n", b"DATA": b"354 go on\r\n"} | {word.encode(): said for word, said in answers.items()}
    return ScriptedServer(greeting, known, b"250 OK\r\n")


def account(port: int, **changed: Any) -> Account:
    there = Account(
        "a@melnikov.example",
        "",
        "127.0.0.1",
        port,
        "none",
        "",
        "",
        timeout_s=2,
        receive_host="127.0.0.1",
        receive_port=port,
        receive_security="none",
        receive_username="a",
        reach=LOOPBACK,
    )
    return replace(there, **changed)


NONSENSE = {
    "NUL and HTML": {"LOGIN": b"TAG NO \0\xff<script>\r\n"},
    "a list in a list in a list": {"LIST": b"* LIST " + b"(" * 20_000 + b"\r\nTAG OK done\r\n"},
    "flags that are a number": {"LIST": b'* LIST 5 "/" 7\r\nTAG OK done\r\n'},
    "a name that is a list": {"LIST": b'* LIST (\\Junk) "/" (a b)\r\nTAG OK done\r\n'},
    "a name in no encoding": {"LIST": b'* LIST (\\Junk) "/" "&zzzz=-"\r\nTAG OK done\r\n'},
    "too few words": {"LIST": b"* LIST (\\Junk)\r\nTAG OK done\r\n"},
    "a number that is none": {
        "EXAMINE": b"* OK [UIDVALIDITY x]\r\nTAG OK done\r\n",
        "UID": b"* SEARCH " + b"9" * 5000 + b"\r\nTAG OK done\r\n",
    },
    "capabilities for ever": {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nfor ever"},
    "a literal of gigabytes": {"LIST": b"* LIST {9999999999}\r\n" + b"x" * 1000 + b"for ever"},
}


@pytest.mark.one_database
@pytest.mark.parametrize("answers", NONSENSE.values(), ids=NONSENSE)
def test_imap_that_is_none_ends_in_a_sentence(app: Flask, answers: dict[str, bytes]) -> None:
    with app.test_request_context(), imap_server(**answers) as server:
        checked = find_in_mailbox(account(server.port), "<potok.test.1@potok>")
        assert not checked.is_good and checked.answer and checked.answer.isprintable()
        folder = imap.SentFolder(account(server.port))
        with contextlib.suppress(*imap.ERRORS):
            folder.keep(b"Subject: x\r\n\r\ntext", clock.now(), 5)
        folder.close()
        assert server.given < 20_000_000


@pytest.mark.one_database
def test_the_words_of_a_refused_sign_in_are_the_servers(app: Flask) -> None:
    said = "TAG NO [AUTHENTICATIONFAILED] Неверный пароль\r\n".encode()
    with app.test_request_context(), imap_server(LOGIN=said) as server:
        assert find_in_mailbox(account(server.port), "<potok.test.1@potok>").answer == "[AUTHENTICATIONFAILED] Неверный пароль"


@pytest.mark.one_database
@pytest.mark.parametrize(
    "greeting", [b"220-" + b"x" * 1000 + b"\r\nfor ever", b"220 " + b"x" * 1_000_000, b"\0\0\0\r\n", b"<b>220</b>\r\n"]
)
def test_a_greeting_without_end_or_sense_is_refused(app: Flask, greeting: bytes) -> None:
    with app.test_request_context(), smtp_server(greeting) as server:
        checked = sign_in(account(server.port))
        assert not checked.is_good and checked.answer.isprintable() and len(checked.answer) <= 1000
        assert server.given < 20_000_000


def test_a_zero_in_an_answer_is_kept_by_every_database(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    with smtp_server(**{".": b"250 taken \0 by <b>me</b>\r\n"}) as server:
        worker = use(app, smtp(config, server.port, certificates, smtp_security="none", smtp_user=""))
        cast.place()
        drain(worker)
    assert {message.state for message in cast.messages()} == {"sent"}
    assert set(db.session.scalars(select(Delivery.answer))) == {"250 taken by <b>me</b>"}


def test_a_zero_in_a_refusal_is_kept_too(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    with smtp_server(MAIL=b"451 \0 later\r\n") as server:
        worker = use(app, smtp(config, server.port, certificates, smtp_security="none", smtp_user=""))
        cast.place()
        drain(worker, 1)
    assert {message.state for message in cast.messages()} == {"waiting"}
    assert db.session.scalars(select(MailAccount.last_error)).one() == "451 later"


@pytest.mark.one_database
def test_message_and_copy_together_keep_to_the_deadline(app: Flask) -> None:
    message = RenderedMessage("<1@potok>", None, "", "b@melnikov.example", "Тема", "text", "<p>text</p>")
    with smtp_server() as server, DrippingServer() as slow:
        there = account(server.port, receive_port=slow.port)
        started = time.monotonic()
        with KeepsCopies(there, 2) as way:
            answer = way.send(message)
            assert time.monotonic() - started < LONG_S
    assert answer.outcome == "sent" and "no copy: no answer within" in answer.text


@pytest.mark.one_database
@pytest.mark.parametrize("is_private", [False, True])
def test_a_message_for_its_reader_alone_is_kept_nowhere_else(app: Flask, is_private: bool) -> None:
    """A link that opens an account went into the account's blind copy and its Sent folder, where others read."""
    message = RenderedMessage("<1@potok>", None, "", "b@melnikov.example", "Тема", "text", "<p>text</p>", is_private=is_private)
    with smtp_server() as server, imap_server() as mailbox:
        there = account(server.port, receive_port=mailbox.port, copy_to_self=True)
        with KeepsCopies(there, 5) as way:
            assert way.send(message).outcome == "sent"
        recipients = [line[8:] for line in server.heard if line.lower().startswith(b"rcpt to:")]
        assert recipients == [b"<b@melnikov.example>"] + ([] if is_private else [b"<a@melnikov.example>"])
        assert bool(mailbox.heard) is not is_private


class Stumbles:
    """A transport with a fault of ours."""

    def __enter__(self) -> "Stumbles":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: object) -> Answer:
        raise RuntimeError("a fault")


def test_a_transport_that_stumbles_ends_no_sender(app: Flask, cast: Cast) -> None:
    cast.place()
    messages = cast.messages()
    queue = InFlightQueue()
    pool = SenderPool(app, app.config["POTOK"], queue, "test")
    queue.put(messages)
    done: list[Any] = []
    end = time.monotonic() + 10
    while time.monotonic() < end and len(done) < len(messages):
        if (begins := queue.next()) is not None:
            queue.begin(begins)
        pool.scale(Stumbles)
        done += queue.collect(0.1)
    pool.stop()
    assert [one.answer.outcome for one in done] == ["unclear"] * len(messages)


@pytest.fixture
def deaf() -> Iterator[tuple[list[str], int]]:
    """Addresses that let nobody in and refuse nobody: their queue is full."""
    with contextlib.ExitStack() as stack:
        addresses, port = [f"127.0.0.{number}" for number in range(31, 36)], 0
        for address in addresses:
            listening = stack.enter_context(socket.create_server((address, port), backlog=0))
            port = int(listening.getsockname()[1])
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((address, port))
        yield addresses, port


def test_a_name_with_many_deaf_addresses_holds_nobody_beyond_the_deadline(deaf: tuple[list[str], int]) -> None:
    addresses, port = deaf
    with FakeDns({("deaf.example", "A"): addresses}, port=0) as names:
        wire, started = Wire(), time.monotonic()
        with pytest.raises(OSError, match=r"timed out|within"), wire.deadline(1.5):
            wire.open("deaf.example", port, 20, f"{names.address}:{names.port}", LOOPBACK)
        assert time.monotonic() - started < LONG_S


def test_a_name_server_that_takes_its_time_lets_no_dripping_server_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with DrippingServer() as slow, FakeDns({("slow.example", "A"): ["127.0.0.1"]}, port=0) as names:
        at_once = names.answer

        def late(query: Any) -> Any:
            time.sleep(1.6)
            return at_once(query)

        monkeypatch.setattr(names, "answer", late)
        there = account(slow.port, host="slow.example", name_servers=f"{names.address}:{names.port}")
        started = time.monotonic()
        with pytest.raises(OSError), Smtp(there, 0.5) as transport:
            transport.sign_in()
        assert time.monotonic() - started < LONG_S


XML = '<clientConfig><outgoingServer type="smtp"><hostname>x.example</hostname><port>465</port><socketType>SSL</socketType>{}</outgoingServer></clientConfig>'  # noqa: E501


@pytest.mark.parametrize(
    "xml",
    [
        *(f'<?xml version="1.0" encoding="{name}"?>{XML.format("")}'.encode() for name in ("gbk", "utf-7", "rot13", "idna", "nothing")),
        ('\ufeff<!DOCTYPE a [<!ENTITY b "bbbb">]>' + XML.format("<username>&b;&b;</username>")).encode("utf-16-le"),
        b"<a>" * 9000 + b"</a>" * 9000,
        b"<a>\0</a>",
        b"\xff\xfe",
    ],
)
def test_a_description_that_is_none_is_none(xml: bytes) -> None:
    assert _described(xml, "a@x.example") is None


def test_a_user_name_of_a_description_is_one_line() -> None:
    found = _described(XML.format("<username>a&#13;&#10;b</username>").encode(), "a@x.example")
    assert found and found.username == "a b"


def test_a_web_server_gives_no_more_than_was_asked_for(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + b"x" * 100_000
    with ScriptedServer(b"", {b"GET": chunks + b"for ever"}, b"") as server:
        original = Wire.open
        monkeypatch.setattr(Wire, "open", lambda wire, host, port, *more: original(wire, "127.0.0.1", server.port, *more))
        monkeypatch.setattr("rules.mail.discovery.tls_context", lambda _account: _Bare())
        started = time.monotonic()
        assert _fetch(account(1), "autoconfig.melnikov.example", "/") == b""
        assert time.monotonic() - started < LONG_S and server.given < 20_000_000


class _Bare:
    """A context that leaves the socket as it is."""

    def wrap_socket(self, bare: socket.socket, **_: object) -> socket.socket:
        return bare
