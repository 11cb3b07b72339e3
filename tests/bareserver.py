"""A bare SMTP server, a thread a connection: quick, keeps one line of each letter, and misbehaves as it is told.

`python -m tests.bareserver` is one in a process of its own, for measurements: see ServerProcess.
"""

import contextlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from kanban import clock

ROOT = Path(__file__).parent.parent
ADDRESS = re.compile(rb"<([^>]*)>")
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.I | re.M)


@dataclass(frozen=True)
class Arrival:
    """A letter the server took. is_answered: whether it also said so."""

    message_id: str
    address: str
    at: datetime
    is_answered: bool = True


@dataclass(frozen=True)
class End:
    """What a letter's text is met with. answer "": the connection is closed without a word."""

    is_taken: bool = True
    answer: str = "250 Accepted"


class BareServer:
    """`with BareServer() as server:` listens on 127.0.0.1:server.port until the end. Its hooks run in the connections' threads
    and may sleep.

    on_greeting: what a connection is greeted with, "" to hang up. on_mail: the answer to MAIL. on_rcpt: address → answer.
    on_text: (Message-ID, address) → End.
    """

    def __init__(self, port: int = 0) -> None:
        self.arrivals: list[Arrival] = []
        self.connections = 0
        self.on_greeting: Callable[[], str] = lambda: "220 bare"
        self.on_mail: Callable[[], str] = lambda: "250 OK"
        self.on_rcpt: Callable[[str], str] = lambda _: "250 OK"
        self.on_text: Callable[[str, str], End] = lambda *_: End()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = int(self._socket.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._is_running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "BareServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """As when the machine loses its power: nobody is told goodbye."""
        self._is_running = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while self._is_running:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if greeting := self.on_greeting():
                connection.sendall(f"{greeting}\r\n".encode())
                with connection.makefile("rb") as lines:
                    self._talk(connection, lines)
        self._open.discard(connection)

    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None:
        """Until the other side ends it, or a hook does."""
        address = ""
        for line in lines:
            verb = line[:4].upper()
            if verb == b"EHLO":
                answer = "250-bare\r\n250-8BITMIME\r\n250 SMTPUTF8"
            elif verb == b"MAIL":
                answer = self.on_mail()
            elif verb == b"RCPT":
                found = ADDRESS.search(line)
                address = found[1].decode() if found else ""
                answer = self.on_rcpt(address)
            elif verb == b"DATA":
                connection.sendall(b"354 Go on\r\n")
                answer = self._take(lines, address)
            else:
                answer = "221 Bye" if verb == b"QUIT" else "250 OK"
            if not answer:
                return
            connection.sendall(f"{answer}\r\n".encode())
            if answer.startswith(("221", "421")):
                return

    def _take(self, lines: IO[bytes], address: str) -> str:
        text = bytearray()
        for line in lines:
            if line == b".\r\n":
                break
            text += line
        else:
            return ""  # it went away in the middle: this message was never handed over
        found = MESSAGE_ID.search(text)
        message_id = found[1].decode() if found else ""
        end = self.on_text(message_id, address)
        if end.is_taken:
            self.arrivals.append(Arrival(message_id, address, clock.now(), bool(end.answer)))
        return end.answer


class ServerProcess:
    """A bare server in a process of its own, so that it takes no time from the process that is measured."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bareserver"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._ask()[0])

    def arrivals(self) -> list[Arrival]:
        """All letters so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        parts = [line.split("\t") for line in self._ask()]
        return [Arrival(message_id, address, datetime.fromisoformat(at)) for message_id, address, at in parts]

    def _ask(self) -> list[str]:
        assert self._process.stdout is not None
        return [self._process.stdout.readline().rstrip("\n") for _ in range(int(self._process.stdout.readline()))]

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def main() -> None:
    """Says its port, then for each line it reads what has arrived; each answer begins with its number of lines."""
    with BareServer() as server:
        print(f"1\n{server.port}", flush=True)
        for _ in sys.stdin:
            lines = [f"{one.message_id}\t{one.address}\t{one.at.isoformat()}" for one in server.arrivals]
            print("\n".join([str(len(lines)), *lines]), flush=True)


if __name__ == "__main__":
    main()
