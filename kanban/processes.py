"""The processes of `python app.py`: web and worker are forked from one that has loaded the application, which then turns into a
small one that watches over them (supervisor.py)."""

import ctypes
import fcntl
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from kanban import supervisor

log = logging.getLogger("potok")
PR_SET_PDEATHSIG = 1  # prctl(2)


def serve(prepare: Callable[[], object], **children: Callable[[], object]) -> int:
    """Runs `prepare` in a process of its own, then the children. Returns only where that fails: else this process is the supervisor,
    a small program that holds nothing of the application.

    The children share the memory of what was loaded, and start at once. All of them, this process too, must leave the database
    alone until then: a connection can't be shared.
    """
    gc.collect()
    gc.freeze()  # or the collector would copy every page by looking at what is on it
    _pid, status = os.waitpid(_fork(prepare), 0)
    if not status:
        _watch_over(children)
    return os.waitstatus_to_exitcode(status)


def _watch_over(children: dict[str, Callable[[], object]]) -> NoReturn:
    pids = [f"{name}={_fork(work)}" for name, work in children.items()]
    signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.SIGNALS)
    os.execv(sys.executable, [sys.executable, "-I", "-S", supervisor.__file__, sys.argv[0], *pids])


def begin_under_supervision() -> None:
    """For a child that the supervisor starts again: it says why, and ends with it."""
    if reason := os.environ.pop(supervisor.WHY, ""):
        log.error("%s, starting it again", reason)
        _end_with_parent(os.getppid())


@contextmanager
def only_one(path: Path, who: str) -> Iterator[None]:
    """Holds this file as long as it lasts, whatever this process turns into. Ends the process with a sentence where another one
    holds it."""
    with path.open("a") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"{who} runs already in {path.parent}: stop it first, or set INSTANCE to another folder.")
        yield


def _fork(work: Callable[[], object]) -> int:
    parent = os.getpid()
    if pid := os.fork():
        return pid
    code = 1
    try:
        os.setsid()  # a Ctrl-C in the terminal comes by the supervisor, in its order
        _end_with_parent(parent)
        work()
        code = 0
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    except BaseException:
        log.exception("it ended")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


def _end_with_parent(parent: int) -> None:
    """Where the supervisor is killed, this process is told to end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the supervisor has ended")
