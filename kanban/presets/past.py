"""The past of the demo workshop as steps, each to be made by the verbs at its own time. The same on every day it is made.

Times are counted in working minutes before today, on the firm's working days from nine to six; so all of it has gone by,
whatever the hour, and orders are placed and moved in the same order on whatever weekday the demo starts.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import accumulate

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock, orders, todos
from kanban.actor import Actor
from kanban.calendar import Calendar
from kanban.models import Order
from kanban.orders import OrderFields, fields_of, find_order
from kanban.presets.loaded import Content, Loaded
from kanban.todos import TodoFields, due_at

OPENS = time(9)
DAY = 9 * 60  # working minutes of a day
MISTAKE = timedelta(seconds=6)  # after which a wrong move is taken back, within the undo window
DEPOSIT = 50  # per cent, where the order says nothing else
# The way of an order, and how long each step takes beside the others. Every second kitchen is paid for before it is made.
MADE_FIRST = {
    "placed": 0.0,
    "ready": 5.0,
    "prepaid": 3.0,
    "making": 0.5,
    "assembly": 4.0,
    "made": 3.0,
    "paid": 1.0,
    "install": 2.0,
    "closed": 1.0,
}
PAID_FIRST = {
    "placed": 0.0,
    "ready": 5.0,
    "prepaid": 3.0,
    "making": 0.5,
    "paid": 1.5,
    "assembly": 3.0,
    "made": 3.0,
    "install": 2.0,
    "closed": 1.0,
}
AHEAD = {"placed": 0.0, "ready": 5.0, "making": 3.0, "prepaid": 1.0, "assembly": 4.0, "made": 3.0}
BOUGHT = ("placed", "ready", "prepaid", "paid", "install", "closed")
WORK = ("making", "assembly", "made")
WAIT = 4.0  # since the last step of a production order, if it came all its way
BY = {"ready": "designer", "prepaid": "accountant", "paid": "accountant", "assembly": "technologist", "made": "technologist"}


@dataclass(frozen=True)
class PastStep:
    """Something that happened, to be made while the clock is fixed at its time."""

    at: datetime
    make: Callable[[Session], object]


@dataclass
class Past:
    """ids: of orders by their place in the list, as they are placed. calls: when to-dos rang, the bell being not of this package."""

    loaded: Loaded
    people: dict[str, Actor]
    organisations: list[int]
    calendar: Calendar
    today: date
    ids: dict[int, int] = field(default_factory=dict)
    calls: list[datetime] = field(default_factory=list)

    def steps(self, content: Content) -> list[PastStep]:
        """All that happened, in order of time, beginning with the first order."""
        rows: dict[int, Content] = dict(enumerate(content["orders"], 1))
        ways = {place: way(row, place) for place, row in rows.items()}
        found = [step for place, row in rows.items() for step in self._go(place, row, ways[place])]
        for said in content["life"]:
            found += self._live(said, ways[said["order"]][said["after"]] + said["plus"])
        return sorted(found, key=lambda step: step.at)

    def moment(self, minutes: int) -> datetime:
        """Working minutes from the beginning of today, negative for before. Raises ValueError for what is not before."""
        if minutes >= 0:
            raise ValueError(f"{minutes} minutes later is not in the past")
        days, minute = divmod(minutes, DAY)
        start = clock.at(self.calendar.shift(self.today, days), OPENS)
        return start + timedelta(minutes=minute, seconds=minutes * 37 % 60)

    # The way of an order

    def _go(self, place: int, row: Content, times: dict[str, int]) -> Iterator[PastStep]:
        yield PastStep(self.moment(times["placed"]), partial(self._place, place=place, row=row))
        for step, minutes in times.items():
            share = {"prepaid": row.get("deposit", row["paid"] if row["status"] == "prepaid" else DEPOSIT), "paid": 100}.get(step)
            if share:
                yield PastStep(self.moment(minutes - 5 - place % 9), partial(self._pay, place=place, share=share))
            if step == "making" and row.get("production") != "by_rule":
                yield PastStep(self.moment(minutes), partial(self._produce, place=place))
            elif step not in ("placed", "making"):
                by = self._mover(step, place, row)
                yield PastStep(self.moment(minutes), partial(self._move, place=place, step=step, by=by))

    def _mover(self, step: str, place: int, row: Content) -> Actor:
        """Whoever the step is the work of; else, and now and then for a prepayment, who is responsible for the order."""
        own = step not in BY or (step == "prepaid" and place % 3 == 0)
        return self.people[row["who"] if own else BY[step]]

    def _place(self, session: Session, place: int, row: Content) -> None:
        seller = row["who"] if row["who"] != "designer" else "manager" if place % 2 else "assistant"
        placed = orders.place(session, self.people[seller], self.loaded.boards["orders"].id, self._fields(place, row))
        self.ids[place] = placed.order.id

    def _fields(self, place: int, row: Content) -> OrderFields:
        digits = f"{row['total'] * 7919 % 10_000_000:07d}"
        ships = self.today + timedelta(days=row["ship"])
        return OrderFields(
            customer_name=row["customer"],
            customer_phone=f"+7 900 {digits[:3]}-{digits[3:5]}-{digits[5:]}",
            organisation_id=self.organisations[1 if place % 5 == 0 else 0],
            responsible_id=self.people[row["who"]].id,
            tags=row.get("tags", []),
            people={self.loaded.roles[role].id: self.people[role].id for role in ("manager", "designer")},
        ).with_values(
            title=row["title"],
            order_on=clock.today(),
            ship_on=ships,
            installation_on=ships + timedelta(days=2),
            installation_address=row["address"],
            total=row["total"] * 100,
            description=row.get("wish", ""),
        )

    def _pay(self, session: Session, place: int, share: int) -> None:
        order = find_order(session, self.ids[place])
        fields = fields_of(order).with_values(paid=order.total * share // 100)
        orders.change(session, self.people["accountant"], order.id, fields, version=order.version)

    def _produce(self, session: Session, place: int) -> None:
        orders.make_production(session, self.people["manager"], self.ids[place])

    def _move(self, session: Session, place: int, step: str, by: Actor) -> orders.Moved:
        which = Order.source_id if step in WORK else Order.id
        id_, version = session.execute(select(Order.id, Order.version).where(which == self.ids[place])).one()
        return orders.move(session, by, id_, status_id=self.loaded.statuses[step].id, before="", version=version)

    # What happened beside it

    def _live(self, said: Content, minutes: int) -> Iterator[PastStep]:
        at, place, who = self.moment(minutes), said["order"], self.people[said["who"]]
        if "say" in said:
            yield PastStep(at, lambda session: orders.comment(session, who, self.ids[place], said["say"]))
        elif "pay" in said:
            yield PastStep(at, partial(self._pay, place=place, share=said["pay"]))
        elif "change" in said:
            yield PastStep(at, partial(self._change, place=place, who=who, **said["change"]))
        elif "mistake" in said:
            made: list[orders.Moved] = []
            yield PastStep(at, lambda session: made.append(self._move(session, place, said["mistake"], who)))
            yield PastStep(at + MISTAKE, lambda session: self._take_back(session, who, made[0]))
        else:
            yield from self._do(said, minutes, who)

    def _change(self, session: Session, place: int, who: Actor, total: int | None = None, ship: int | None = None) -> None:
        order = find_order(session, self.ids[place])
        fields = fields_of(order)
        if total is not None:
            fields = fields.with_values(total=total * 100)
        if ship is not None:
            ships = self.today + timedelta(days=ship)
            fields = fields.with_values(ship_on=ships, installation_on=ships + timedelta(days=2))
        orders.change(session, who, order.id, fields, version=order.version)

    def _take_back(self, session: Session, who: Actor, moved: orders.Moved) -> None:
        assert moved.event is not None
        orders.undo(session, who, moved.order.id, moved.event.id)

    def _do(self, said: Content, minutes: int, who: Actor) -> Iterator[PastStep]:
        """A to-do: given, perhaps called, perhaps done."""
        at, place, whose = self.moment(minutes), said["order"], self.people[said["whose"]]
        on = self._working_day(clock.day_of(at), said["due"]) if "due" in said else self._working_day(self.today, said["due_now"])
        hour = time.fromisoformat(said["time"]) if "time" in said else None
        fields = TodoFields(said["todo"], said["kind"], whose.id, None, on, hour)
        given: list[int] = []
        yield PastStep(at, lambda session: given.append(todos.add(session, who, self.ids[place], fields).id))
        done = self.moment(minutes + said["done"]) if "done" in said else None
        rings = due_at(on, hour)
        if rings and at < rings < (done or clock.start_of(self.today)):
            self.calls.append(rings)
        if done:
            yield PastStep(done, lambda session: todos.done(session, whose, given[0]))

    def _working_day(self, day: date, later: int) -> date:
        """A day of work that many of them later; 0: the day itself, or the first working one after it."""
        return self.calendar.shift(day, later) if later else self.calendar.shift(day - timedelta(days=1), 1)


def way(row: Content, place: int) -> dict[str, int]:
    """When an order came to each step of its way, in working minutes before today: from its placing to the status it is in now
    evenly by the steps' lengths, then the production order alone."""
    draw = random.Random(place)
    lengths = AHEAD if row.get("production") == "ahead" else MADE_FIRST if place % 2 else PAID_FIRST
    steps = _steps(row, lengths)
    begin = _sometime(row["placed"], draw)
    if len(steps) == 1:
        return {"placed": begin}
    now = len(steps) if row["status"] == "paid_ready" else steps.index(row["status"]) + 1
    end = _sometime(row["age"], draw)
    so_far = list(accumulate(lengths[step] for step in steps[:now]))
    times = {step: begin + round((end - begin) * length / so_far[-1]) for step, length in zip(steps, so_far, strict=False)}
    whole = sum(lengths[step] for step in WORK) + WAIT
    since = accumulate(lengths[step] for step in steps[now:])
    return times | {step: end + round(-end * length / whole) for step, length in zip(steps[now:], since, strict=True)}


def _steps(row: Content, lengths: dict[str, float]) -> list[str]:
    """The steps that lie behind the order. Paid and ready it is by itself, once it is both."""
    status = {"design": "placed", "paid_ready": "paid"}.get(row["status"], row["status"])
    bought = BOUGHT[: BOUGHT.index(status) + 1]
    made = WORK[: WORK.index(row["work"]) + 1] if "work" in row else ()
    return [step for step in lengths if step in bought or step in made]


def _sometime(days: int, draw: random.Random) -> int:
    """A minute of that working day, with room for what follows on the same day."""
    return -days * DAY + draw.randrange(20, DAY - 180)
