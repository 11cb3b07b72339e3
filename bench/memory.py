"""Memory of the two processes after some work."""

import re
import subprocess
from pathlib import Path
from typing import Any

from bench.crowd import Visitor, people_of, server


def measure_memory() -> list[Any]:
    """[web MB, worker MB], resident."""
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
            if "worker" in command.split()[-1]:
                worker += _resident(pid)
            else:
                web += sum(_resident(one) for one, _ in [(pid, ""), *children.get(pid, [])])
    return [web, worker]


def _resident(pid: int) -> float:
    """MB of a process's own memory (private and its share of what is shared)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) / 1024 if found else 0.0
