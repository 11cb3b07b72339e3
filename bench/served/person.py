"""A person over real HTTP: one connection kept alive, gzip, cookies and the CSRF token, as a browser has them."""

import gzip
import http.client
import re
import time
import urllib.parse
import uuid
from dataclasses import dataclass
from typing import Any

from bench.served.board import Board, Card, read_board

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
BOARD = "/boards/1"
KEPT_S = 10.0  # the server closes a connection that is idle, some time later


@dataclass(frozen=True)
class Answer:
    """raw: as it came, compressed. ms: until its last byte. began, ended: by time.time()."""

    code: int
    raw: bytes
    is_gzipped: bool
    ms: float
    began: float
    ended: float

    @property
    def text(self) -> str:
        return (gzip.decompress(self.raw) if self.is_gzipped else self.raw).decode()


class Person:
    """Signs in at once. address: of the client, within 127.0.0.0/8: tries to sign in are limited for each."""

    def __init__(self, port: int, email: str, password: str, address: str = "127.0.0.1") -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
        self._used_at = time.monotonic()
        self._cookies: dict[str, str] = {}
        self._csrf = self._token("/sign-in")
        answer = self.post("/sign-in", {"email": email, "password": password})
        if answer.code not in (302, 303):
            raise RuntimeError(f"{email} could not sign in: {answer.code}")
        self._csrf = self._token("/me")

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def get(self, url: str) -> Answer:
        return self._send("GET", url, None, {})

    def page(self) -> Answer:
        answer = self.get(BOARD)
        if answer.code != 200:
            raise RuntimeError(f"the board was answered with {answer.code}")
        return answer

    def board(self) -> Board:
        return read_board(self.page().text)

    def post(self, url: str, data: dict[str, Any], *, htmx: bool = False) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": self._origin + BOARD}
        return self._send("POST", url, urllib.parse.urlencode(data | {"csrf_token": self._csrf}).encode(), headers)

    def move(self, card: Card, status: int) -> Answer:
        """As by the hand; the card then stands as the answer says."""
        values = {"status": status, "before": "", "version": card.version, "key": uuid.uuid4().hex}
        answer = self.post(f"/orders/{card.order}/move", values, htmx=True)
        shown = next((shown for shown in read_board(answer.text).cards if shown.order == card.order), None)
        if shown is not None:
            card.status, card.version = shown.status, shown.version
        elif answer.code == 200:
            card.status, card.version = status, card.version + 1
        return answer

    def close(self) -> None:
        """The next request opens a connection anew."""
        self._connection.close()

    def _send(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        headers = {"Accept-Encoding": "gzip", "Cookie": self.cookie, **headers}
        if time.monotonic() - self._used_at > KEPT_S:
            self.close()
        began, start = time.time(), time.perf_counter()
        self._connection.request(method, url, body, headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        ms, ended = (time.perf_counter() - start) * 1000, time.time()
        self._used_at = time.monotonic()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(answer.status, raw, answer.headers.get("Content-Encoding") == "gzip", ms, began, ended)

    def _token(self, url: str) -> str:
        found = TOKEN.search(self.get(url).text)
        if found is None:
            raise RuntimeError(f"{url} has no token")
        return found[1]
