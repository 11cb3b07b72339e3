"""The web server, met by clients that are slow, greedy, unclear or gone. What it serves here is a small application of its own."""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kanban.web import STREAM, serve, server
from kanban.web.bridge import Limits
from kanban.web.wsgi import Environ
from tests.browser.board import until
from tests.mailserver import free_port

THREADS, LIMIT = 4, 2 * 1024 * 1024
_forks = multiprocessing.get_context("fork")


class Small:
    """made: parts of exports; closed: exports that were closed."""

    def __init__(self) -> None:
        self.made, self.closed = _forks.Value("i", 0), _forks.Value("i", 0)
        self.streams: list[asyncio.Event] = []

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        start("200 OK", [("Content-Type", "text/plain")])
        match path:
            case "/export":
                return self._export(100)
            case "/breaks":
                return self._breaks()
            case "/sleep":
                time.sleep(1)
            case "/stream":
                environ[STREAM] = self._stream()
            case "/body":
                length = int(environ["CONTENT_LENGTH"])
                body = environ["wsgi.input"].read()
                return [f"{length} {len(body)} {environ.get('HTTP_X_FORWARDED_FOR')}".encode()]
        return [b"page"]

    def _export(self, megabytes: int) -> Iterator[bytes]:
        try:
            for _ in range(megabytes * 16):
                self.made.value += 1
                yield b"x" * 65_536
        finally:
            self.closed.value += 1

    def _breaks(self) -> Iterator[bytes]:
        yield b"x" * 200_000
        raise RuntimeError("in the middle")

    async def _stream(self) -> AsyncIterator[bytes]:
        event = asyncio.Event()
        self.streams.append(event)
        yield b"data: here\n\n"
        await event.wait()

    def end(self) -> None:
        for event in self.streams:
            event.set()


class Site:
    def __init__(self, log: Path) -> None:
        self.app, self.port, self.log = Small(), free_port(), log
        self.process = _forks.Process(target=self._run)
        self.process.start()
        until(lambda: self.says(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"page"))

    def _run(self) -> None:
        logging.basicConfig(filename=self.log, force=True)
        server.HEAD_S = 2
        serve(self.app, "127.0.0.1", self.port, THREADS, self.app.end)

    def connect(self, sent: bytes = b"", patience: float = 20) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
        made.sendall(sent)
        return made

    def says(self, sent: bytes) -> bytes:
        """All that comes until the end; for two seconds where nothing asks for an end."""
        with contextlib.suppress(OSError), self.connect(sent, 20 if CLOSE in sent else 2) as made:
            return rest_of(made)
        return b""

    def page(self) -> bytes:
        return self.says(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def rest_of(connection: socket.socket) -> bytes:
    found = bytearray()
    with contextlib.suppress(OSError):
        while part := connection.recv(65_536):
            found += part
    return bytes(found)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "log")
    yield made
    made.process.terminate()
    made.process.join(30)
    assert made.process.exitcode is not None
    made.process.kill()


CLOSE = b"Connection: close\r\n\r\n"
UNCLEAR = {
    "two ways to end": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length with a sign": b"Content-Length: +5\r\n\r\nhello",
    "a length below zero": b"Content-Length: -1\r\n\r\n",
    "a length with a line": b"Content-Length: 0_5\r\n\r\nhello",
    "a chunk of no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"Host: y\r\n\r\n",
    "a folded field": b"X-Long: a\r\n b\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "NUL": b"X-Nul: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_another_server_might_read_otherwise_is_refused(site: Site, name: str) -> None:
    answer = site.says(b"POST /body HTTP/1.1\r\nHost: x\r\n" + UNCLEAR[name])
    assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"HTTP/1.1") == 1, answer
    assert site.page().endswith(b"page")


