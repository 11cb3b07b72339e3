"""To-dos: those of one order, for its page, and a person's own and their roles', for «My work» and its count."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.models import OVER, TODO_KINDS, Order, Person, Role, Status, Todo
from kanban.todos import due_at, may_finish

MOST_OPEN = 200
MOST_DONE = 20
LATELY = timedelta(days=7)
MOST_COUNTED = 100  # more is «99+»
GROUPS = ("overdue", "today", "later", "none", "done")


@dataclass(frozen=True)
class TodoLine:
    """group: one of GROUPS. whose: the person's or the role's name, "" where both are gone; tone: of a person."""

    id: int
    order_id: int
    number: str
    customer: str
    phone: str
    kind: str
    text: str
    due_on: date | None
    due_time: time | None
    group: str
    whose: str
    tone: str
    is_mine: bool
    can_finish: bool
    done_at: datetime | None
    done_by: str
    author: str
    by_rule: bool


@dataclass(frozen=True)
class WorkView:
    """groups: those that hold something, in their order. kinds: how many are open of each kind, before the filter."""

    kind: str
    groups: tuple[tuple[str, tuple[TodoLine, ...]], ...]
    kinds: dict[str, int]
    has_more: bool


@dataclass(frozen=True)
class Team:
    """Who a to-do may be given to, and whom a comment may mention."""

    people: tuple[Person, ...]
    roles: tuple[Role, ...]


def team_of(session: Session, also: int | None = None) -> Team:
    """also: a person who is offered though they have left, since the to-do is theirs."""
    offered = Person.active if also is None else Person.active | (Person.id == also)
    people = session.scalars(select(Person).where(offered).order_by(Person.name, Person.id).limit(300))
    return Team(tuple(people), tuple(session.scalars(select(Role).order_by(Role.position, Role.id))))


def todos_of_order(session: Session, who: Actor, order_id: int) -> tuple[TodoLine, ...]:
    """The open ones by their due time, then those done last."""
    here = Todo.order_id == order_id
    return _open(session, who, here, most=MOST_OPEN) + _done(session, who, here, most=MOST_DONE)


def my_work(session: Session, who: Actor, kind: str = "") -> WorkView:
    """kind: one of TODO_KINDS, or "" for all of them."""
    is_shown = Todo.order_id.not_in(select(Order.id).where(Order.removed_at.is_not(None)))
    mine = _mine(who) & is_shown & or_(Todo.done_at.is_not(None), goes_on())
    wanted = (mine, Todo.kind == kind) if kind else (mine,)
    lines = _open(session, who, *wanted, most=MOST_OPEN + 1)
    done = _done(session, who, *wanted, Todo.done_at > clock.now() - LATELY, most=MOST_DONE)
    by_group = {name: tuple(line for line in (*lines[:MOST_OPEN], *done) if line.group == name) for name in GROUPS}
    counts = dict(session.execute(select(Todo.kind, func.count()).where(mine, Todo.done_at.is_(None)).group_by(Todo.kind)).all())
    groups = tuple((name, found) for name, found in by_group.items() if found)
    return WorkView(kind, groups, {name: counts.get(name, 0) for name in TODO_KINDS}, len(lines) > MOST_OPEN)


def due_count(session: Session, who: Actor) -> int:
    """Open ones that are due today or were due before, among the first MOST_COUNTED."""
    due = select(Todo.id).where(_mine(who), goes_on(), Todo.done_at.is_(None), Todo.due_on <= clock.today()).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(due)) or 0


def _mine(who: Actor) -> ColumnElement[bool]:
    return or_(Todo.person_id == who.id, Todo.role_id.in_(who.role_ids)) if who.roles else Todo.person_id == who.id


def goes_on() -> ColumnElement[bool]:
    """Whether a to-do's order, the one it was made from, or one made from it is not over yet. When all are, nobody will do it,
    but for what was given since its order ended, such as asking the customer a week later."""
    here, linked = aliased(Order), aliased(Order)
    is_under_way = (
        select(Status.id)
        .join(linked, (linked.status_id == Status.id) & linked.removed_at.is_(None))
        .join(here, or_(linked.id == here.id, linked.id == here.source_id, linked.source_id == here.id))
    )
    is_since = Todo.created_at >= here.entered_at
    wanted = (here.id == Todo.order_id, here.removed_at.is_(None), or_(Status.phase.not_in(OVER), is_since))
    return is_under_way.where(*wanted).exists()


def _lines() -> Select[Todo]:
    return select(Todo).options(
        joinedload(Todo.order, innerjoin=True).joinedload(Order.customer, innerjoin=True), joinedload(Todo.person), joinedload(Todo.role)
    )


def _open(session: Session, who: Actor, *conditions: ColumnElement[bool], most: int) -> tuple[TodoLine, ...]:
    query = _lines().where(*conditions, Todo.done_at.is_(None))
    found = session.scalars(query.order_by(Todo.due_on.is_(None), Todo.due_on, Todo.id).limit(most))
    lines = [_line(todo, who) for todo in found]
    return tuple(sorted(lines, key=lambda line: (line.due_on or date.max, line.due_time or time(), line.id)))


def _done(session: Session, who: Actor, *conditions: ColumnElement[bool], most: int) -> tuple[TodoLine, ...]:
    query = _lines().where(*conditions, Todo.done_at.is_not(None))
    return tuple(_line(todo, who) for todo in session.scalars(query.order_by(Todo.done_at.desc(), Todo.id.desc()).limit(most)))


def _line(todo: Todo, who: Actor) -> TodoLine:
    order = todo.order
    return TodoLine(
        id=todo.id,
        order_id=todo.order_id,
        number=order.number,
        customer=order.customer.name,
        phone=order.customer.phone,
        kind=todo.kind,
        text=todo.text,
        due_on=todo.due_on,
        due_time=todo.due_time,
        group=_group(todo),
        whose=todo.person.name if todo.person else todo.role.name if todo.role else "",
        tone=todo.person.tone if todo.person else "",
        is_mine=todo.person_id == who.id or todo.role_id in who.role_ids,
        can_finish=may_finish(who, todo.person_id, todo.role_id),
        done_at=todo.done_at,
        done_by=todo.done_by_name,
        author=todo.author_name,
        by_rule=todo.cause_rule_id is not None,
    )


def _group(todo: Todo) -> str:
    """One that is due today with no time is not late before the day ends."""
    if todo.done_at is not None:
        return "done"
    if todo.due_on is None:
        return "none"
    moment = due_at(todo.due_on, todo.due_time)
    today = clock.today()
    if todo.due_on < today or (todo.due_time and moment and moment <= clock.now()):
        return "overdue"
    return "today" if todo.due_on == today else "later"
