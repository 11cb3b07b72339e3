"""The log of runs: its filter as it stands in the address, a page of it, and its end: old runs go, a few at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session

from kanban.db import Record, row_count
from kanban.fold import fold
from kanban.i18n import N_
from kanban.ids import Arguments, read_id
from kanban.json_reader import JsonObject
from kanban.models import Event, Order
from kanban.queries.period import Period, read_period
from kanban.queries.sought import folded
from rules.definition.outcomes import Note, read_notes
from rules.logs.message_log import MOST_CHOICES, PERIODS
from rules.models import Message, Rule, RuleVersion, Run

PAGE = 50
PRUNED_AT_ONCE = 5_000  # SQLite's write lock is held for so many
OUTCOMES = {
    "done": N_("succeeded"),
    "nobody": N_("nobody to notify"),
    "failed": N_("failed"),
    "stopped": N_("stopped"),
    "logged": N_("logged only"),
}
FAILED = Run.outcome.in_([literal_column("'failed'"), literal_column("'stopped'")])  # as the index ix_run_failed has it
FILTERS = {"done": OUTCOMES["done"], "nobody": OUTCOMES["nobody"], "failed": N_("failed or stopped"), "logged": OUTCOMES["logged"]}


@dataclass(frozen=True)
class RunFilter:
    """number: a part of an order's number. order: one order's id. outcome: one of FILTERS. days: the last so many; else since
    and until, days of the firm, both included."""

    number: str = ""
    order: int | None = None
    rule: int | None = None
    outcome: str = ""
    days: int | None = None
    since: date | None = None
    until: date | None = None

    def query(self, **changed: object) -> Arguments:
        """The address's arguments, with some changed; None leaves one out."""
        now = {
            "number": self.number,
            "order": self.order,
            "rule": self.rule,
            "outcome": self.outcome,
            "days": self.days,
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
        }
        return {name: value for name, value in (now | changed).items() if value}

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.number:
            found.append(folded(Order.number).contains(fold(self.number), autoescape=True))
        if self.order:
            found.append(Event.order_id == self.order)
        if self.rule:
            found.append(Run.rule_id == self.rule)
        if self.outcome:
            found.append(FAILED if self.outcome == "failed" else Run.outcome == self.outcome)
        return found + Period(self.days, self.since, self.until).conditions(Run.at)


def read_run_filter(arguments: Mapping[str, str]) -> RunFilter:
    """What can't be understood is left out."""
    outcome = arguments.get("outcome", "")
    return RunFilter(
        number=arguments.get("number", "").replace("\x00", "").strip()[:40],
        order=read_id(arguments.get("order")),
        rule=read_id(arguments.get("rule")),
        outcome=outcome if outcome in FILTERS else "",
        **read_period(arguments, PERIODS)._asdict(),
    )


@dataclass(frozen=True)
class RunRow:
    """A line of the log: a run, its rule and version, its event and order (a list has neither), and how many messages it wrote."""

    id: int
    at: datetime
    outcome: str
    notes: list[Note]
    rule_id: int
    rule: str
    version: int | None
    event_id: int | None
    kind: str | None
    before: JsonObject | None
    after: JsonObject | None
    order_id: int | None
    number: str | None
    messages: int


def read_row(row: Record) -> RunRow:
    """A row of RUNS."""
    values = row._asdict()
    return RunRow(**values | {"notes": read_notes(values["notes"])})


_of_event = Message.event_id == Run.event_id
_of_list = and_(Run.event_id.is_(None), Message.event_id.is_(None), Message.created_at == Run.at)
_messages = (
    select(func.count())
    .select_from(Message)
    .where(Message.rule_id == Run.rule_id, Message.kind == "rule", or_(_of_event, _of_list))
    .scalar_subquery()
)
RUNS = (
    select(
        Run.id,
        Run.at,
        Run.outcome,
        Run.notes,
        Run.rule_id,
        Rule.name.label("rule"),
        RuleVersion.number.label("version"),
        Run.event_id,
        Event.kind,
        Event.before,
        Event.after,
        Event.order_id,
        Order.number,
        _messages.label("messages"),
    )
    .join(Rule, Rule.id == Run.rule_id)
    .outerjoin(RuleVersion, RuleVersion.id == Run.version_id)
    .outerjoin(Event, Event.id == Run.event_id)
    .outerjoin(Order, Order.id == Event.order_id)
    .order_by(Run.id.desc())
)


def run_page(session: Session, chosen: RunFilter, page: int) -> tuple[list[RunRow], bool]:
    """Runs of a page, newest first, and whether there are older ones."""
    rows = session.execute(RUNS.where(*chosen.conditions()).limit(PAGE + 1).offset((page - 1) * PAGE)).all()
    return [read_row(row) for row in rows[:PAGE]], len(rows) > PAGE


def last_runs(session: Session) -> dict[int, datetime]:
    """{rule id: when it ran last}, of rules that ever did."""
    last = select(Run.at).where(Run.rule_id == Rule.id).order_by(Run.id.desc()).limit(1).scalar_subquery()
    return {id_: at for id_, at in session.execute(select(Rule.id, last)) if at is not None}


def failed_runs(session: Session, since: datetime) -> dict[int, int]:
    """{rule id: how many of its runs failed or were stopped since}."""
    counts = select(Run.rule_id, func.count()).where(FAILED, Run.at > since).group_by(Run.rule_id)
    found: dict[int, int] = dict(session.execute(counts).all())
    return found


def run_choices(session: Session) -> list[tuple[int, str]]:
    """Rules with runs, as (id, name)."""
    rules = select(Rule.id, Rule.name).where(exists().where(Run.rule_id == Rule.id)).order_by(Rule.name, Rule.id)
    return [(id_, name) for id_, name in session.execute(rules.limit(MOST_CHOICES))]


def prune_runs(session: Session, before: datetime) -> bool:
    """Removes some of the oldest runs from before that time; whether there may be more. Ids grow with time, so only the
    first few are looked at, however many there are."""
    oldest = select(Run.id, Run.at).order_by(Run.id).limit(PRUNED_AT_ONCE).subquery()
    gone = row_count(
        session, delete(Run).where(Run.id.in_(select(oldest.c.id).where(oldest.c.at < before))).execution_options(synchronize_session=False)
    )
    return gone > 0
