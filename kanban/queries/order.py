"""One order, for its page: fields, people by role, links, its way, its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban import clock
from kanban.actor import Actor
from kanban.columns import ColumnRow, columns_of_boards
from kanban.db import table
from kanban.errors import NotFound
from kanban.events import Told, listeners
from kanban.fields import Field, catalogue_of
from kanban.i18n import _
from kanban.models import Board, Event, Order, Person, Role, Status, person_role
from kanban.policy import may_administer, may_move_into, may_write, why_not_into
from kanban.roles import How, resolve_role

MOST_EVENTS = 200
WITHIN, QUIET_FOR = timedelta(days=1), timedelta(minutes=10)  # how long an undo is offered in the history


@dataclass(frozen=True)
class StatusStep:
    """A status of the order's way. state: past, now or ahead; locked: why this person may not move it there."""

    status: ColumnRow
    state: str
    locked: str


class Member(NamedTuple):
    id: int
    name: str
    tone: str


@dataclass(frozen=True)
class RolePeople:
    """Who stands for a role on the order today, and how it comes: see kanban.roles."""

    role: Role
    how: How
    people: tuple[Member, ...]


@dataclass(frozen=True)
class Link:
    id: int
    number: str
    order_name: str
    icon: str
    status: Status
    responsible: str


@dataclass(frozen=True)
class Stay:
    """Time in one status, in seconds; share of the whole in percent."""

    name: str
    tone: str
    seconds: float
    start: float
    share: float


@dataclass(frozen=True)
class TimelineEntry:
    """One event of the history. stayed_s: how long the order had been in the status it left."""

    event: Event
    stayed_s: float | None


@dataclass(frozen=True)
class UndoOffer:
    """The move, or the placing, that can be taken back before anybody hears of it. told: who will not be told then."""

    event_id: int
    told: Told


@dataclass(frozen=True)
class OrderView:
    """further: columns, with their values, for which the page has no place laid out."""

    order: Order
    steps: tuple[StatusStep, ...]
    people: tuple[RolePeople, ...]
    links: tuple[Link, ...]
    lines: tuple[TimelineEntry, ...]
    stays: tuple[Stay, ...]
    days: int
    production: Board | None
    further: tuple[tuple[Field, object], ...] = ()
    undo: UndoOffer | None = None

    @property
    def following(self) -> StatusStep | None:
        ahead = [step for step in self.steps if step.state == "ahead"]
        return ahead[0] if ahead else None


def get_order(session: Session, order_id: int) -> Order:
    """The row alone. Raises NotFound."""
    order = session.get(Order, order_id)
    if order is None:
        raise NotFound(_("Order not found."))
    return order


def number_of(session: Session, order_id: int) -> str | None:
    return session.scalar(select(Order.number).where(Order.id == order_id))


