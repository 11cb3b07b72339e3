"""uvicorn, in the process that calls: heads have a deadline and a size, streams end first when it stops."""

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from types import FrameType

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kanban.web.bridge import Bridge
from kanban.web.wsgi import WsgiApp

HEAD_S = 10
HEAD_BYTES = 64 * 1024
MOST_CONNECTIONS = 2000  # streams too
SPARE_FILES = 500  # of the database, logs, mail servers


class Protocol(HttpToolsProtocol):
    """uvicorn has no limit of its own to the time between connecting and the end of the head, nor to the size of the head."""

    _deadline: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._deadline = self.loop.call_later(HEAD_S, self._cut)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or self._takes_body():
            self._forget()
            return
        self._head += len(data)  # also of a request that comes while the one before it is answered
        if self._head > HEAD_BYTES:
            self._cut()
        elif self._deadline is None and self._is_between_requests() and not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEAD_S, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _is_between_requests(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _takes_body(self) -> bool:
        return not self._is_between_requests() and self.cycle.more_body

    def _forget(self) -> None:
        self._head = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._forget()
        self.transport.abort()


class _Quiet(Server):
    """Sleeps until it is asked to end, where uvicorn looks ten times a second. Then calls `on_end` in the loop, before it waits for what
    is in flight."""

    def __init__(self, config: Config, on_end: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_end = on_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._asked.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """uvicorn would give the signal back to the process at the end; here it has been done as asked."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)


def serve(app: WsgiApp, host: str, port: int, threads: int, on_end: Callable[[], object]) -> None:
    """Until SIGTERM or SIGINT; what is in flight is answered first.

    on_end: ends the streams, which never end by themselves; browsers come back to whoever is next.
    """
    _allow_files(MOST_CONNECTIONS + SPARE_FILES)
    bridge = Bridge(app, threads)

    def end() -> None:
        on_end()
        bridge.end()

    config = Config(
        bridge,
        host=host,
        port=port,
        http=Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,  # what a proxy says is read by TrustedProxies
        server_header=False,
        date_header=False,  # the bridge says it
        access_log=False,
        log_config=None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
    )
    for_itself = logging.getLogger("uvicorn.error")
    for_itself.setLevel(logging.ERROR)  # not each request that made no sense
    for_itself.addFilter(lambda record: "without completing response" not in record.getMessage())  # the bridge says why
    _Quiet(config, end).run()


def _allow_files(wanted: int) -> None:
    """Each connection is an open file, and many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
