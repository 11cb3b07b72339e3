"""gunicorn's worker with threads, and a limit to how long it waits for the rest of a request."""

import socket
import struct

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
