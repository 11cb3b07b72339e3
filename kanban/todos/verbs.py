"""The verbs of to-dos: the only code that changes them.

Employees and administrators add and change; done is said by the person, a holder of the role, or an administrator, and those
and whoever wrote it remove it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.errors import Conflict, Forbidden, Invalid, NotFound
from kanban.events import record
from kanban.i18n import _
from kanban.live import publish
from kanban.models import TODO_KINDS, Order, Person, Role, Todo, person_role
from kanban.orders import find_order, linked, lock_order
from kanban.policy import require_write
from kanban.snapshot import snapshot
from kanban.wakeups import Topic, wake

MOST_TEXT = 500
MOST_OPEN = 200  # on one order
MOST_YEARS = 10
MORNING = time(9)  # when a to-do without a time calls


@dataclass(frozen=True)
class TodoFields:
    """Whose it is: a person's or a role's, one of the two."""

    text: str
    kind: str = "task"
    person_id: int | None = None
    role_id: int | None = None
    due_on: date | None = None
    due_time: time | None = None


def add(session: Session, actor: Actor, order_id: int, fields: TodoFields, *, key: str = "") -> Todo:
    """A new to-do; asked again with the same key, gives the first one. Raises NotFound, Forbidden, Invalid, Conflict."""
    require_write(actor)
    is_it = (Order.id == order_id, Order.removed_at.is_(None))
    if session.scalar(select(Order.id).where(*is_it).with_for_update(key_share=True)) is None:
        raise NotFound(_("Order not found."))
    first = session.scalar(select(Todo).where(Todo.key == key)) if key else None
    if first is not None:
        if first.order_id != order_id or first.author_id != (actor.id or None):
            raise Conflict(_("This request has already been used for something else. Reload the page and try again."))
        return first
    count = session.scalar(select(func.count()).select_from(Todo).where(Todo.order_id == order_id, Todo.done_at.is_(None))) or 0
    if count >= MOST_OPEN:
        raise Invalid(_("This order already has %(most)s open to-dos. Finish some first.", most=MOST_OPEN), "text")
    cause = actor.cause
    todo = Todo(
        order_id=order_id,
        author_id=actor.id or None,
        author_name=actor.name,
        key=key or None,
        cause_event_id=cause.event_id if cause else None,
        cause_rule_id=cause.rule_id if cause else None,
    )
    _write(session, todo, fields)
    session.add(todo)
    session.flush()
    _tell(session, todo)
    return todo


def change(session: Session, actor: Actor, todo_id: int, fields: TodoFields, *, version: int) -> Todo:
    """Raises NotFound, Forbidden, Invalid, and Conflict where somebody else was faster."""
    require_write(actor)
    todo = find_todo(session, todo_id)
    if todo.version != version:
        raise Conflict(_("Someone else has changed this to-do in the meantime. Check it and try again."))
    before = whose(session, todo)
    _write(session, todo, fields)
    session.flush()
    _tell(session, todo, before)
    return todo


def done(session: Session, actor: Actor, todo_id: int) -> Todo:
    """Ticks it off; said again it stays as it was. Raises NotFound, Forbidden."""
    todo = find_todo(session, todo_id)
    require_finish(actor, todo)
    if todo.done_at is None:
        todo.done_at, todo.done_by_id, todo.done_by_name = clock.now(), actor.id or None, actor.name
        todo.ring_at = None
        todo.version += 1
        _tell(session, todo)
    return todo


def undone(session: Session, actor: Actor, todo_id: int) -> Todo:
    """Opens it again; it calls only where its time is still to come. Raises NotFound, Forbidden."""
    todo = find_todo(session, todo_id)
    require_finish(actor, todo)
    if todo.done_at is not None:
        todo.done_at = todo.done_by_id = None
        todo.done_by_name = ""
        moment = due_at(todo.due_on, todo.due_time)
        todo.ring_at = moment if moment and moment > clock.now() else None
        wake(session, Topic.OUTBOX)
        todo.version += 1
        _tell(session, todo)
    return todo


def remove(session: Session, actor: Actor, todo_id: int) -> int:
    """Takes the right of saying that it is done, or having written it. Leaves a trace in the order's history, and fires no rules.
    Returns the order's id. Raises NotFound, Forbidden."""
    order_id = session.scalar(select(Todo.order_id).where(Todo.id == todo_id))
    if order_id is None:
        raise NotFound(_("To-do not found."))
    lock_order(session, order_id)  # before its to-do, as everywhere
    todo = find_todo(session, todo_id)
    if todo.author_id != actor.id:
        require_finish(actor, todo)
    require_write(actor)
    _tell(session, todo)
    session.delete(todo)
    order = find_order(session, order_id)
    record(
        session,
        order,
        "order.todo_removed",
        actor,
        facts=snapshot(order, actor, before=order.status, after=order.status, linked=linked(session, order)),
        before={"todo": todo.text, "is_done": todo.done_at is not None},
        quiet=True,
    )
    return order.id


