"""Limits to guessing: each try is counted before it is looked at, so that many at once are not more than their number.

A stranger's tries count against the stranger's address and, together with other strangers', against the account; a browser
that has signed in before has a count of its own, so nobody else can lock its owner out.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kanban.proxies import plain_address

LIMITS = {
    "known": parse("20 per 5 minutes"), "caller": parse("10 per 5 minutes"), "account": parse("100 per hour"),
    "address": parse("100 per 5 minutes"), "session": parse("10 per 5 minutes"), "resets": parse("20 per hour"),
    "mail": parse("60 per minute"), "noted": parse("1 per 5 minutes"),
}  # fmt: skip
SITE = 64  # bits of an IPv6 address that are one household's


@dataclass(frozen=True)
class Guesser:
    """Who tries. email: the account, as it is looked for; device: the mark of a browser that has signed in with it before, or "";
    session: the person whose open session asks for a password once more."""

    address: str
    email: str = ""
    device: str = ""
    session: int = 0

    def counts(self) -> Iterator[tuple[str, str]]:
        """(limit, key), the narrowest first: who is stopped by it counts against no other."""
        site = site_of(self.address)
        if self.session:
            yield "session", str(self.session)
        elif self.device:
            yield "known", self.device
        else:
            yield "caller", f"{site} {self.email}"
            yield "account", self.email
            yield "address", site


class _Counts(MemoryStorage):
    def clear(self, key: str) -> None:
        """Under the key's lock: the library's thread that drops what is old would stumble over a key that goes meanwhile."""
        with self.locks[key]:
            super().clear(key)


class Guesses:
    """The counts of one process, for one door."""

    def __init__(self) -> None:
        self._storage = _Counts()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._unlocked: dict[str, datetime] = {}  # by the count that was begun anew

    def take(self, guesser: Guesser) -> bool:
        """Counts a try. False where there were too many."""
        return all(self.hit(limit, key) for limit, key in guesser.counts())

    def hit(self, limit: str, key: str) -> bool:
        return self._limiter.hit(LIMITS[limit], limit, key)

    def reset(self) -> None:
        """For tests: nobody has tried anything."""
        self._storage.reset()

    def forgive(self, guesser: Guesser) -> None:
        """The right password was given: what this very person mistyped before is forgotten."""
        for limit, key in guesser.counts():
            if limit in ("known", "caller", "session"):
                self._limiter.clear(LIMITS[limit], limit, key)

    def unlock(self, guesser: Guesser, at: datetime) -> bool:
        """An administrator unlocked the account at this time: once for each such time each count begins anew. Whether one did."""
        found = [(limit, key) for limit, key in guesser.counts() if self._unlocked.get(f"{limit} {key}") != at]
        for limit, key in found:
            self._unlocked[f"{limit} {key}"] = at
            self._limiter.clear(LIMITS[limit], limit, key)
        return bool(found)


def site_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the IPv6 network of one household."""
    try:
        found = plain_address(address)
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, SITE), strict=False))
