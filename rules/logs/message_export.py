"""The log of messages as rows of a table, without the messages' texts."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Engine, select

from kanban.exchange.events import PAGE
from kanban.models import Order
from rules.models import Delivery, Message, Rule

COLUMNS = ("queued", "state", "channel", "name", "address", "subject", "order", "rule", "from", "attempts", "sent", "answer", "message_id")
MOST_ANSWER = 500

_last = select(Delivery.sender).where(Delivery.message_id == Message.id).order_by(Delivery.id.desc()).limit(1).scalar_subquery()
_ROWS = (
    select(
        Message.id,
        Message.created_at,
        Message.state,
        Message.channel,
        Message.name,
        Message.address,
        Message.subject,
        Order.number,
        Rule.name.label("rule"),
        _last.label("sender"),
        Message.attempts,
        Message.sent_at,
        Message.error,
        Message.dropped,
        Message.message_id,
    )
    .outerjoin(Order, Order.id == Message.order_id)
    .outerjoin(Rule, Rule.id == Message.rule_id)
    .order_by(Message.id.desc())
    .limit(PAGE)
)


def message_rows(engine: Engine, conditions: Sequence[ColumnElement[bool]], words: dict[str, str]) -> Iterator[tuple[object, ...]]:
    """As COLUMNS say, newest first, read a page at a time; times of the firm. words: what states, channels and
    reasons of messages that were dropped are called."""
    query = _ROWS.where(*conditions)
    last: int | None = None
    while True:
        with engine.connect() as connection:
            rows = connection.execute(query if last is None else query.where(Message.id < last)).all()
        for row in rows:
            answer = " ".join((row.error or words.get(row.dropped, "")).split())[:MOST_ANSWER]
            yield (
                row.created_at,
                words[row.state],
                words[row.channel],
                row.name,
                row.address,
                row.subject,
                row.number,
                row.rule,
                row.sender,
                row.attempts,
                row.sent_at,
                answer,
                row.message_id,
            )
        if len(rows) < PAGE:
            return
        last = rows[-1].id
