"""The health of mail accounts and gateways: what they last did and said, pauses, and a row each for their pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from kanban.models import Person
from kanban.wakeups import Topic, wake
from rules.models import Delivery, Gateway, MailAccount, Message, Outlet
from rules.post.limits import Used, goes_on_at, usage, used

MOST_PAUSE = timedelta(minutes=15)
KIND_ORDER = {"environment": 0, "system": 1, "named": 2, "person": 3}


def is_awake(stored: Outlet, now: datetime) -> bool:
    """Whether nobody asked it to wait."""
    return stored.paused_until is None or stored.paused_until <= now


def note_sent(session: Session, stored: Outlet, at: datetime, *, wakes: bool = False) -> None:
    """It works: its failures are forgotten. A pause that still runs stays, unless `wakes`: it may be newer than this message."""
    model, which = type(stored), stored.is_row
    if wakes:
        wake(session, Topic.OUTBOX)
    values = {"last_sent_at": at, "failures": 0} | ({"paused_until": None} if wakes else {})
    session.execute(update(model).where(which).values(values).execution_options(synchronize_session=False))
    _forget(session, stored)


def note_error(session: Session, stored: Outlet, error: str, at: datetime, until: datetime | None = None) -> None:
    """What it last said, and until when it is left alone. A pause that is longer already stays."""
    model, which = type(stored), stored.is_row
    said = update(model).where(which).values(last_error=error, last_error_at=at, failures=model.failures + 1)
    session.execute(said.execution_options(synchronize_session=False))
    if until is not None:
        shorter = or_(model.paused_until.is_(None), model.paused_until < until)
        rests = update(model).where(which, shorter).values(paused_until=until)
        session.execute(rests.execution_options(synchronize_session=False))
    _forget(session, stored)


def _forget(session: Session, stored: Outlet) -> None:
    """What the session knows of the row is old now."""
    if stored in session:
        session.expire(stored)


def pause_until(failures: int, asked_s: int | None, now: datetime, first_s: int, cap_s: int) -> datetime:
    """As long as the other side asks; else `first_s`, doubling with each failure in a row, up to `cap_s`, or a quarter of an hour
    where that is less: whoever mends an account need not wait for long."""
    if asked_s is not None:
        return now + timedelta(seconds=asked_s)
    return now + min(timedelta(seconds=first_s * (1 << min(failures, 20))), MOST_PAUSE, timedelta(seconds=cap_s))


S = TypeVar("S", MailAccount, Gateway)


@dataclass(frozen=True)
class Health(Generic[S]):
    """state: works, paused, limit (nothing more for now), bad, or untried. until: when a paused or full one goes on."""

    stored: S
    person: Person | None
    waiting: int
    used: Used
    state: str
    until: datetime | None

    @property
    def limit(self) -> tuple[int, int, str] | None:
        """(used, of, "day" or "hour") of the limit that is nearest to its end."""
        kinds = ((self.used.day, self.stored.per_day, "day"), (self.used.hour, self.stored.per_hour, "hour"))
        known = [one for one in kinds if one[1]]
        return max(known, key=lambda one: one[0] / one[1]) if known else None


def health_of_all(session: Session, now: datetime, system_id: int | None) -> list[Health[MailAccount]]:
    """Every account there is; system_id: the one that has the messages of no account."""
    rows = session.execute(select(MailAccount, Person).outerjoin(Person, Person.id == MailAccount.person_id)).all()
    pairs = sorted(
        ((row[0], row[1]) for row in rows), key=lambda pair: (KIND_ORDER[pair[0].kind], pair[1].name if pair[1] else pair[0].address)
    )
    return _health(session, pairs, now, system_id)


def health_of(session: Session, stored: MailAccount, now: datetime, system_id: int | None) -> Health[MailAccount]:
    person = session.get(Person, stored.person_id) if stored.person_id else None
    return _health(session, [(stored, person)], now, system_id)[0]


def _health(
    session: Session, pairs: Sequence[tuple[MailAccount, Person | None]], now: datetime, system_id: int | None
) -> list[Health[MailAccount]]:
    waiting = {
        account_id or system_id: count
        for account_id, count in session.execute(
            select(Message.account_id, func.count())
            .where(Message.channel == "email", Message.state.in_(("waiting", "sending")))
            .group_by(Message.account_id)
        )
    }
    of_accounts = usage(now).add_columns(Delivery.account_id).where(Delivery.account_id.is_not(None)).group_by(Delivery.account_id)
    used_by = {row[-1]: Used(*row[:-1]) for row in session.execute(of_accounts)}
    return [
        _one(stored, person, waiting.get(stored.id, 0), used_by.get(stored.id, Used(0, 0, None, None)), now) for stored, person in pairs
    ]


def health_of_gateway(session: Session, stored: Gateway, now: datetime) -> Health[Gateway]:
    waiting = select(func.count()).where(Message.channel == stored.channel, Message.state.in_(("waiting", "sending")))
    return _one(stored, None, session.scalar(waiting) or 0, used(session, stored, now), now)


def _one(stored: S, person: Person | None, waiting: int, used: Used, now: datetime) -> Health[S]:
    full_until = goes_on_at(stored, used)
    if not is_awake(stored, now):
        return Health(stored, person, waiting, used, "paused", stored.paused_until)
    if stored.last_error_at and (not stored.last_sent_at or stored.last_error_at > stored.last_sent_at):
        return Health(stored, person, waiting, used, "bad", None)
    if full_until is not None:
        return Health(stored, person, waiting, used, "limit", full_until)
    return Health(stored, person, waiting, used, "works" if stored.last_sent_at else "untried", None)


def without_account(session: Session, most: int = 200) -> list[Person]:
    """Employees who have none, by name."""
    has = select(MailAccount.id).where(MailAccount.person_id == Person.id).exists()
    return list(session.scalars(select(Person).where(Person.active, ~has).order_by(Person.name, Person.id).limit(most)))


@dataclass(frozen=True)
class Resting:
    """A mail account that is left alone just now. error: what its server said last."""

    address: str
    error: str
    until: datetime


def resting(session: Session, now: datetime) -> list[Resting]:
    rows = session.execute(
        select(MailAccount.address, MailAccount.last_error, MailAccount.paused_until)
        .where(MailAccount.paused_until > now)
        .order_by(MailAccount.id)
        .limit(5)
    )
    return [Resting(address, error, until) for address, error, until in rows if until is not None]
