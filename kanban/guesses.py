"""Limits to guessing: each try is counted before it is looked at, so that many at once are not more than their number.

A stranger's tries count against the stranger's address and, together with other strangers', against the account; a browser
that has signed in before has a count of its own, so nobody else can lock its owner out.
"""

import hashlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import table
from kanban.models import Guess
from kanban.proxies import plain_address
from kanban.transactions import Turn, transaction

GUESS_LOCK = 7204  # an arbitrary number, the same in every process


@dataclass(frozen=True)
class Limit:
    """most: tries within the time before now."""

    most: int
    within: timedelta


LIMITS = {
    "known": Limit(20, timedelta(minutes=5)),
    "caller": Limit(10, timedelta(minutes=5)),
    "account": Limit(100, timedelta(hours=1)),
    "address": Limit(100, timedelta(minutes=5)),
    "session": Limit(10, timedelta(minutes=5)),
    "resets": Limit(20, timedelta(hours=1)),
    "mail": Limit(60, timedelta(minutes=1)),
    "noted": Limit(1, timedelta(minutes=5)),
}
KEPT = max(limit.within for limit in LIMITS.values())
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


def take(guesser: Guesser, since: datetime | None = None) -> bool:
    """Counts a try. False where there were too many. since: tries before it don't count, as an administrator has lifted the limits."""
    with transaction(Turn.NONE, aside=True) as session:
        return all(_hit(session, limit, key, since) for limit, key in guesser.counts())


def hit(limit: str, key: str) -> bool:
    """Counts one. False where there were too many."""
    with transaction(Turn.NONE, aside=True) as session:
        return _hit(session, limit, key)


def forgive(guesser: Guesser) -> None:
    """The right password was given: what this very person mistyped before is forgotten."""
    kept = [_hash(limit, key) for limit, key in guesser.counts() if limit in ("known", "caller", "session")]
    with transaction(Turn.NONE, aside=True) as session:
        session.execute(delete(Guess).where(Guess.key.in_(kept)))


def prune(session: Session, now: datetime) -> None:
    session.execute(delete(Guess).where(Guess.at < now - KEPT))


def _hit(session: Session, limit: str, key: str, since: datetime | None = None) -> bool:
    """Of one key one after the other: many at once, in however many processes, are not more than their number."""
    hashed, now = _hash(limit, key), clock.now()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(GUESS_LOCK, func.hashtext(hashed))))
    begins = max(now - LIMITS[limit].within, since or now - KEPT)
    count = session.scalar(select(func.count()).select_from(Guess).where(Guess.key == hashed, Guess.at > begins)) or 0
    if count >= LIMITS[limit].most:
        return False
    session.execute(insert(table(Guess)).values(key=hashed, at=now))
    return True


def _hash(limit: str, key: str) -> str:
    return hashlib.sha256(f"{limit} {key}".encode()).hexdigest()


def site_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the IPv6 network of one household."""
    try:
        found = plain_address(address)
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, SITE), strict=False))
