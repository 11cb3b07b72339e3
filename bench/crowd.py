"""Eight people moving at once, against the real server over loopback."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.mailserver import free_port

PEOPLE = 8
SECONDS = 8.0
START_S = 120.0
ROOT = Path(__file__).parent.parent


@contextlib.contextmanager
def server(**changed: str) -> Iterator[tuple[int, Path, "subprocess.Popen[bytes]"]]:
    """(port, instance folder, process) of `python app.py` with the demo."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = os.environ | {"INSTANCE": folder, "PORT": str(port), "PASSWORD_HASH_COST": "cheap", "LANG": "ru"} | changed
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait(port, process)
            yield port, Path(folder), process
        finally:
            process.terminate()
            process.wait(60)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    """As long as it takes, on a machine that does much else."""
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/healthz")
            if connection.getresponse().status in (200, 503):
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


class Visitor:
    """A person over real HTTP: keeps cookies, the CSRF token and one connection."""

    def __init__(self, port: int, email: str, password: str) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookies: dict[str, str] = {}
        token = self._token("/sign-in")
        self.send("POST", "/sign-in", {"email": email, "password": password, "csrf_token": token})
        self._csrf = self._token("/me")

    def close(self) -> None:
        self._connection.close()

    def move(self, order: int, status: int, version: int) -> int:
        code, _ = self.send(
            "POST", f"/orders/{order}/move", {"status": status, "before": "", "version": version, "csrf_token": self._csrf}, True
        )
        return code

    def move_many(self, orders: Sequence[tuple[int, int]], status: int) -> int:
        """orders: ids and versions."""
        chosen = ",".join(f"{id_}:{version}" for id_, version in orders)
        return self.send("POST", "/orders/move", {"orders": chosen, "status": status, "before": "", "csrf_token": self._csrf}, True)[0]

    def place(self, customer: str) -> tuple[int, int]:
        """(id, version) of a new order on the first board."""
        _, answer = self.send("POST", "/boards/1/place", {"customer_name": customer, "csrf_token": self._csrf}, True)
        found = re.search(r'data-order="(\d+)" data-status="1" data-version="(\d+)"', answer)
        assert found is not None
        return int(found[1]), int(found[2])

    def stream(self, url: str) -> Iterator[bytes]:
        """Line by line, by a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", url, headers={"Cookie": self._cookie})
            with connection.getresponse() as answer:
                yield from answer
        finally:
            connection.close()

    def send(self, method: str, url: str, data: dict[str, Any] | None = None, htmx: bool = False) -> tuple[int, str]:
        headers = {"Cookie": self._cookie}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/boards/1"}
        body = urllib.parse.urlencode(data) if data else None
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, url, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, text

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _token(self, url: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.send("GET", url)[1])
        assert found is not None
        return found[1]


def people_of(folder: Path) -> tuple[str, str]:
    """The owner's e-mail and password."""
    line = (folder / "demo.txt").read_text().splitlines()[0].split()
    return line[0], line[1]


def measure_crowd() -> list[Any]:
    """[seconds, moves, moves a second, errors]: each moves an order of its own to and fro."""
    with server() as (port, folder, _process):
        email, password = people_of(folder)
        visitors = [Visitor(port, email, password) for _ in range(PEOPLE)]
        _, page = visitors[0].send("GET", "/boards/1")
        cards = re.findall(r'data-order="(\d+)" data-status="1" data-version="(\d+)"', page)[:PEOPLE]
        counts, errors = [0] * PEOPLE, [0] * PEOPLE
        end = time.monotonic() + SECONDS

        def work(n: int) -> None:
            order, version, to = int(cards[n][0]), int(cards[n][1]), 2
            while time.monotonic() < end:
                if visitors[n].move(order, to, version) == 200:
                    counts[n] += 1
                    version, to = version + 1, 3 - to
                else:
                    errors[n] += 1

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(cards))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [SECONDS, sum(counts), sum(counts) / SECONDS, sum(errors)]
