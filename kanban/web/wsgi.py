"""One call of a WSGI application (PEP 3333), in steps that are small enough to hold no thread while a client is slow."""

import contextvars
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes

Scope = MutableMapping[str, Any]  # of ASGI
Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]
_Failure = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

BLOCK = 64 * 1024
STREAM = "potok.stream"  # in the environ: an AsyncIterator[bytes] that the view has set; it follows the head, without a thread
_LENGTH_DIGITS = 15


class Unclear(Exception):
    """A request that another server might read otherwise."""


def environ_of(scope: Scope) -> Environ:
    """What X-Forwarded-… says is not believed here, nor a name with an underscore, which would pass for one with a hyphen.

    Raises Unclear.
    """
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    hosts = 0
    for name, value in scope["headers"]:
        hosts += name == b"host"
        if b"_" not in name:
            _add(environ, name.decode("latin-1"), value.decode("latin-1"))
    if hosts > 1 or not _has_clear_length(environ):
        raise Unclear
    return environ


def _add(environ: Environ, name: str, value: str) -> None:
    upper = name.upper().replace("-", "_")
    key = upper if upper in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{upper}"
    before = environ.get(key)
    environ[key] = value if before is None else f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"


def _has_clear_length(environ: Environ) -> bool:
    """Whether every server and proxy on the way sees the same end of the body. Not all parsers look at each of these."""
    length, coding = environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        return length is None and coding.lower() == "chunked" and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    return length is None or (length.isascii() and length.isdigit() and len(length) <= _LENGTH_DIGITS)


class WsgiAnswer:
    """Its steps run in one context, each in any thread, one at a time."""

    def __init__(self, app: WsgiApp, environ: Environ) -> None:
        self._app, self._environ = app, environ
        self._context = contextvars.copy_context()
        self._turn = threading.Lock()
        self._body: Iterable[bytes] = ()
        self._parts: Iterator[bytes] = iter(())
        self._written: list[bytes] = []
        self._headers: list[tuple[str, str]] | None = None
        self._is_begun = False
        self.status = 0
        self.is_closed = False

    def begin(self) -> tuple[bytes, bool]:
        """The first block, and whether another follows."""
        with self._turn:
            return self._context.run(self._begin)

    def step(self) -> tuple[bytes, bool]:
        with self._turn:
            return self._context.run(self._step)

    def close(self) -> None:
        with self._turn:
            self._context.run(self._close)

    def headers(self, length: int | None) -> Headers:
        """As ASGI has them; with the length, where it is known and the application did not say it."""
        found = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self._headers or ()]
        if STREAM in self._environ:
            return [one for one in found if one[0] != b"content-length"]
        has_body = self.status >= 200 and self.status not in (204, 304) and self._environ["REQUEST_METHOD"] != "HEAD"
        if length is not None and has_body and not any(name == b"content-length" for name, _value in found):
            found.append((b"content-length", b"%d" % length))
        return found

    def _begin(self) -> tuple[bytes, bool]:
        self._body = self._app(self._environ, self._start_response)
        self._parts = iter(self._body)
        if self._environ["REQUEST_METHOD"] == "HEAD":
            self._environ.pop(STREAM, None)
        if STREAM in self._environ:
            self._close()
            return b"", False
        block, more = self._step()
        if self._headers is None:
            raise RuntimeError("the application did not call start_response")
        self._is_begun = True
        return block, more

    def _step(self) -> tuple[bytes, bool]:
        parts, self._written = self._written, []
        size = sum(map(len, parts))
        for part in self._parts:
            parts.append(part)
            size += len(part)
            if size >= BLOCK:
                return b"".join(parts), True
        self._close()
        return b"".join(parts), False

    def _close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            close = getattr(self._body, "close", None)
            if close is not None:
                close()

    def _start_response(self, status: str, headers: list[tuple[str, str]], failure: _Failure | None = None) -> Callable[[bytes], object]:
        if failure and failure[1] and self._is_begun:
            raise failure[1].with_traceback(failure[2])
        if self._headers is not None and not failure:
            raise RuntimeError("start_response was called twice")
        self.status, self._headers = int(status.split(" ", 1)[0]), list(headers)
        return self._written.append
