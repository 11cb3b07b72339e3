"""A server that runs: `python app.py` of a checkout on an instance folder, ended with all its processes."""

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.served import processes
from bench.served.checkout import Checkout
from tests.mailserver import free_port

START_S, SETTLE_S = 120.0, 40.0
QUIET_PERCENT = 3.0


@dataclass(frozen=True)
class Server:
    """first_answer_s: from its start to the first answer of /healthz. began: by time.monotonic()."""

    port: int
    pid: int
    instance: Path
    began: float
    first_answer_s: float

    @property
    def cpu_ms(self) -> float:
        return processes.cpu_ms(self.pid)

    @property
    def pss_mb(self) -> float:
        return processes.pss_mb(self.pid)

    def settle(self) -> None:
        """Waits until what it does at its start is done, at most SETTLE_S."""
        end = time.monotonic() + SETTLE_S
        while self.idle_percent(1.0) > QUIET_PERCENT and time.monotonic() < end:
            pass

    def idle_percent(self, seconds: float) -> float:
        """How much of one core it uses now."""
        before, start = self.cpu_ms, time.monotonic()
        time.sleep(seconds)
        return (self.cpu_ms - before) / (time.monotonic() - start) / 10


@contextmanager
def running(checkout: Checkout, instance: Path, command: str = "", **settings: str) -> Iterator[Server]:
    """command: what app.py is asked for, else web and worker together. A worker alone answers nothing, so it is not waited for."""
    port = free_port()
    environment = checkout.environment(instance, PORT=str(port), **settings)
    arguments = [checkout.python, "app.py", *([command] if command else [])]
    with started(arguments, checkout.path, environment, instance, 0 if command == "worker" else port) as server:
        yield server


@contextmanager
def started(arguments: list[str], folder: Path, environment: dict[str, str], instance: Path, port: int) -> Iterator[Server]:
    """Any server, once it answers /healthz at this port (0: it is not waited for). What it prints is kept in the instance folder."""
    instance.mkdir(parents=True, exist_ok=True)
    log = instance / "server.log"
    began = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        if port:
            _wait_for_answer(port, process, log)
        yield Server(port, process.pid, instance, began, time.monotonic() - began)
    finally:
        processes.end(process)


def _wait_for_answer(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """503 is an answer too: the worker may not be there yet."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/healthz")
            code = connection.getresponse().status
            connection.close()
            if code in (200, 503):
                return
        time.sleep(0.005)
    raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