def test_bodies(site: Site) -> None:
    head = b"POST /body HTTP/1.1\r\nHost: x\r\n"
    answer = site.says(head + b"Content-Length: 5\r\n" + CLOSE + b"hello")
    assert answer.endswith(b"5 5 None") and answer.lower().count(b"\r\ndate: ") == 1 and b"uvicorn" not in answer
    assert site.says(head + b"Transfer-Encoding: chunked\r\n" + CLOSE + b"5\r\nhello\r\n0\r\n\r\n").endswith(b"5 5 None")
    assert site.says(head + b"Content-Length: 5\r\nExpect: 100-continue\r\n" + CLOSE + b"hello").endswith(b"5 5 None")
    assert site.says(head + b"X_Forwarded_For: 6.6.6.6\r\nContent-Length: 0\r\n" + CLOSE).endswith(b"0 0 None")
    whole = site.says(head + b"Content-Length: %d\r\n" % LIMIT + CLOSE + b"x" * LIMIT)
    assert whole.endswith(b"%d %d None" % (LIMIT, LIMIT))
    # of what is too long nothing is kept; the application is told how long it was, and says so in its own words
    too_long = site.says(head + b"Content-Length: %d\r\n" % (LIMIT + 9) + CLOSE + b"x" * (LIMIT + 9))
    assert int(too_long.split()[-3]) > LIMIT and int(too_long.split()[-2]) <= LIMIT
    asked_first = site.says(head + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n" + CLOSE)
    assert asked_first.endswith(b"99999999 0 None") and b"100 Continue" not in asked_first
    owing = site.says(head + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert owing.count(b"HTTP/1.1") == 1 and b"connection: close" in owing.lower(), "what is owed is no next request"


def test_a_head_has_no_body(site: Site) -> None:
    for path in (b"/", b"/stream", b"/export"):
        answer = site.says(b"HEAD " + path + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE)
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\n"), path


def test_clients_that_are_slow_hold_nobody_up(site: Site) -> None:
    heads = [site.connect(b"GET / HTTP/1.1\r\nX") for _ in range(30)]
    bodies = [site.connect(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nx") for _ in range(30)]
    readers = [site.connect(b"GET /export HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(THREADS * 2)]
    time.sleep(0.5)
    for _ in range(3):
        assert site.page().endswith(b"page")
    assert site.app.made.value < len(readers) * 200, "an export is made as fast as it is taken"
    for one in readers:
        one.close()
    until(lambda: site.app.closed.value == len(readers))
    for head in heads:  # after two seconds here, ten in earnest
        assert rest_of(head) == b""
    for one in (*heads, *bodies):
        one.close()
    whole = site.says(b"GET /export HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    assert len(whole) > 100 * 1024 * 1024


def test_whoever_fills_the_room_for_bodies_shuts_nobody_out(site: Site) -> None:
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % LIMIT
    bodies = [site.connect(head + b"x" * (LIMIT - 1)) for _ in range(Limits.all_bodies // LIMIT + 1)]

    def is_refused(size: int) -> bool:
        bodies.append(site.connect(head + b"x" * size, 0.3))
        with contextlib.suppress(TimeoutError):
            return bodies[-1].recv(20).startswith(b"HTTP/1.1 503")
        return False

    for size in (500_000, 100_000, 16_400):
        until(lambda size=size: is_refused(size))  # type: ignore[misc]
    answer = site.says(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n" + CLOSE + b"x" * 16_000)
    for one in bodies:
        one.close()
    assert answer.endswith(b"16000 16000 None"), answer


def test_the_head_of_the_next_request_is_bounded_while_one_is_answered(site: Site) -> None:
    with site.connect(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n") as made, pytest.raises(OSError):
        for _ in range(200):
            made.sendall(b"X-Long: " + b"x" * 8000 + b"\r\n")
            time.sleep(0.01)


def test_streams_hold_no_thread_and_end_first(site: Site) -> None:
    streams = [site.connect(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(THREADS * 10)]
    for stream in streams:
        received = b""
        while b"here" not in received:
            received += stream.recv(1000)
    assert site.page().endswith(b"page")
    slow = site.connect(b"GET /sleep HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    half = site.connect(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx")
    time.sleep(0.3)
    os.kill(site.process.pid or 0, signal.SIGTERM)
    assert rest_of(slow).endswith(b"page"), "what is in flight is answered"
    for stream in streams:
        assert rest_of(stream).endswith(b"0\r\n\r\n")
        stream.close()
    site.process.join(10)
    assert site.process.exitcode is not None and not site.page()
    half.close()
    slow.close()


def test_an_answer_that_breaks_off_is_not_taken_for_whole(site: Site) -> None:
    answer = site.says(b"GET /breaks HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    assert len(answer) > 100_000 and not answer.endswith(b"0\r\n\r\n")
    until(lambda: "in the middle" in site.log.read_text())
    assert site.page().endswith(b"page")
