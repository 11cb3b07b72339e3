"""To-dos that are due call at the bell: of the person, or of all who hold the role. Each calls once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.config import Config
from kanban.i18n import N_, _, force_locale
from kanban.models import Order, Person, Todo
from kanban.queries.work import goes_on
from kanban.settings import setting
from kanban.todos import whose
from rules.post import outbox

BATCH = 100
TODO = "todo"
CALLS = {
    "task": N_("Task: %(what)s"), "reminder": N_("Reminder: %(what)s"), "calendar": N_("Calendar: %(what)s"),
    "contact": N_("Contact: %(what)s"),
}  # fmt: skip


def is_due(session: Session, now: datetime) -> bool:
    """By a look at the index."""
    return session.scalar(select(Todo.id).where(Todo.ring_at <= now).limit(1)) is not None


def ring(session: Session, now: datetime, config: Config) -> int:
    """Puts a notice for each to-do that is due, at most BATCH of them, the longest due first; returns how many called.

    The rows are locked, and marked with their notices in one transaction; of two workers the second finds the next ones.
    """
    due = session.execute(
        select(Todo, goes_on())
        .where(Todo.ring_at <= now)
        .options(joinedload(Todo.order, innerjoin=True).joinedload(Order.customer, innerjoin=True))
        .order_by(Todo.ring_at, Todo.id)
        .limit(BATCH)
        .with_for_update(of=Todo, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    language = setting(session, "language")
    rows = []
    for todo, is_wanted in due:  # what My work does not show any more calls nobody
        if is_wanted:
            rows += _notices(session, todo, now, language, config.public_host)
            todo.noticed_at = now
        todo.ring_at = None
    outbox.enqueue(session, [], rows)
    return len(due)


def _notices(session: Session, todo: Todo, now: datetime, language: str, host: str) -> list[dict[str, object]]:
    with force_locale(language):
        said = _(CALLS[todo.kind], what=todo.text)
    said = f"{said} · {todo.order.number}, {todo.order.customer.name}"
    rows = []
    for one in session.execute(select(Person.id, Person.name, Person.email).where(Person.id.in_(whose(session, todo)))):
        key = outbox.message_key(f"todo-{todo.id}-{todo.version}", "notice", one.email, TODO)
        rows.append(
            {
                "key": key, "kind": TODO, "channel": "notice", "event_id": None, "order_id": todo.order_id, "person_id": one.id,
                "name": one.name, "address": one.email, "subject": said[:400], "text": said, "language": language, "layout": {},
                "message_id": outbox.message_id(key, host), "state": "waiting", "due_at": now, "attempts": 0, "error": "",
                "note": "", "reply_to": "", "created_at": now,
            }
        )  # fmt: skip
    return rows
