"""What the server costs while nobody does anything: with nobody there, and with a few boards open."""

import http.client
from collections.abc import Sequence
from contextlib import ExitStack

from bench.served.figures import Figures
from bench.served.person import Person
from bench.served.server import Server

SECONDS, STREAMS = 20.0, 5


def measure_idle(server: Server) -> Figures:
    return {"idle": server.idle_percent(SECONDS)}


def measure_idle_streams(server: Server, people: Sequence[Person]) -> Figures:
    with ExitStack() as stack:
        for person in people[:STREAMS]:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            stack.callback(connection.close)
            connection.request("GET", "/live", headers={"Cookie": person.cookie})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"a stream was answered with {answer.status}")
            stack.callback(answer.close)
        server.settle()
        return {"idle_streams": server.idle_percent(SECONDS)}
