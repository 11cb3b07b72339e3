"""The log of messages: its filter as it stands in the address, a page of it, and one message with its attempts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from kanban.errors import NotFound
from kanban.i18n import _
from kanban.ids import Arguments, read_id
from kanban.models import Order, Person
from kanban.queries.period import Period, read_period
from kanban.queries.sought import folded, occurs_in, read_sought
from kanban.settings import country
from rules.definition.channels import Channel
from rules.models import STATES, Delivery, MailAccount, Message, Rule
from rules.running.mentions import MENTION
from rules.running.reminders import TODO

PAGE = 50
MOST_PAGE = 100_000
MOST_CHOICES = 1_000
MOST_ATTEMPTS = 50
PERIODS = (7, 30)
FIRM = "firm"


@dataclass(frozen=True)
class LogFilter:
    """q: words that must all occur in address, name, subject or order number. account: "firm" or an account's id as text.
    days: the last so many; else since and until, days of the firm, both included."""

    q: str = ""
    state: str = ""
    channel: str = ""
    account: str = ""
    rule: int | None = None
    person: int | None = None
    days: int | None = None
    since: date | None = None
    until: date | None = None

    def query(self, **changed: object) -> Arguments:
        """The address's arguments, with some changed; None leaves one out."""
        now = {
            "q": self.q,
            "state": self.state,
            "channel": self.channel,
            "account": self.account,
            "rule": self.rule,
            "person": self.person,
            "days": self.days,
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
        }
        return {name: value for name, value in (now | changed).items() if value}

    def conditions(self) -> list[ColumnElement[bool]]:
        found = _says(self.q) if self.q else []
        if self.state:
            found.append(Message.state.in_(("waiting", "sending")) if self.state == "waiting" else Message.state == self.state)
        if self.channel:
            found.append(Message.channel == self.channel)
        if self.account == FIRM:
            found += [Message.channel == "email", Message.account_id.is_(None)]
        elif self.account:
            found.append(Message.account_id == int(self.account))
        if self.rule:
            found.append(Message.rule_id == self.rule)
        if self.person:
            found.append(Message.person_id == self.person)
        return found + Period(self.days, self.since, self.until).conditions(Message.created_at)


def _says(text: str) -> list[ColumnElement[bool]]:
    number = select(Order.number).where(Order.id == Message.order_id).correlate(Message).scalar_subquery()
    said = Message.address + " " + Message.name + " " + Message.subject + " " + func.coalesce(number, "")
    return occurs_in(read_sought(text, country()), folded(said))  # once a row: on SQLite it is a function of Python's


def read_log_filter(arguments: Mapping[str, str]) -> LogFilter:
    """What can't be understood is left out."""
    state, channel = arguments.get("state", ""), arguments.get("channel", "")
    account = arguments.get("account", "")
    own = read_id(account)
    return LogFilter(
        q=arguments.get("q", "").replace("\x00", "").strip()[:100],
        state=state if state in STATES and state != "sending" else "",
        channel=channel if channel in tuple(Channel) else "",
        account=FIRM if account == FIRM else str(own) if own else "",
        rule=read_id(arguments.get("rule")),
        person=read_id(arguments.get("person")),
        **read_period(arguments, PERIODS)._asdict(),
    )


@dataclass(frozen=True)
class LogRow:
    """A line of the log; named as the message's own columns are."""

    id: int
    state: str
    attempts: int
    due_at: datetime
    created_at: datetime
    channel: Channel
    name: str
    address: str
    subject: str


def log_page(session: Session, chosen: LogFilter, page: int) -> tuple[list[LogRow], bool]:
    """Messages of a page, newest first, and whether there are older ones."""
    rows = session.execute(
        select(
            Message.id,
            Message.state,
            Message.attempts,
            Message.due_at,
            Message.created_at,
            Message.channel,
            Message.name,
            Message.address,
            Message.subject,
        )
        .where(*chosen.conditions())
        .order_by(Message.id.desc())
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    ).all()
    shown = [
        LogRow(row.id, row.state, row.attempts, row.due_at, row.created_at, Channel(row.channel), row.name, row.address, row.subject)
        for row in rows[:PAGE]
    ]
    return shown, len(rows) > PAGE


def find_message(session: Session, message_id: int) -> Message:
    """Raises NotFound."""
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound(_("Message not found."))
    return message


def messages_of_order(session: Session, order_id: int, most: int) -> list[Message]:
    """Newest first; without mentions and reminders, which stand beside the order already."""
    told = select(Message).where(Message.order_id == order_id, Message.kind.not_in((MENTION, TODO)))
    return list(session.scalars(told.order_by(Message.id.desc()).limit(most)))


@dataclass(frozen=True)
class LogChoices:
    """What may be filtered by: (id, name), rules and people of whom there are messages, accounts beside the firm's own."""

    rules: list[tuple[int, str]]
    people: list[tuple[int, str]]
    accounts: list[tuple[int, str]]


def log_choices(session: Session) -> LogChoices:
    rules = select(Rule.id, Rule.name).where(exists().where(Message.rule_id == Rule.id)).order_by(Rule.name, Rule.id)
    people = select(Person.id, Person.name).where(exists().where(Message.person_id == Person.id)).order_by(Person.name, Person.id)
    accounts = (
        select(MailAccount.id, MailAccount.address)
        .where(MailAccount.kind.in_(("person", "named")))
        .order_by(MailAccount.address, MailAccount.id)
    )
    return LogChoices(*([(id_, name) for id_, name in session.execute(one.limit(MOST_CHOICES))] for one in (rules, people, accounts)))


@dataclass(frozen=True)
class OpenedMessage:
    """A message with all that led to it and came of it. failed_account: the own account it did not go by."""

    message: Message
    deliveries: list[Delivery]
    rule: tuple[int, str] | None
    order: tuple[int, str] | None
    failed_account: str


def opened(session: Session, message: Message) -> OpenedMessage:
    rows = session.execute(
        select(Delivery, MailAccount.kind)
        .outerjoin(MailAccount, MailAccount.id == Delivery.account_id)
        .where(Delivery.message_id == message.id)
        .order_by(Delivery.id.desc())
        .limit(MOST_ATTEMPTS)
    ).all()
    rule = session.execute(select(Rule.id, Rule.name).where(Rule.id == message.rule_id)).one_or_none()
    order = session.execute(select(Order.id, Order.number).where(Order.id == message.order_id)).one_or_none()
    return OpenedMessage(
        message,
        [one for one, _ in rows],
        (rule.id, rule.name) if rule else None,
        (order.id, order.number) if order else None,
        next((one.sender for one, kind in rows if kind in ("person", "named")), ""),
    )
