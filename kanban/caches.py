"""Caches of the web process: each has a name, a bound in bytes and an owner. ARCHITECTURE.md lists them."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
OVERHEAD = 500  # bytes of a key and what holds it


class Cache(Generic[K, V]):
    """What was not asked for longest goes first. Several threads may use it. size: of a value, in bytes."""

    def __init__(self, name: str, most_bytes: int, size: Callable[[V], int]) -> None:
        self.name = name
        self._kept: LRUCache[K, V] = LRUCache(most_bytes, getsizeof=lambda value: size(value) + OVERHEAD)
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """A value that is larger than the cache is not kept."""
        with self._lock:
            if self._kept.getsizeof(value) <= self._kept.maxsize:
                self._kept[key] = value

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
