"""Restarts the web or the worker where it ends, and stops both on SIGTERM or Ctrl-C. A program of its own, of a few megabytes: it
knows nothing but their ids, and is never imported for what it does.

    python supervisor.py app.py web=123 worker=124
"""

import os
import signal
import sys
import time

SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
WHY = "POTOK_STARTED_AGAIN"  # in the environment of a child that is started again: what ended it
STOP_S = 25  # requests and e-mails in hand end by themselves until then


def watch(program: str, children: dict[str, int]) -> int:
    """children: ids by name; those of SIGNALS are blocked."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # some systems throw away what has no handler, blocked or not
    started = dict.fromkeys(children, time.monotonic())
    while True:
        for name, status in _ended(children):
            if time.monotonic() - started[name] < 1:
                time.sleep(1)  # it fails at once: don't spin
            started[name] = time.monotonic()
            children[name] = _start(program, name, f"{name} ended with {os.waitstatus_to_exitcode(status)}")
        if signal.sigwait(SIGNALS) != signal.SIGCHLD:
            return _stop(children)


def _ended(children: dict[str, int]) -> list[tuple[str, int]]:
    found = []
    for name, pid in children.items():
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found.append((name, status))
    return found


def _start(program: str, name: str, why: str) -> int:
    environment = {**os.environ, WHY: why}
    return os.posix_spawn(sys.executable, [sys.executable, program, name], environment, setsigmask=(), setsid=True)


def _stop(children: dict[str, int]) -> int:
    for pid in children.values():
        os.kill(pid, signal.SIGTERM)
    end, left = time.monotonic() + STOP_S, set(children.values())
    while left and time.monotonic() < end:
        left = {pid for pid in left if not os.waitpid(pid, os.WNOHANG)[0]}
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1], {name: int(pid) for name, pid in (one.split("=") for one in sys.argv[2:])}))
