"""Starts the web and the worker from one process that has loaded the application, and restarts whichever ends."""

import ctypes
import fcntl
import gc
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType

log = logging.getLogger("potok")
STOP_S = 25  # requests and e-mails in hand end by themselves until then
PR_SET_PDEATHSIG = 1  # prctl(2)
_forks = multiprocessing.get_context("fork")


class Supervisor:
    """Runs `prepare`, then keeps the children running; stops them on SIGTERM and Ctrl-C.

    They are forked, so they share the memory of what was loaded and start at once. All of them, this process too, must
    leave the database alone until then: a connection can't be shared.
    """

    def __init__(self, prepare: Callable[[], object], **children: Callable[[], object]) -> None:
        self._prepare, self._children = prepare, children
        self._running = True
        self._processes: dict[str, ForkProcess] = {}
        self._started: dict[str, float] = {}

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        gc.collect()
        gc.freeze()  # or the collector would copy every page by looking at what is on it
        preparing = self._fork(self._prepare)
        preparing.join()
        if preparing.exitcode:
            return preparing.exitcode
        while self._running:
            for name in self._children:
                self._keep(name)
            time.sleep(0.2)
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(STOP_S)
            process.kill()
        return 0

    def _keep(self, name: str) -> None:
        process = self._processes.get(name)
        if process is not None and process.is_alive():
            return
        if process is not None:
            if time.monotonic() - self._started[name] < 1:
                time.sleep(1)  # it fails at once: don't spin
            log.error("%s ended with %s, starting it again", name, process.exitcode)
        self._started[name] = time.monotonic()
        self._processes[name] = self._fork(self._children[name])

    def _fork(self, work: Callable[[], object]) -> ForkProcess:
        process = _forks.Process(target=_begin, args=(work, os.getpid()))
        process.start()
        return process

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._running = False


@contextmanager
def only_one(path: Path, who: str) -> Iterator[None]:
    """Holds this file as long as it lasts. Ends the process with a sentence where another one holds it."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"{who} runs already in {path.parent}: stop it first, or set INSTANCE to another folder.")
        yield


def _begin(work: Callable[[], object], parent: int) -> None:
    """In the child: a session of its own, so that a Ctrl-C in the terminal comes by the supervisor, in its order; and it is told
    to end where the supervisor is killed."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the supervisor has ended")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    work()
