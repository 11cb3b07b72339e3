"""gunicorn: the application loaded before it forks, threads, and a limit to how long it waits for the rest of a request."""

import socket
import struct

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

READ_S = 10


class Worker(ThreadWorker):  # type: ignore[misc]
    """A client that falls silent in the middle of its request would hold a thread for ever.

    The limit is set on the listening socket and, on Linux, inherited by every connection it accepts.
    """

    def init_process(self) -> None:
        for listener in self.sockets:
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", READ_S, 0))
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi.extensions["potok_beat"].start(self.wsgi)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Requests in flight are answered; streams, which never end by themselves, end now, and browsers come back to whoever is next."""
        self.wsgi.extensions["potok_feed"].end()
        super().handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]
    """Serves an application that was loaded before: its processes share the memory of what they don't change."""

    def __init__(self, app: Flask, **options: object) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app
