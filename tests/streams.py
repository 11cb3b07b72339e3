"""A browser's end of the live feed, without a browser."""

import asyncio
import json
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from kanban.feed import Audience, Feed

ENDED = "ended"
T = TypeVar("T")


class Listening:
    """One stream, asked for its texts one after the other; its loop has a thread of its own, as Playwright has one in the test's."""

    def __init__(self, feed: Feed, person_id: int, last: int | None = None, audience: Audience | None = None) -> None:
        joined = feed.join(person_id, last, audience)
        assert joined is not None, "all streams are taken"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._texts = feed.follow(joined)

    def next(self, most_s: float = 20) -> str:
        """Its next text, or ENDED."""

        async def following() -> str:
            try:
                return (await asyncio.wait_for(anext(self._texts), most_s)).decode()
            except StopAsyncIteration:
                return ENDED

        return self._run(following())

    def news(self) -> Any:
        """What its next message says; None for a beat or the end."""
        text = self.next()
        lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return json.loads(lines[0]) if lines else None

    def close(self) -> None:
        self._run(self._texts.aclose())  # type: ignore[attr-defined]
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
