"""Memory of the two processes after some work, and of a worker with very many messages waiting."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.crowd import ROOT, Visitor, people_of, server
from bench.workshop import workshop
from tests.bareserver import ServerProcess
from tests.messages import put_messages

BACKLOG, WARM, SECONDS = 100_000, 500, 15


def measure_memory() -> list[Any]:
    """[web MB, worker MB, MB with the process that supervises them], each with its share of what they share."""
    with server() as (port, folder, process):
        visitor = Visitor(port, *people_of(folder))
        for _ in range(200):
            visitor.send("GET", "/boards/1")
        _, page = visitor.send("GET", "/boards/1")
        order, version = map(int, re.findall(r'data-order="(\d+)" data-status="1" data-version="(\d+)"', page)[0])
        for n in range(200):
            assert visitor.move(order, 2 - n % 2, version + n) == 200
        found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
        children: dict[int, list[tuple[int, str]]] = {}
        for line in found.splitlines()[1:]:
            own, parent, command = line.split(None, 2)
            children.setdefault(int(parent), []).append((int(own), command))
        web = worker = 0.0
        for pid, command in children.get(process.pid, []):
            if command == "potok worker":
                worker += _resident(pid)
            else:
                web += sum(_resident(one) for one, _ in [(pid, ""), *children.get(pid, [])])
        supervisor = _resident(process.pid)
    return [web, worker, supervisor + web + worker]


def measure_backlog() -> list[Any]:
    """[messages, MB with an empty queue after some work, most MB with them waiting and being sent, difference, messages/s then]"""
    with ServerProcess() as mail, workshop() as app, tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "INSTANCE": folder,
            "DATABASE_URL": app.config["POTOK"].database_url,
            "SECRET_KEY": "bench",
            "SEAL_KEY": "bench",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "potok@melnikov.example",
        }
        process = subprocess.Popen([sys.executable, "app.py", "worker"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        try:
            put_messages([f"p{n}@melnikov.example" for n in range(WARM)], "warm")
            _wait_for(mail, WARM)
            empty = _resident(process.pid)
            for part in range(10):
                put_messages([f"p{n}@melnikov.example" for n in range(BACKLOG // 10)], f"backlog-{part}")
            before, start, most = len(mail.arrivals()), time.monotonic(), empty
            while time.monotonic() - start < SECONDS:
                most = max(most, _resident(process.pid))
                time.sleep(0.25)
            rate = (len(mail.arrivals()) - before) / (time.monotonic() - start)
        finally:
            process.kill()
            process.wait()
    return [BACKLOG, empty, most, most - empty, rate]


def _wait_for(mail: ServerProcess, count: int) -> None:
    end = time.monotonic() + 60
    while len(mail.arrivals()) < count and time.monotonic() < end:
        time.sleep(0.5)
    time.sleep(1)


def _resident(pid: int) -> float:
    """MB of a process's own memory (private and its share of what is shared)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) / 1024 if found else 0.0
