"""Figures of the log: messages per day and end, and the rule and the person with the most of them."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.models import Person
from rules.models import Message, Rule

DAYS = 30
SLACK = timedelta(days=7)  # how much later than its time a message may have left (limits, pauses) and still be counted
PARTS = ("sent", "tray", "waiting", "failed")  # as they stand in a bar, from the bottom
ENDS = ("sent", "tray", "failed")


@dataclass(frozen=True)
class Day:
    """How many messages of a day were sent, put into the tray, still wait, and failed."""

    on: date
    sent: int = 0
    tray: int = 0
    waiting: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        return self.sent + self.tray + self.waiting + self.failed


@dataclass(frozen=True)
class Most:
    """Who has the most messages."""

    id: int
    name: str
    count: int


@dataclass(frozen=True)
class Figures:
    """days: the last DAYS, oldest first."""

    days: list[Day]
    rule: Most | None
    person: Most | None

    def total(self, part: str) -> int:
        return sum(getattr(day, part) for day in self.days)


def figures(session: Session) -> Figures:
    """By three statements, whatever the number of messages."""
    return Figures(_days(session), _most(session, Rule), _most(session, Person))


def _days(session: Session) -> list[Day]:
    """A message belongs to the day it left; what waits or failed, to the day it should have, today at the latest."""
    today = clock.today()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    ends = [clock.start_of(day + timedelta(days=1)) for day in days]
    first = clock.start_of(days[0])
    at = func.coalesce(Message.sent_at, Message.due_at)
    is_waiting = Message.state.in_(("waiting", "sending"))
    number = case(*((at < end, place) for place, end in enumerate(ends)), else_=DAYS - 1)
    lately = and_(Message.state.in_(ENDS), Message.due_at >= first - SLACK, at >= first)
    one = select(number.label("day"), case((is_waiting, "waiting"), else_=Message.state).label("part")).where(or_(is_waiting, lately))
    each = one.subquery()
    found: list[dict[str, int]] = [{} for _ in days]
    for place, part, count in session.execute(select(each.c.day, each.c.part, func.count()).group_by(each.c.day, each.c.part)):
        found[place][part] = count
    return [Day(day, **parts) for day, parts in zip(days, found, strict=True)]


def _most(session: Session, model: type[Rule] | type[Person]) -> Most | None:
    """Messages of the last DAYS that were not cancelled, by the rule that wrote them or the person they are for."""
    whose = Message.rule_id if model is Rule else Message.person_id
    since = clock.start_of(clock.today() - timedelta(days=DAYS - 1))
    counted = (
        select(whose.label("id"), func.count().label("count"))
        .where(Message.state.in_((*ENDS, "waiting", "sending")), Message.due_at >= since, whose.is_not(None))
        .group_by(whose)
        .subquery()
    )
    row = session.execute(
        select(model.id, model.name, counted.c.count)
        .join(counted, counted.c.id == model.id)
        .order_by(counted.c.count.desc(), model.id)
        .limit(1)
    ).one_or_none()
    return Most(*row) if row else None
