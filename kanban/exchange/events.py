"""Events as rows, in order of commit."""

from collections.abc import Iterator

from sqlalchemy import Engine, select

from kanban.models import Event, Order

HEADER = ("event", "order", "from", "to", "key", "time", "actor", "kind", "undoes")
PAGE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def event_rows(engine: Engine) -> Iterator[tuple[object, ...]]:
    """(event id, order number, from, to, key, ISO time, actor, kind, undone event), read a page at a time."""
    last = 0
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                select(
                    Event.id, Order.number, Event.before, Event.after, Event.key, Event.at, Event.actor_name, Event.kind, Event.undoes_id
                )
                .join(Order, Event.order_id == Order.id)
                .where(Event.id > last)
                .order_by(Event.id)
                .limit(PAGE)
            ).all()
        for row in rows:
            yield (row[0], safe(row[1]), safe(_status(row[2])), safe(_status(row[3])), safe(row[4] or ""), row[5].isoformat(),
                   safe(row[6]), row[7], row[8] or "")  # fmt: skip
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _status(side: dict[str, dict[str, str]]) -> str:
    status = side.get("status")
    return status["name"] if isinstance(status, dict) else ""


def safe(text: str) -> str:
    """A spreadsheet must not take a typed text for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
