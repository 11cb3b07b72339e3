"""List letters: at a time of chosen weekdays one message to each recipient, about all open orders that match.

The orders of a list are read and judged before the transaction; the mark, the run and the messages are one transaction.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock, facts, orders
from kanban.actor import Actor
from kanban.calendar import load_calendar
from kanban.config import Config
from kanban.criteria import prepared
from kanban.db import db, is_new, transaction
from kanban.facts import KINDS
from kanban.i18n import force_locale, ngettext
from kanban.models import Event, Order
from kanban.settings import settings
from rules import texts
from rules.actions import addressed, channel_of, recipients_of, sends, templates_of
from rules.evaluator import LIST
from rules.models import Fired, Rule, RuleVersion, Template
from rules.post import outbox
from rules.running.due import lists_due
from rules.running.letter_values import letter_values
from rules.running.recipients import Directory, Recipient, load_everybody, resolve
from rules.running.senders import load_senders

log = logging.getLogger(__name__)

MOST_ORDERS = 2_000  # on one list, whoever gets it
MOST_LINES = 200  # in one letter; the rest is a number


@dataclass(frozen=True)
class Listed:
    """A rule of lists: what its version of now says."""

    id: int
    name: str
    board_id: int
    version_id: int
    criteria: Mapping[str, Any]
    actions: list[dict[str, Any]]
    log_only: bool = False

    @classmethod
    def of(cls, rule: Rule) -> "Listed":
        version = rule.version
        return cls(rule.id, rule.name, rule.board_id, version.id, version.criteria, list(version.actions), rule.log_only)


@dataclass
class Made:
    """rows: messages, as the outbox keeps them. notes: of the run."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    failed: bool = False

    def run_of(self, rule: Listed, at: datetime) -> dict[str, Any]:
        notes = list(self.notes)
        if rule.log_only:
            notes += [{"why": "would_send", "name": row["name"] or row["address"]} for row in self.rows]
        outcome = "failed" if self.failed else "logged" if rule.log_only else "done" if self.rows else "nobody"
        return {"event_id": None, "rule_id": rule.id, "version_id": rule.version_id, "outcome": outcome, "notes": notes, "at": at}


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


def _due(session: Session, now: datetime) -> Iterator[tuple[Listed, date]]:
    """Rules with the day whose list is due: the newest, where several were missed."""
    rules = session.scalars(
        select(Rule)
        .join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.active, or_(Rule.paused_until.is_(None), Rule.paused_until <= now), RuleVersion.trigger == LIST)
        .options(joinedload(Rule.version))
    ).all()
    calendar = load_calendar(session) if rules else None
    for rule in rules:
        if not rule.version.is_readable:
            continue
        try:
            days = lists_due(rule.version.options, calendar, now) if calendar else {}
        except Exception:
            log.exception("the days of list %s can't be read", rule.id)
            continue
        day = max((day for day, moment in days.items() if moment > rule.watched_from), default=None)
        marks = select(Fired.id).where(Fired.rule_id == rule.id, Fired.order_id.is_(None), Fired.mark == str(day))
        if day is not None and session.scalar(marks) is None:
            yield Listed.of(rule), day


def _send(session: Session, rule: Listed, day: date, config: Config) -> bool:
    now = clock.now()
    made = make_list(session, rule, day.isoformat(), now, config)
    with transaction() as writing:
        stays = select(Rule.id).where(Rule.id == rule.id, Rule.active, Rule.version_id == rule.version_id)
        mark = {"rule_id": rule.id, "order_id": None, "mark": day.isoformat(), "at": now}
        if writing.scalar(stays) is None or not is_new(writing, Fired, mark):
            return False
        outbox.enqueue(writing, [made.run_of(rule, now)], [] if rule.log_only else made.rows)
    return True


def make_list(session: Session, rule: Listed, mark: str, now: datetime, config: Config) -> Made:
    """The messages of a list. mark: what tells this list from the next. Writes nothing; never raises for one order."""
    found = matching(session, rule)
    made, actions = Made(), sends(rule.actions)
    templates = {one.id: one for one in session.scalars(select(Template).where(Template.id.in_(templates_of(actions))))}
    directory = load_everybody(session, recipients_of(actions))
    firm = settings(session)
    with force_locale(firm["language"]):
        for (channel, template), (account, letters) in _by_letter(session, actions, templates, directory, found, made, now).items():
            for recipient, lines in letters.values():
                row = _row(rule, channel, template, recipient, lines, mark, firm, config)
                made.rows.append(row | {"account_id": account, "note": "", "due_at": now, "created_at": now})
    return made