def find_shown(session: Session, order_id: int) -> Order:
    """The order for showing. Raises NotFound."""
    order = session.scalar(
        select(Order)
        .where(Order.id == order_id)
        .options(
            joinedload(Order.board),
            joinedload(Order.status),
            joinedload(Order.customer),
            joinedload(Order.organisation),
            joinedload(Order.responsible),
            joinedload(Order.author),
            selectinload(Order.people),
        )
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound(_("Order not found."))
    return order


@dataclass(frozen=True)
class InStatus:
    id: int
    name: str
    phase: str


@dataclass(frozen=True)
class OrderSummary:
    """Where an order stands, as the answer to a change says it."""

    id: int
    number: str
    board_id: int
    source_id: int | None
    status: InStatus
    total: int
    paid: int


_O, _S = table(Order).c, table(Status).c
_SUMMARY = (
    select(_O.id, _O.number, _O.board_id, _O.source_id, _O.total, _O.paid, _S.id.label("status_id"), _S.name, _S.phase)
    .join(table(Status), _S.id == _O.status_id)
    .where(_O.id == bindparam("order_id"))
)


def order_summary(session: Session, order_id: int) -> OrderSummary:
    """Read anew, after the commit: what a verb gives back may have been changed, or left half loaded, by rules. Raises NotFound."""
    row = session.connection().execute(_SUMMARY, {"order_id": order_id}).one_or_none()
    if row is None:
        raise NotFound(_("Order not found."))
    return OrderSummary(row.id, row.number, row.board_id, row.source_id, InStatus(row.status_id, row.name, row.phase), row.total, row.paid)


def order_view(session: Session, person: Actor, order_id: int) -> OrderView:
    order = find_shown(session, order_id)
    events = history(session, order)
    links = links_of(session, order)
    return OrderView(
        order=order,
        steps=steps_of(session, person, order),
        people=_people(session, order),
        links=links,
        lines=_lines(events),
        stays=_stays(order, events),
        days=clock.days_since(order.entered_at, clock.today()),
        production=production_of(session, person, order, links),
        further=tuple((column, getattr(order, column.name)) for column in catalogue_of(order.board_id).further),
        undo=_undo_offer(session, person, events),
    )


def production_of(session: Session, person: Actor, order: Order, links: Sequence[Link]) -> Board | None:
    """The board on which this person can still make an order from this one."""
    board = session.scalar(select(Board).where(Board.source_id == order.board_id).order_by(Board.position).limit(1))
    is_made = board is not None and any(link.order_name == board.order_name for link in links)
    return board if may_write(person) and not is_made else None


def _undo_offer(session: Session, person: Actor, events: Sequence[Event]) -> UndoOffer | None:
    """While its messages wait; where there are none, for QUIET_FOR."""
    own = (event for event in events if event.kind != "order.commented" and event.cause_event_id is None)
    newest = next(own, None)
    if newest is None or newest.kind not in ("order.moved", "order.placed") or newest.undoes_id is not None:
        return None
    if newest.at < clock.now() - WITHIN or not (may_administer(person) or newest.actor_id == person.id):
        return None
    outcome = listeners.outcome_of(session, newest)
    is_quiet = not outcome.messages and newest.at > clock.now() - QUIET_FOR
    return UndoOffer(newest.id, outcome.told) if outcome.window_s or is_quiet else None


def steps_of(session: Session, person: Actor, order: Order) -> tuple[StatusStep, ...]:
    statuses = columns_of_boards(session, [order.board_id])
    here = next((place for place, one in enumerate(statuses) if one.id == order.status_id), 0)
    return tuple(
        StatusStep(one, "past" if place < here else "now" if place == here else "ahead", _locked(person, one))
        for place, one in enumerate(statuses)
    )


def steps_of_board(session: Session, person: Actor, board_id: int) -> tuple[StatusStep, ...]:
    """Of orders that stand in several statuses."""
    return tuple(StatusStep(one, "ahead", _locked(person, one)) for one in columns_of_boards(session, [board_id]))


def board_of_orders(session: Session, order_ids: Sequence[int]) -> int | None:
    """Of the first that is there."""
    return session.scalar(select(Order.board_id).where(Order.id.in_(order_ids)).order_by(Order.id).limit(1))


def _locked(person: Actor, status: ColumnRow) -> str:
    if may_move_into(person, status):
        return ""
    return why_not_into(status) if status.moving else _("You can view orders but not change them.")


def _people(session: Session, order: Order) -> tuple[RolePeople, ...]:
    roles = session.scalars(select(Role).order_by(Role.position, Role.id)).all()
    filled = {one.role_id: one.person_id for one in order.people}
    holders: dict[int, list[int]] = {role.id: [] for role in roles}
    people: dict[int, Member] = {}
    rows = session.execute(
        select(person_role.c.role_id, Person.id, Person.name, Person.tone)
        .outerjoin(person_role, person_role.c.person_id == Person.id)
        .where(Person.active, or_(person_role.c.role_id.is_not(None), Person.id.in_(list(filled.values()))))
        .order_by(Person.name, Person.id)
    )
    for role_id, *member in rows:
        people[member[0]] = Member(*member)
        if role_id in holders:
            holders[role_id].append(member[0])
    found = ((role, resolve_role(filled.get(role.id), order.responsible_id, holders[role.id], people.__contains__)) for role in roles)
    return tuple(RolePeople(role, one.how, tuple(people[id_] for id_ in one.people)) for role, one in found)


def links_of(session: Session, order: Order) -> tuple[Link, ...]:
    link = [Order.source_id == order.id]
    if order.source_id:
        link.append(Order.id == order.source_id)
    rows = session.scalars(
        select(Order)
        .where(or_(*link), Order.removed_at.is_(None))
        .order_by(Order.id)
        .options(joinedload(Order.board), joinedload(Order.status), joinedload(Order.responsible))
    )
    return tuple(
        Link(one.id, one.number, one.board.order_name, one.board.icon, one.status, one.responsible.name if one.responsible else "")
        for one in rows
    )


def history(session: Session, order: Order) -> list[Event]:
    """The newest first."""
    return list(session.scalars(select(Event).where(Event.order_id == order.id).order_by(Event.id.desc()).limit(MOST_EVENTS)))


def _lines(events: list[Event]) -> tuple[TimelineEntry, ...]:
    lines: list[TimelineEntry] = []
    entered_at: datetime | None = None
    for event in reversed(events):
        stayed = (event.at - entered_at).total_seconds() if entered_at and event.kind == "order.moved" else None
        lines.append(TimelineEntry(event, stayed))
        if event.kind in ("order.placed", "order.moved"):
            entered_at = event.at
    return tuple(reversed(lines))


def _stays(order: Order, events: list[Event]) -> tuple[Stay, ...]:
    """Time in each status, in the order they were first entered."""
    moves = [event for event in reversed(events) if event.kind in ("order.placed", "order.moved")]
    spent: dict[int, list[Any]] = {}
    for place, event in enumerate(moves):
        status: dict[str, Any] = event.after.get("status", {})
        until = moves[place + 1].at if place + 1 < len(moves) else clock.now()
        entry = spent.setdefault(status.get("id", 0), [status.get("name", ""), status.get("tone", "slate"), 0.0])
        entry[2] += max(0.0, (until - event.at).total_seconds())
    whole = sum(entry[2] for entry in spent.values()) or 1.0
    stays, start = [], 0.0
    for name, tone, seconds in spent.values():
        share = seconds / whole * 100
        stays.append(Stay(name, tone, seconds, start, share))
        start += share
    return tuple(stays)
