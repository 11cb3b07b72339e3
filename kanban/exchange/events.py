"""Events as rows, in order of commit."""

from collections.abc import Iterator

from sqlalchemy import Engine, select

from kanban.models import Event, Order

COLUMNS = ("event", "order", "from", "to", "key", "time", "actor", "kind", "undoes")
PAGE = 1000
_ROWS = (
    select(Event.id, Order.number, Event.before, Event.after, Event.key, Event.at, Event.actor_name, Event.kind, Event.undoes_id)
    .join(Order, Event.order_id == Order.id)
    .order_by(Event.id)
    .limit(PAGE)
)


def event_rows(engine: Engine) -> Iterator[tuple[object, ...]]:
    """As COLUMNS say, read a page at a time."""
    last = 0
    while True:
        with engine.connect() as connection:
            rows = connection.execute(_ROWS.where(Event.id > last)).all()
        for row in rows:
            yield (row.id, row.number, _status(row.before), _status(row.after), row.key, row.at, row.actor_name, row.kind, row.undoes_id)
        if len(rows) < PAGE:
            return
        last = rows[-1].id


def _status(side: dict[str, dict[str, str]]) -> str:
    status = side.get("status")
    return status["name"] if isinstance(status, dict) else ""
