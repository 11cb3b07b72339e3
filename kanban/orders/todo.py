"""A to-do that goes leaves a trace in its order's history."""

from sqlalchemy.orm import Session

from kanban import facts, todos
from kanban.actor import Actor
from kanban.events import record
from kanban.orders.find import find_order, linked


def remove_todo(session: Session, actor: Actor, todo_id: int) -> int:
    """The order's id. Fires no rules. Raises NotFound, Forbidden."""
    todo = todos.remove(session, actor, todo_id)
    order = find_order(session, todo.order_id)
    record(
        session, order, "order.todo_removed", actor,
        facts=facts.snapshot(order, actor, before=order.status, after=order.status, linked=linked(session, order)),
        before={"todo": todo.text, "is_done": todo.done_at is not None}, quiet=True,
    )  # fmt: skip
    return order.id
