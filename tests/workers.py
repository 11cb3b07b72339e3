"""Processes of Potok for tests: the same entry as `python app.py worker`, forked from one process that has done the imports."""

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from app import main

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.preload"])


def start(command: str, environment: dict[str, str], log: Path | None = None) -> ForkServerProcess:
    """`python app.py COMMAND` with these settings. log: takes what it prints."""
    process = _forks.Process(target=_run, args=(command, environment, log))
    process.start()
    return process


def start_worker(database_url: str, port: int, name: str = "worker", **settings: object) -> ForkServerProcess:
    """A worker that sends by the server at this port. settings: as in the environment, in any case."""
    values = {
        "database_url": database_url,
        "worker_name": name,
        "secret_key": "test",
        "seal_key": "seal",
        "poll_s": 0.05,
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_from": "potok@melnikov.example",
        "inner_hosts": "127.0.0.0/8",
    } | settings
    values = {"instance": Path(tempfile.gettempdir()) / f"potok-tests-{os.getpid()}"} | values  # its lock is of this test process
    return start("worker", {key.upper(): str(value) for key, value in values.items()})


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit code."""

    returncode: int | None
    stdout: str
    stderr: str


def run_command(folder: Path, *arguments: str, **environment: str) -> Ended:
    """`python app.py ARGUMENTS` until its end. folder: takes what it prints."""
    out, err = folder / "out", folder / "err"
    process = _forks.Process(target=_run_command, args=(list(arguments), environment, out, err))
    process.start()
    process.join(120)
    return Ended(process.exitcode, out.read_text(), err.read_text())


def _run_command(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.exit(main(arguments))


def _run(command: str, environment: dict[str, str], log: Path | None) -> None:
    os.environ.update(environment)
    if log is not None:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    main([command])