def take_back(session: Session, event_ids: Collection[int]) -> None:
    """What rules gave people to do because of these events goes with them, unless it is done already."""
    found = select(Todo).where(Todo.cause_event_id.in_(list(event_ids)), Todo.done_at.is_(None)).order_by(Todo.id)
    for todo in session.scalars(found.with_for_update().execution_options(populate_existing=True)).all():
        _tell(session, todo)
        session.delete(todo)


def find_todo(session: Session, todo_id: int) -> Todo:
    """The to-do, for a change. Raises NotFound."""
    todo = session.scalar(
        select(Todo)
        .where(Todo.id == todo_id)
        .options(joinedload(Todo.order, innerjoin=True))
        .with_for_update(of=Todo)
        .execution_options(populate_existing=True)
    )
    if todo is None:
        raise NotFound(_("To-do not found."))
    return todo


def may_finish(person: Actor, person_id: int | None, role_id: int | None) -> bool:
    """The person whose it is, holders of its role, and administrators; a viewer never."""
    if person.access == "viewer":
        return False
    return person.access == "admin" or person_id == person.id or role_id in person.role_ids


def require_finish(person: Actor, todo: Todo) -> None:
    require_write(person)
    if not may_finish(person, todo.person_id, todo.role_id):
        raise Forbidden(_("Only the person the to-do is for and administrators can do this."))


def due_at(day: date | None, moment: time | None) -> datetime | None:
    """When it calls: at its time, or in the morning of its day."""
    return clock.at(day, moment or MORNING) if day else None


def whose(session: Session, todo: Todo) -> list[int]:
    """Active people it concerns: the person, or all holders of the role."""
    if todo.person_id is not None:
        return list(session.scalars(select(Person.id).where(Person.id == todo.person_id, Person.active)))
    query = select(Person.id).join(person_role, person_role.c.person_id == Person.id).where(person_role.c.role_id == todo.role_id)
    return list(session.scalars(query.where(Person.active).order_by(Person.id)))


def _write(session: Session, todo: Todo, fields: TodoFields) -> None:
    """Raises Invalid. It calls anew where its time or its person is another; where the time has gone by, at once."""
    _require(session, todo, fields)
    was = (todo.person_id, todo.role_id, todo.due_on, todo.due_time)
    todo.kind, todo.text = fields.kind, fields.text
    todo.person_id, todo.role_id = fields.person_id, fields.role_id
    todo.due_on, todo.due_time = fields.due_on, fields.due_time
    if (todo.person_id, todo.role_id, todo.due_on, todo.due_time) != was:
        todo.ring_at = due_at(todo.due_on, todo.due_time) if todo.done_at is None else None
        wake(session, Topic.OUTBOX)  # whoever rings may have to sooner
        todo.noticed_at = None
    todo.version = (todo.version or 0) + 1


def _require(session: Session, todo: Todo, fields: TodoFields) -> None:
    if not fields.text:
        raise Invalid(_("Enter what to do."), "text")
    if len(fields.text) > MOST_TEXT:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_TEXT), "text")
    if fields.kind not in TODO_KINDS:
        raise Invalid(_("This type of to-do does not exist."), "kind")
    if fields.due_time is not None and fields.due_on is None:
        raise Invalid(_("Choose a day as well."), "due_on")
    if fields.due_on is not None and abs(fields.due_on - clock.today()) > timedelta(days=366 * MOST_YEARS):
        raise Invalid(_("Choose a day within ten years."), "due_on")
    if (fields.person_id is None) == (fields.role_id is None):
        raise Invalid(_("Choose who the to-do is for."), "whose")
    person = session.get(Person, fields.person_id) if fields.person_id else None
    if fields.person_id and (person is None or not (person.active or person.id == todo.person_id)):
        raise Invalid(_("This choice no longer exists."), "whose")
    if fields.role_id and session.get(Role, fields.role_id) is None:
        raise Invalid(_("This choice no longer exists."), "whose")


def work_topics(session: Session, order_ids: Collection[int]) -> tuple[str, ...]:
    """Whose work shows open to-dos of these orders: it is out of date where the last of the orders ends, or one begins anew."""
    is_open = (Todo.order_id.in_(order_ids), Todo.done_at.is_(None))
    holders = select(person_role.c.person_id).join(Todo, Todo.role_id == person_role.c.role_id).where(*is_open)
    theirs = Person.id.in_(select(Todo.person_id).where(*is_open)) | Person.id.in_(holders)
    return tuple(f"work-{id_}" for id_ in session.scalars(select(Person.id).where(Person.active, theirs).order_by(Person.id)))


def _tell(session: Session, todo: Todo, others: Iterable[int] = ()) -> None:
    """The order's page is out of date, and the work of those it concerns."""
    people = {*whose(session, todo), *others}
    publish(session, f"order-{todo.order_id}", *(f"work-{id_}" for id_ in sorted(people)))
