"""Small gateways on loopback: an HTTP one that keeps what it was sent, and an SMPP one that answers as it is told."""

import contextlib
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

LONG_S = 30  # beyond every deadline of a test, on a busy machine too


class FakeHttp:
    """answers: what each next request gets, (status, body); then 200. drips: sends a byte at a time, without end."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, str]] = []
        self.drips = self.drops = False
        self._ended = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.requests.append((self.path, dict(self.headers), body))
                if fake.drops:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, text = fake.answers.pop(0) if fake.answers else (200, "{}")
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                while fake.drips and not fake._ended.wait(0.2):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                self.wfile.write(text.encode())

            def log_message(self, *_arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_arguments: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self) -> "FakeHttp":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def posted(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _path, _headers, body in self.requests]


class FakeSmpp:
    """An operator's server, as much of it as a message needs (SMPP 3.4, 4.1 and 4.4). statuses: of each next submit_sm."""

    BIND, SUBMIT, UNBIND, ENQUIRE = 0x02, 0x04, 0x06, 0x15

    def __init__(self) -> None:
        self.submitted: list[bytes] = []
        self.statuses: list[int] = []
        self.bind_status = 0
        self.connections = 0
        self.drops_at_submit = self.is_silent = False
        self.garbage = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "FakeSmpp":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                talk, _peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(talk,), daemon=True).start()

    def _talk(self, talk: socket.socket) -> None:
        with talk, contextlib.suppress(OSError):
            while (head := _exactly(talk, 16)) is not None:
                length, command, _status, sequence = struct.unpack(">LLLL", head)
                body = _exactly(talk, length - 16) or b""
                if command == self.SUBMIT:
                    self.submitted.append(body)
                    if self.drops_at_submit:
                        return
                    if self.garbage:
                        talk.sendall(self.garbage)
                        return
                    if self.is_silent:
                        time.sleep(3 * LONG_S)
                    talk.sendall(struct.pack(">LLLL", 16, self.ENQUIRE, 0, 77))  # a question of its own, before the answer
                    status = self.statuses.pop(0) if self.statuses else 0
                    _answer(talk, command, status, sequence, f"id{len(self.submitted)}\0".encode())
                elif command == self.BIND:
                    _answer(talk, command, self.bind_status, sequence, b"fake\0")
                elif command == self.UNBIND:
                    _answer(talk, command, 0, sequence, b"")


def _answer(talk: socket.socket, command: int, status: int, sequence: int, body: bytes) -> None:
    body = b"" if status else body
    talk.sendall(struct.pack(">LLLL", 16 + len(body), command | 0x80000000, status, sequence) + body)


def _exactly(talk: socket.socket, size: int) -> bytes | None:
    got = b""
    while len(got) < size:
        try:
            piece = talk.recv(size - len(got))
        except OSError:
            return None
        if not piece:
            return None
        got += piece
    return got
