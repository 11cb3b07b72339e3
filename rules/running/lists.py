"""List e-mails: at a time of chosen weekdays one message to each recipient, about all open orders that match.

The orders of a list are read and judged before the transaction; the mark, the run and the messages are one transaction.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock, orders
from kanban.actor import Actor
from kanban.calendar import load_calendar
from kanban.config import Config
from kanban.criteria import prepared
from kanban.db import db, is_new
from kanban.facts import Facts, LinkedOrder
from kanban.i18n import force_locale, ngettext
from kanban.models import Event, Order
from kanban.settings import settings
from kanban.snapshot import snapshot
from kanban.transactions import transaction
from rules.definition import texts
from rules.definition.actions import recipients_in
from rules.definition.channels import Channel
from rules.definition.content import RuleContent
from rules.definition.message_action import SendMessage
from rules.definition.outcomes import Note, Reason
from rules.definition.triggers import Weekly
from rules.models import DueMark, Rule, RuleVersion, Template
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_key
from rules.post.layout import Chosen, ChosenAs, Layout
from rules.queries.versions import fields_of
from rules.running.due import lists_due
from rules.running.recipients import Directory, Recipient, load_everybody, on, resolve
from rules.running.run_draft import RunDraft
from rules.running.senders import load_senders
from rules.running.template_values import template_values

log = logging.getLogger(__name__)

MOST_ORDERS = 2_000  # on one list, whoever gets it
MOST_LINES = 200  # in one e-mail; the rest is a number
MOST_SHORT_LINES = 20  # in another message


@dataclass(frozen=True)
class ListRule:
    """A rule of lists: what its version of now says."""

    id: int
    name: str
    version_id: int
    content: RuleContent
    log_only: bool = False


class Listed(NamedTuple):
    """An order on a list, with what the rule sees of it."""

    order: Order
    facts: Facts


class ListLine(NamedTuple):
    order: Order
    text: str


@dataclass
class Sheet:
    """What one recipient gets: a line an order."""

    recipient: Recipient
    lines: dict[int, ListLine] = field(default_factory=dict)


class SheetKey(NamedTuple):
    """Two actions with the same words to one recipient are one message."""

    channel: Channel
    template_id: int
    address: str


def send_due(config: Config) -> int:
    """Sends the lists whose time has come, each once for its day. Returns how many. Needs an application context."""
    session, now = db.session(), clock.now()
    due = list(_due(session, now))
    sent = 0
    for rule, day in due:
        try:
            sent += _send(session, rule, day, config)
        except Exception:
            log.exception("the list of rule %s could not be sent", rule.id)
            db.session.rollback()
    db.session.rollback()
    return sent


def _due(session: Session, now: datetime) -> Iterator[tuple[ListRule, date]]:
    """Rules with the day whose list is due: the newest, where several were missed."""
    rules = session.scalars(
        select(Rule)
        .join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.active, or_(Rule.paused_until.is_(None), Rule.paused_until <= now), RuleVersion.trigger == Weekly.kind)
        .options(joinedload(Rule.version))
    ).all()
    calendar = load_calendar(session) if rules else None
    for rule in rules:
        content = fields_of(rule).content
        if calendar is None or not isinstance(content.trigger, Weekly):  # what it says can't be read
            continue
        try:
            days = lists_due(content.trigger, calendar, now)
        except Exception:
            log.exception("the days of list %s can't be read", rule.id)
            continue
        day = max((day for day, moment in days.items() if moment > rule.watched_from), default=None)
        marks = select(DueMark.id).where(DueMark.rule_id == rule.id, DueMark.order_id.is_(None), DueMark.mark == str(day))
        if day is not None and session.scalar(marks) is None:
            yield ListRule(rule.id, rule.name, rule.version.id, content, rule.log_only), day


def _send(session: Session, rule: ListRule, day: date, config: Config) -> bool:
    now = clock.now()
    run = make_list(session, rule, day.isoformat(), now, config)
    run = run.as_logged([]) if rule.log_only else run
    with transaction() as writing:
        stays = select(Rule.id).where(Rule.id == rule.id, Rule.active, Rule.version_id == rule.version_id)
        mark = {"rule_id": rule.id, "order_id": None, "mark": day.isoformat(), "at": now}
        if writing.scalar(stays) is None or not is_new(writing, DueMark, mark):
            return False
        outbox.enqueue(writing, [run.to_row()], run.messages)
    return True


def make_list(session: Session, rule: ListRule, mark: str, now: datetime, config: Config) -> RunDraft:
    """The run of a list with its messages. mark: what tells this list from the next. Writes nothing; never raises for one order."""
    listed, run, firm = matching(session, rule), RunDraft(None, rule.id, rule.version_id, now), settings(session)
    with force_locale(firm["language"]):
        sheets = _Sheets.load(session, rule, listed, run)
        for action in rule.content.messages:
            sheets.add(action)
        for key, sheet in sheets.found.items():
            entry = _entry(rule, key, sheet, mark, firm["language"], firm["company"], config, now)
            run.messages.append(replace(entry, account_id=sheets.accounts.get((key.channel, key.template_id))))
    return run


def matching(session: Session, rule: ListRule) -> list[Listed]:
    """Open orders of the board that fit the criteria, by ship date, each with what the rule saw of it; read a page at a time."""
    criteria = prepared(rule.content.criteria)
    found = [
        listed
        for page in orders.open_orders(session, rule.content.board_id)
        for listed in _seen(session, rule, page)
        if criteria.truth(listed.facts) is True
    ]
    return sorted(found, key=lambda one: (one.order.ship_on or date.max, one.order.id))[:MOST_ORDERS]


def _seen(session: Session, rule: ListRule, page: Sequence[Order]) -> Iterator[Listed]:
    links = orders.linked_of(session, page)
    return (Listed(order, _facts(rule, order, links[order.id])) for order in page)


def _facts(rule: ListRule, order: Order, links: list[LinkedOrder]) -> Facts:
    actor = Actor(0, rule.name, "", "admin", "", "slate", ())
    return snapshot(order, actor, before=order.status, after=order.status, linked=links)


@dataclass
class _Sheets:
    """Sheets by recipient, while actions are gone through. accounts: by channel and template, what they go by."""

    session: Session
    listed: list[Listed]
    run: RunDraft
    templates: dict[int, Template]
    directory: Directory
    found: dict[SheetKey, Sheet] = field(default_factory=dict)
    accounts: dict[tuple[Channel, int], int | None] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, rule: ListRule, listed: list[Listed], run: RunDraft) -> "_Sheets":
        actions = rule.content.messages
        templates = session.scalars(select(Template).where(Template.id.in_([action.template_id for action in actions])))
        return cls(session, listed, run, {one.id: one for one in templates}, load_everybody(session, recipients_in(actions)))

    def add(self, action: SendMessage) -> None:
        account, _note = load_senders(self.session, [action], None).account_of(action.sender, self.run.at)
        for listed in self.listed:
            text = self._line(action.template_id, listed)
            if not text:
                continue
            resolved = resolve(action.recipients, on(listed.order), self.directory, None, True, action.channel)
            self.run.notes += [note for note in resolved.notes if note not in self.run.notes]
            ways = ((action.channel, account, resolved.recipients), (Channel.NOTICE, None, resolved.by_bell))
            for channel, by, recipients in ways:
                self.accounts.setdefault((channel, action.template_id), by)
                for recipient in recipients:
                    key = SheetKey(channel, action.template_id, recipient.address.casefold())
                    self.found.setdefault(key, Sheet(recipient)).lines[listed.order.id] = ListLine(listed.order, text)

    def _line(self, template_id: int, listed: Listed) -> str:
        """The order's line; "" where it can't be made: a note says so, and the others go on."""
        template, order = self.templates.get(template_id), listed.order
        try:
            if template is None:
                raise texts.TextError("the template is gone")
            values = template_values(self.session, order, _event(order, self.run.at), listed.facts)
            return " ".join(texts.render_short(template.text, values, template.skip_empty).split())
        except Exception as error:
            if not isinstance(error, texts.TextError):
                log.exception("the line of order %s could not be made", order.id)
            self.run.notes.append(Note(Reason.TEMPLATE_FAILED, f"{order.number}: {error}"[:300]))
            return ""


def _event(order: Order, at: datetime) -> Event:
    """What a template takes its time from; in no session."""
    return Event(kind="order.due", board_id=order.board_id, order_id=order.id, actor_name="", at=at, before={}, after={}, facts={})


def _entry(
    rule: ListRule, to: SheetKey, sheet: Sheet, mark: str, language: str, company: str, config: Config, now: datetime
) -> OutboxEntry:
    is_email, lines, recipient = to.channel is Channel.EMAIL, list(sheet.lines.values()), sheet.recipient
    count = ngettext("%(num)d order", "%(num)d orders", len(lines))
    most, room = (MOST_LINES, texts.MOST_TEXT) if is_email else (MOST_SHORT_LINES, texts.MOST_SHORT - 40)
    text, shown = _text(lines, most, room)
    is_ours = recipient.person_id is not None
    subject = f"{rule.name}: {count}"
    layout = Layout(
        company,
        chosen=Chosen(ChosenAs.LIST, rule=rule.name, orders=len(lines)),
        orders=tuple([line.order.id if is_ours else None for line in lines[:shown]]),
    )
    return OutboxEntry(
        message_key(f"list-{rule.id}-{mark}", to.channel, recipient.address, to.template_id),
        "rule",
        to.channel,
        recipient.name,
        recipient.address,
        subject,
        text if is_email else f"{subject}\n{text}",
        language,
        config.public_host,
        now,
        now,
        recipient.person_id,
        rule_id=rule.id,
        template_id=to.template_id,
        layout=layout,
    )


def _text(lines: list[ListLine], most: int, room: int) -> tuple[str, int]:
    """(the lines that fit, and how many more there are; how many fit)"""
    said: list[str] = []
    for line in lines[:most]:
        if sum(map(len, said)) + len(said) + len(line.text) > room and said:
            break
        said.append(line.text)
    more = len(lines) - len(said)
    rest = [ngettext("and %(num)d more", "and %(num)d more", more)] if more else []
    return "\n".join([*said, *rest]), len(said)
