"""A process and all that it started, as /proc shows them: CPU time, memory, and their end."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
STOP_S = 40.0
PARENT, CPU, STARTED = 1, slice(11, 15), 19  # fields of /proc/PID/stat after the name, see proc(5)


def tree_of(root: int) -> list[int]:
    """The process and its descendants that are alive."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _fields(int(folder.name))):
            children.setdefault(int(fields[PARENT]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_ms(root: int) -> float:
    """Milliseconds of CPU that the tree has used, with those of children that have ended."""
    return sum(int(ticks) for pid in tree_of(root) for ticks in _fields(pid)[CPU]) * TICK_MS


def pss_mb(root: int) -> float:
    """MB of memory of the tree; what processes share counts once."""
    total = 0
    for pid in tree_of(root):
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) if found else 0
    return total / 1024


def end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, as the supervisor expects it; what of the tree is still there after STOP_S is killed, each by its id."""
    seen = {pid: _started(pid) for pid in tree_of(process.pid)}
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    for pid, started in seen.items():
        if started and _started(pid) == started:  # the same process still, not a later one of that id
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _started(pid: int) -> str:
    fields = _fields(pid)
    return fields[STARTED] if fields and fields[0] != "Z" else ""


def _fields(pid: int) -> list[str]:
    """Of a process that has gone: none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
