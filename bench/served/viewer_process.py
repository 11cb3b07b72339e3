"""`python -m bench.served.viewer_process`: many viewers in a process of their own, so that theirs is not the server's time.

Reads JSON lines and answers each with one. The first: {"port", "people": [[email, password, address], …]}; it is answered once
all have their board open. Then, before each move: {"order", "version"}, which all are to show soon; and after it: {"within_s"},
which is answered once all show it, or time is over.
"""

import asyncio
import json
import sys
import time

from bench.served.http_reader import LIMIT
from bench.served.viewer import Viewer

AT_ONCE = 8  # who sign in at the same time
OPEN_S = 60.0


async def main() -> None:
    lines = asyncio.StreamReader(limit=LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    asked = json.loads(await lines.readline())
    viewers = [Viewer(asked["port"], *person) for person in asked["people"]]
    turns = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_open(viewer, turns) for viewer in viewers))
    watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    _say(streams=await _streams(viewers))
    while line := await lines.readline():
        asked = json.loads(line)
        if "order" in asked:
            for viewer in viewers:
                viewer.sought, viewer.shown_at = (asked["order"], asked["version"]), 0.0
            _say()
        else:
            _say(**await _show(viewers, asked["within_s"]))
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)


async def _open(viewer: Viewer, turns: asyncio.Semaphore) -> None:
    async with turns:
        await viewer.sign_in()


async def _streams(viewers: list[Viewer]) -> int:
    """How many have a stream, once that number stands still."""
    end, count, since = time.monotonic() + OPEN_S, -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < 3:
        await asyncio.sleep(0.2)
        now = sum(viewer.has_stream for viewer in viewers)
        if now != count:
            count, since = now, time.monotonic()
    return count


async def _show(viewers: list[Viewer], within_s: float) -> dict[str, float]:
    end = time.monotonic() + within_s
    while time.monotonic() < end and not all(viewer.shown_at for viewer in viewers):
        await asyncio.sleep(0.02)
    shown = [viewer.shown_at for viewer in viewers if viewer.shown_at]
    return {"last": max(shown, default=0.0), "missed": len(viewers) - len(shown), "fetches": sum(viewer.fetches for viewer in viewers)}


def _say(**values: float) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
