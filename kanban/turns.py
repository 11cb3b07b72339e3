"""Turns: a few threads at once, the others wait in the order they came.

Python's own locks let whoever is running take a free one before those who wait, so under load somebody waits for ever.
"""

import threading
from collections import deque


class Turns:
    """`at_once`: how many threads may have a turn. Several threads may use it."""

    def __init__(self, at_once: int = 1) -> None:
        self._free = at_once
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def take(self, wait_s: float) -> bool:
        """Waits for a turn. False where it did not come within `wait_s` seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=wait_s):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it came in this very moment

    def end(self) -> None:
        """The turn passes to whoever has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
