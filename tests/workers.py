"""Processes of Potok for tests: the same entry as `python app.py worker`, forked from one process that has done the imports."""

import multiprocessing
import os
import tempfile
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
        "database_url": database_url, "worker_name": name, "secret_key": "test", "seal_key": "seal", "poll_s": 0.05,
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "potok@melnikov.example",
        "inner_hosts": "127.0.0.0/8",
    } | settings  # fmt: skip
    values = {"instance": Path(tempfile.gettempdir()) / f"potok-tests-{os.getpid()}"} | values  # its lock is of this test process
    return start("worker", {key.upper(): str(value) for key, value in values.items()})


def _run(command: str, environment: dict[str, str], log: Path | None) -> None:
    os.environ.update(environment)
    if log is not None:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    main([command])