def matching(session: Session, rule: Listed) -> list[tuple[Order, Event]]:
    """Open orders of the board that fit the criteria, by ship date, each with what the rule saw of it; read a page at a time."""
    criteria = prepared(rule.criteria, KINDS)
    found = [
        (order, event)
        for page in orders.open_orders(session, rule.board_id)
        for order, event in _seen(session, rule, page)
        if criteria.truth(event.facts) is True
    ]
    return sorted(found, key=lambda one: (one[0].ship_on or date.max, one[0].id))[:MOST_ORDERS]


def _seen(session: Session, rule: Listed, page: Sequence[Order]) -> Iterator[tuple[Order, Event]]:
    links = orders.linked_of(session, page)
    return ((order, _event(rule, order, links[order.id])) for order in page)


def _event(rule: Listed, order: Order, links: list[dict[str, Any]]) -> Event:
    """What the list sees of an order; in no session."""
    actor = Actor(0, rule.name, "", "admin", "", "slate", ())
    known = facts.snapshot(order, actor, before=order.status, after=order.status, linked=links)
    return Event(
        kind="order.due", board_id=order.board_id, order_id=order.id, actor_name="", at=clock.now(), before={}, after={}, facts=known
    )


Lines = dict[int, tuple[Order, str]]  # by the order's id
Letters = dict[str, tuple[Recipient, Lines]]  # by address
ByLetter = dict[tuple[str, int], tuple[int | None, Letters]]  # by channel and template: the account, and what goes by it


def _by_letter(session: Session, actions: Iterable[Mapping[str, Any]], templates: Mapping[int, Any], directory: Directory,
               found: Sequence[tuple[Order, Event]], made: Made, now: datetime) -> ByLetter:  # fmt: skip
    """Letters by channel and template, and the account they go by: two actions with the same words to one reader are one letter."""
    letters: ByLetter = {}
    for action in actions:
        account, _note = load_senders(session, [action], None).account_of(action, now)
        for order, event in found:
            line = _written(session, templates.get(action["template"]), order, event, made)
            if not line:
                continue
            channel = channel_of(action)
            resolved = resolve(addressed(action), order, directory, None, True, channel)
            made.notes += [note for note in resolved.notes if note not in made.notes]
            for way, by, readers in ((channel, account, resolved.recipients), ("notice", None, resolved.by_bell)):
                _account, told = letters.setdefault((way, action["template"]), (by, {}))
                for recipient in readers:
                    told.setdefault(recipient.address.casefold(), (recipient, {}))[1][order.id] = (order, line)
    return letters


def _written(session: Session, template: Any, order: Order, event: Event, made: Made) -> str:
    """The order's line; "" where it can't be made: a note says so, and the others go on."""
    try:
        if template is None:
            raise texts.TextError("the template is gone")
        return _line(template, letter_values(session, order, event))
    except Exception as error:
        if not isinstance(error, texts.TextError):
            log.exception("the line of order %s could not be made", order.id)
        made.failed = True
        made.notes.append({"why": "template_failed", "name": f"{order.number}: {error}"[:300]})
        return ""


def _line(template: Any, values: Mapping[str, str]) -> str:
    return " ".join(texts.render_short(template.text, values, template.skip_empty).split())


def _row(rule: Listed, channel: str, template: int, recipient: Recipient, told: Lines, mark: str, firm: Mapping[str, str],
         config: Config) -> dict[str, Any]:  # fmt: skip
    lines = list(told.values())
    key = outbox.message_key(f"list-{rule.id}-{mark}", channel, recipient.address, template)
    count = ngettext("%(num)d order", "%(num)d orders", len(lines))
    text, shown = _text(lines, MOST_LINES if channel == "email" else 20, texts.MOST_TEXT if channel == "email" else texts.MOST_SHORT - 40)
    is_ours = recipient.person_id is not None
    return {
        "key": key, "kind": "rule", "channel": channel, "event_id": None, "order_id": None, "rule_id": rule.id,
        "template_id": template, "person_id": recipient.person_id, "name": recipient.name, "address": recipient.address,
        "subject": f"{rule.name}: {count}", "text": text if channel == "email" else f"{rule.name}: {count}\n{text}",
        "language": firm["language"], "message_id": outbox.message_id(key, config.public_host),
        "layout": {"firm": firm["company"], "why": {"kind": "list", "rule": rule.name, "orders": len(lines)},
                   "orders": [order.id if is_ours else None for order, _line in lines[:shown]]},
        "state": "waiting", "attempts": 0, "error": "", "reply_to": "",
    }  # fmt: skip


def _text(lines: list[tuple[Order, str]], most: int, room: int) -> tuple[str, int]:
    """(the lines that fit, and how many more there are; how many fit)"""
    said: list[str] = []
    for _order, line in lines[:most]:
        if sum(map(len, said)) + len(said) + len(line) > room and said:
            break
        said.append(line)
    more = len(lines) - len(said)
    rest = [ngettext("and %(num)d more", "and %(num)d more", more)] if more else []
    return "\n".join([*said, *rest]), len(said)
