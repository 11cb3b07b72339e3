"""A WSGI application under an event loop (ASGI 3): threads only while the application works, none while a client is slow.

The loop reads a request's body whole, within limits, and only then takes a thread. It writes the answer too: a long one is made in
blocks, each in whichever thread is free, and the next one only when the client took the last. Where a view has set STREAM in its
environ, the head of its answer is sent, its own body is not, and what the iterator gives follows without a thread.
"""

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from kanban.web.wsgi import STREAM, Environ, Unclear, WsgiAnswer, WsgiApp, environ_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("potok")
_OWED = "potok.owed"  # in the environ: whether the rest of the body was not read, so that the connection can't go on


@dataclass(frozen=True)
class Limits:
    """Of bodies. body: bytes of one; all_bodies: of those in memory at a time; small: of one that may pass that bound, so that whoever
    fills it shuts nobody out; thrown_away: of one that is too long anyway, read so that its sender comes to read the answer. Seconds:
    silence within a body; a body in all; one that is read when the server stops; a client that takes nothing."""

    body: int = 2 * 1024 * 1024
    all_bodies: int = 64 * 1024 * 1024
    small: int = 16 * 1024
    thrown_away: int = 32 * 1024 * 1024
    silence_s: float = 10
    body_s: float = 60
    end_s: float = 2
    send_s: float = 30


class _Refused(Exception):
    """The request is answered here, and its connection closed."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Bridge:
    """The ASGI application. threads: how many requests the application works at, at a time; the others wait for their turn."""

    def __init__(self, app: WsgiApp, threads: int, limits: Limits | None = None) -> None:
        self._app, self._limits = app, limits or Limits()
        self._pool = ThreadPoolExecutor(threads, "web")
        self._held = 0  # bytes of bodies
        self._reading: set[asyncio.Timeout] = set()

    def end(self) -> None:
        """In the loop, when the server stops: whoever is sending a body hurries up. What the application works at is not touched."""
        at = asyncio.get_running_loop().time() + self._limits.end_s
        for patience in self._reading:
            patience.reschedule(min(at, patience.when() or at))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        body = bytearray()
        try:
            environ = _environ(scope)
            length = await self._read(environ, body, receive)
            if length is None:
                return  # the client is gone
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(length), io.BytesIO(body)
            await self._answer(environ, receive, send)
        except _Refused as refusal:
            await _refuse(refusal, send)
        except Exception:
            log.exception("the answer to %s %s broke off", scope["method"], scope["path"])
            # uvicorn cuts the connection of an answer that is not whole
        finally:
            self._held -= len(body)

    async def _read(self, environ: Environ, body: bytearray, receive: Receive) -> int | None:
        """The whole body into `body`; how long it is. None where the client went away. Of a body that is too long nothing is kept,
        and the application says so, in its own words. Raises _Refused."""
        limits, length = self._limits, int(environ.get("CONTENT_LENGTH", "0"))
        if environ.pop("HTTP_TRANSFER_ENCODING", None) is None and length == 0:
            return 0
        if length > limits.body and "HTTP_EXPECT" in environ:
            environ[_OWED] = True  # it asked before it sent
            return length
        try:
            async with asyncio.timeout(limits.body_s) as patience:
                self._reading.add(patience)
                try:
                    return await self._read_on(environ, body, receive, is_too_long=length > limits.body)
                finally:
                    self._reading.discard(patience)
        except TimeoutError:
            raise _Refused(408, "The rest of the request did not come.") from None

    async def _read_on(self, environ: Environ, body: bytearray, receive: Receive, *, is_too_long: bool) -> int | None:
        limits, size, more = self._limits, 0, True
        while more and size <= limits.thrown_away:
            async with asyncio.timeout(limits.silence_s):
                message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            is_too_long = is_too_long or size > limits.body
            if not is_too_long:
                self._held += len(part)
                body += part
                if self._held > limits.all_bodies and len(body) > limits.small:
                    raise _Refused(503, "Too much at once. Please try again.")
        environ[_OWED] = more
        return max(size, limits.body + 1) if is_too_long else size

    async def _answer(self, environ: Environ, receive: Receive, send: Send) -> None:
        answer = WsgiAnswer(self._app, environ)
        loop = asyncio.get_running_loop()
        try:
            block, more = await loop.run_in_executor(self._pool, answer.begin)
            stream: AsyncIterator[bytes] | None = environ.get(STREAM)
            length = None if more or stream else len(block)
            headers = [*answer.headers(length), (b"date", _date(int(time.time())))]
            if environ.get(_OWED):
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            if stream is None and not more:
                await send({"type": "http.response.body", "body": block})
            else:
                await self._while_there(self._pump(stream or self._blocks(answer, block), send), receive)
        finally:
            if not answer.is_closed:
                self._pool.submit(answer.close)  # after the step that runs, if one does

    async def _blocks(self, answer: WsgiAnswer, block: bytes) -> AsyncIterator[bytes]:
        loop, more = asyncio.get_running_loop(), True
        yield block
        while more:
            block, more = await loop.run_in_executor(self._pool, answer.step)
            yield block

    async def _pump(self, blocks: AsyncIterator[bytes], send: Send) -> None:
        try:
            async for block in blocks:
                async with asyncio.timeout(self._limits.send_s):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            close = getattr(blocks, "aclose", None)
            if close is not None:
                await close()

    async def _while_there(self, work: Coroutine[Any, Any, None], receive: Receive) -> None:
        """Does this until it is done, or the client goes away."""
        pump, gone = asyncio.create_task(work), asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
        except TimeoutError:
            log.info("a client took nothing for %s seconds", self._limits.send_s)
        finally:
            pump.cancel()
            gone.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _environ(scope: Message) -> Environ:
    try:
        return environ_of(scope)
    except Unclear:
        raise _Refused(400, "That request has no clear meaning.") from None


async def _refuse(refusal: _Refused, send: Send) -> None:
    text = str(refusal).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
