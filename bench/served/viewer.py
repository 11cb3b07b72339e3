"""One open board as a browser has it: see static/js/live.js for what it asks and when."""

import asyncio
import json
import random
import re
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress

from bench.served.board import read_board
from bench.served.http_reader import Connection, ask, chunks, connect, read_text

JITTER_S, POLL_S, RETRY_S, STREAM_AGAIN_S = 0.12, 3.0, 1.5, 60.0
MOST_CARDS = 50  # more, and the page is fetched again
BOARD = "/boards/1"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
GONE = (OSError, asyncio.IncompleteReadError)


class Viewer:
    """sought: (order, version) that it is to show; shown_at: by time.monotonic(), when it had that."""

    def __init__(self, port: int, email: str, password: str, address: str) -> None:
        self._port, self._email, self._password, self._address = port, email, password, address
        self._cookies: dict[str, str] = {}
        self._last = ""
        self._heads: set[int] = set()
        self._pending: set[str] = set()
        self._timer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._line = asyncio.Lock()  # one fetch after the other
        self._idle: list[Connection] = []
        self.has_stream = False
        self.fetches = 0
        self.sought = (0, 0)
        self.shown_at = 0.0

    async def sign_in(self) -> None:
        """And opens the board."""
        found = TOKEN.search(await self._fetch("GET", "/sign-in"))
        values = {"email": self._email, "password": self._password, "csrf_token": found[1] if found else ""}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        await self._fetch("POST", "/sign-in", form, urllib.parse.urlencode(values).encode())
        board = read_board(await self._fetch("GET", BOARD))
        if not board.statuses:
            raise RuntimeError(f"{self._email} could not sign in")
        self._heads, self._last = board.heads, board.since
        self._drop()  # by the time something happens the server has closed them

    async def watch(self) -> None:
        """Until it is cancelled: a stream, or where there is no room looks now and then."""
        while True:
            with suppress(*GONE):
                if not await self._stream():
                    await self._poll()
            self.has_stream = False
            await asyncio.sleep(RETRY_S)

    async def _stream(self) -> bool:
        """Until its end. False where there is no room."""
        connection = await connect(self._port, self._address)
        try:
            url = f"/live?since={self._last}&page={BOARD}"
            head = await ask(connection, "GET", url, {"Cookie": self._cookie, "Accept": "text/event-stream", "Last-Event-ID": self._last})
            if head.code != 200:
                return False
            self.has_stream, waiting = True, ""
            async for chunk in chunks(connection, head):
                *events, waiting = (waiting + chunk.decode()).split("\n\n")
                for event in events:
                    self._hear(event)
            return True
        finally:
            connection.close()

    def _hear(self, event: str) -> None:
        fields = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if data := fields.get("data"):
            said = json.loads(data)
            if isinstance(said, list):  # of a tree that sent no parts
                self._take(fields.get("id", ""), said)
            elif "html" in said:
                self._look_for(said["html"])
                self._last = fields.get("id", self._last)
            else:
                self._take(fields.get("id", ""), said["topics"])

    async def _poll(self) -> None:
        end = time.monotonic() + STREAM_AGAIN_S
        while time.monotonic() < end:
            await asyncio.sleep(POLL_S)
            with suppress(*GONE, ValueError):
                said = json.loads(await self._fetch("GET", f"/live/since?last={self._last}"))
                self._take(str(said["last"]), said["topics"])

    def _take(self, last: str, topics: list[str]) -> None:
        self._last = last or self._last
        self._wait_to_flush(set(topics), random.random() * JITTER_S)

    def _wait_to_flush(self, topics: set[str], seconds: float) -> None:
        self._pending |= topics
        if topics and self._timer is None:
            self._timer = asyncio.create_task(self._flush(seconds))
            self._tasks.add(self._timer)
            self._timer.add_done_callback(self._tasks.discard)

    async def _flush(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        topics, self._pending, self._timer = self._pending, set(), None
        if url := self._url_of(topics):
            async with self._line:
                refresh = {"HX-Request": "true", "HX-Current-URL": f"http://127.0.0.1:{self._port}{BOARD}", "X-Potok-Refresh": "1"}
                try:
                    self.fetches += 1
                    self._look_for(await self._fetch("GET", url, refresh))
                except GONE:
                    self._wait_to_flush(topics, RETRY_S)

    def _url_of(self, topics: set[str]) -> str:
        """What is fetched for these topics, "" for nothing."""
        cards = sorted(topic.removeprefix("card-") for topic in topics if topic.startswith("card-"))
        heads = sorted(topic.removeprefix("head-") for topic in topics if topic.startswith("head-"))
        if "resync" in topics or any(topic.startswith("board-") for topic in topics) or len(cards) > MOST_CARDS:
            return BOARD
        heads = [head for head in heads if int(head) in self._heads]
        return f"/fresh?cards={','.join(cards)}&heads={','.join(heads)}" if cards or heads else ""

    def _look_for(self, text: str) -> None:
        """In a part, or in parts that came by the stream."""
        order, version = self.sought
        if not order or self.shown_at:
            return
        for tag in re.findall(rf'<[^<>]*data-order="{order}"[^<>]*>', text):
            shown = re.search(r'data-version="(\d+)"', tag)
            if shown and int(shown[1]) >= version:
                self.shown_at = time.monotonic()

    async def _fetch(self, method: str, url: str, fields: Mapping[str, str] | None = None, body: bytes = b"") -> str:
        """Over a connection that is kept, or a new one; once more over a new one where the server has closed it."""
        sent = {"Cookie": self._cookie, "Accept-Encoding": "gzip", **(fields or {})}
        while True:
            is_new = not self._idle
            connection = await connect(self._port, self._address) if is_new else self._idle.pop()
            try:
                head = await ask(connection, method, url, sent, body)
                text = await read_text(connection, head)
            except GONE:
                connection.close()
                if is_new:
                    raise
                continue
            self._cookies |= dict(cookie.split("=", 1) for cookie in head.cookies)
            if head.fields.get("connection", "").lower() == "close":
                connection.close()
            else:
                self._idle.append(connection)
            return text

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _drop(self) -> None:
        while self._idle:
            self._idle.pop().close()
