"""The security journal, read: its filter as it stands in the address, a page of it, all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Engine, func, or_, select
from sqlalchemy.orm import Session

from kanban.ids import Arguments, read_id
from kanban.journal import Kind
from kanban.models import SecurityEvent
from kanban.queries.period import Period, read_period

PAGE = 50


@dataclass(frozen=True)
class JournalFilter:
    """text: in names, in what was typed, or an address. since, until: days of the firm, both included."""

    kind: Kind | None = None
    text: str = ""
    since: date | None = None
    until: date | None = None

    def query(self, **changed: object) -> Arguments:
        """The address's arguments, with some changed; None leaves one out."""
        now = {
            "kind": self.kind,
            "text": self.text,
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
        }
        return {name: value for name, value in (now | changed).items() if value}

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.kind:
            found.append(SecurityEvent.kind == self.kind)
        if self.text:
            said = self.text.casefold()
            columns = (SecurityEvent.who, SecurityEvent.about, SecurityEvent.address)
            found.append(or_(*(func.lower(column).contains(said, autoescape=True) for column in columns)))
        return found + Period(None, self.since, self.until).conditions(SecurityEvent.at)


def read_journal_filter(arguments: Mapping[str, str]) -> JournalFilter:
    """What can't be understood is left out."""
    kind, period = arguments.get("kind", ""), read_period(arguments)
    return JournalFilter(
        Kind(kind) if kind in set(Kind) else None,
        arguments.get("text", "").replace("\x00", "").strip()[:80],
        period.since,
        period.until,
    )


def journal_page(session: Session, chosen: JournalFilter, before: object) -> tuple[list[SecurityEvent], bool]:
    """(the newest lines before that id, whether there are older ones)"""
    conditions, id_ = chosen.conditions(), read_id(str(before)) if before else None
    if id_:
        conditions.append(SecurityEvent.id < id_)
    rows = list(session.scalars(select(SecurityEvent).where(*conditions).order_by(SecurityEvent.id.desc()).limit(PAGE + 1)))
    return rows[:PAGE], len(rows) > PAGE


def journal_rows(engine: Engine, chosen: JournalFilter) -> Iterator[SecurityEvent]:
    """All of it, the oldest first, a few at a time."""
    last = 0
    while True:
        with Session(engine, expire_on_commit=False) as session:
            query = select(SecurityEvent).where(*chosen.conditions(), SecurityEvent.id > last).order_by(SecurityEvent.id).limit(500)
            rows = list(session.scalars(query))
        yield from rows
        if not rows:
            return
        last = rows[-1].id
