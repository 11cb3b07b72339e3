"""To-dos that are due call at the bell: of the person, or of all who hold the role. Each calls once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.config import Config
from kanban.i18n import N_, _, force_locale
from kanban.models import Order, Person, Todo
from kanban.settings import setting
from kanban.todos import whose
from kanban.todos.queries import goes_on
from rules.definition.channels import Channel
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_key

BATCH = 100
TODO = "todo"
CALLS = {
    "task": N_("Task: %(what)s"),
    "reminder": N_("Reminder: %(what)s"),
    "calendar": N_("Calendar: %(what)s"),
    "contact": N_("Contact: %(what)s"),
}


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
    rows: list[OutboxEntry] = []
    for todo, is_wanted in due:  # what My work does not show any more calls nobody
        if is_wanted:
            rows += _notices(session, todo, now, language, config.public_host)
            todo.noticed_at = now
        todo.ring_at = None
    outbox.enqueue(session, [], rows)
    return len(due)


def _notices(session: Session, todo: Todo, now: datetime, language: str, host: str) -> list[OutboxEntry]:
    with force_locale(language):
        said = _(CALLS[todo.kind], what=todo.text)
    said = f"{said} · {todo.order.number}, {todo.order.customer.name}"
    people = session.execute(select(Person.id, Person.name, Person.email).where(Person.id.in_(whose(session, todo))))
    return [
        OutboxEntry(
            message_key(f"todo-{todo.id}-{todo.version}", Channel.NOTICE, person.email, TODO),
            TODO,
            Channel.NOTICE,
            person.name,
            person.email,
            said,
            said,
            language,
            host,
            now,
            now,
            person.id,
            order_id=todo.order_id,
        )
        for person in people
    ]
