"""From event to runs to letters, inside the transaction of the change. Nothing here may harm a move."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import table
from kanban.events import Outcome, Undone
from kanban.facts import KINDS
from kanban.i18n import force_locale
from kanban.models import Event, Order
from kanban.settings import settings
from rules import outbox, texts
from rules.actions import channel_of, recipients_of, sends, templates_of
from rules.evaluator import evaluate, trigger_keys
from rules.letter_values import letter_values
from rules.models import Rule, RuleVersion, Template
from rules.recipients import Directory, Recipient, load_directory, resolve
from rules.senders import Senders, load_senders, reply_to_id

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """The listener that app.py sets. config: for the undo window and the host of Message-IDs."""

    config: Config

    def on_event(self, session: Session, event: Event, order: Order) -> Outcome:
        """Runs every rule that the event wakes, and queues its letters."""
        try:
            rules = rules_for(session, event)
            matched = [rule for rule in rules if _matches(rule, event)]
            if not matched:
                return Outcome()
            maker = _Maker.load(session, event, order, matched, self.config)
            made = [maker.run(rule) for rule in matched]
            return Outcome(self._store(session, made), self.config.undo_window_s)
        except Exception:
            log.exception("rules failed for event %s", event.id)
            return Outcome()

    def _store(self, session: Session, made: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> int:
        """One SAVEPOINT around one bulk insert; if it fails, rule by rule, so that one bad row costs only its rule."""
        messages = [message for _, rows in made for message in rows]
        try:
            with session.begin_nested():
                outbox.enqueue(session, [run for run, _ in made], messages)
            return len(messages)
        except Exception:
            log.exception("bulk insert failed")
        stored = 0
        for run, rows in made:
            try:
                with session.begin_nested():
                    outbox.enqueue(session, [run], rows)
                stored += len(rows)
            except Exception:
                log.exception("rule %s could not be stored", run["rule_id"])
                with session.begin_nested():
                    outbox.enqueue(session, [run | {"outcome": "failed", "notes": [{"why": "not_stored"}]}], [])
        return stored

    def on_undo(self, session: Session, event: Event) -> Undone:
        """Cancels the event's letters, if none has gone."""
        cancelled, gone = outbox.cancel(session, event.id)
        return Undone(cancelled, gone)

    def outcome_of(self, session: Session, event: Event) -> Outcome:
        """What still waits of an event: the answer to a repeated request."""
        count, due_at = outbox.waiting_of(session, event.id)
        left = (due_at - clock.now()).total_seconds() if due_at else 0
        return Outcome(count, max(0, round(left)))


@dataclass(frozen=True)
class Woken:
    """A rule as an event finds it: its id and what its version of now says."""

    id: int
    version_id: int
    criteria: dict[str, Any]
    actions: list[dict[str, Any]]
    tell_actor: bool


_R, _V, _T = table(Rule).c, table(RuleVersion).c, table(Template).c
_WOKEN = (
    select(_R.id, _V.id.label("version_id"), _V.criteria, _V.actions, _V.tell_actor)
    .join(table(RuleVersion), _V.id == _R.version_id)
    .where(_R.trigger_key.in_(bindparam("keys", expanding=True)), _R.active)
    .order_by(_R.id)
)
_TEMPLATES = select(_T.id, _T.subject, _T.text, _T.skip_empty).where(_T.id.in_(bindparam("ids", expanding=True)))


def rules_for(session: Session, event: Event) -> list[Woken]:
    """Active rules that an event wakes, by one indexed SELECT."""
    before = event.before.get("status", {}).get("id")
    after = event.after.get("status", {}).get("id")
    keys = trigger_keys(event.kind, event.board_id, before, after)
    if not keys:
        return []
    return [Woken(*row) for row in session.connection().execute(_WOKEN, {"keys": keys})]


def _matches(rule: Woken, event: Event) -> bool:
    return evaluate(rule.criteria, event.facts, KINDS).truth is True


NO_WAY = {"account_id": None, "note": "", "reply_to": ""}


@dataclass
class _Maker:
    """Everything the matched rules need, loaded once; then a run is made without SQL."""

    event: Event
    order: Order
    directory: Directory
    templates: dict[int, Any]
    values: dict[str, str]
    language: str
    company: str
    config: Config
    senders: Senders
    written: set[str]

    @classmethod
    def load(cls, session: Session, event: Event, order: Order, rules: list[Woken], config: Config) -> "_Maker":
        actions = [action for rule in rules for action in sends(rule.actions)]
        wanted = recipients_of(actions)
        ids = set(templates_of(actions))
        templates = session.connection().execute(_TEMPLATES, {"ids": list(ids)})
        firm = settings(session)
        language = firm["language"]
        with force_locale(language):
            values = letter_values(session, order, event)
        return cls(
            event, order, load_directory(session, order, wanted, [event.actor_id]), {one.id: one for one in templates}, values,
            language, firm["company"], config, load_senders(session, actions, order), set(),
        )  # fmt: skip

    def run(self, rule: Woken) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """(run row, message rows). A failing part is a note of the run, and the other parts go on."""
        notes: list[dict[str, Any]] = []
        messages: list[dict[str, Any]] = []
        failed = False
        for action in sends(rule.actions):
            try:
                messages.extend(self._messages(rule, action, notes))
            except texts.TextError as error:
                failed = True
                notes.append({"why": "template_failed", "name": str(error)[:300]})
            except Exception as error:
                failed = True
                log.exception("action of rule %s failed", rule.id)
                notes.append({"why": "action_failed", "name": type(error).__name__})
        outcome = "failed" if failed else "done" if messages else "nobody"
        run = {"event_id": self.event.id, "rule_id": rule.id, "version_id": rule.version_id, "outcome": outcome,
               "notes": notes, "at": self.event.at}  # fmt: skip
        return run, messages

    def _messages(self, rule: Woken, action: Any, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        template = self.templates.get(action["template"])
        if template is None:
            raise texts.TextError("the template is gone")
        channel = channel_of(action)
        resolved = resolve(action["to"], self.order, self.directory, self.event.actor_id, rule.tell_actor, channel)
        notes.extend(resolved.notes)
        subject, text = self._texts(template, channel)
        way = {"channel": channel} | self._way(action)
        rows = self._rows(rule, template, resolved.recipients, (subject, text), way, notes)
        return rows + self._rows(rule, template, resolved.by_bell, (subject, subject), {"channel": "notice"} | NO_WAY, notes)

    def _rows(self, rule: Woken, template: Any, recipients: list[Recipient], said: tuple[str, str], way: dict[str, Any],
              notes: list[dict[str, Any]]) -> list[dict[str, Any]]:  # fmt: skip
        rows = []
        for recipient in recipients:
            key = outbox.message_key(self.event.id, way["channel"], recipient.address, template.id)
            if key in self.written:
                notes.append({"why": "told_already", "name": recipient.name or recipient.address})
                continue
            self.written.add(key)
            rows.append(self._row(rule, template, recipient, key, *said) | way)
        return rows

    def _way(self, action: Any) -> dict[str, Any]:
        """From which account, and where answers go."""
        account, note = self.senders.account_of(action, self.event.at)
        answers = self.directory.people.get(reply_to_id(action, self.order, self.event))
        return {"account_id": account, "note": note, "reply_to": answers.email if answers is not None and answers.active else ""}

    def _texts(self, template: Any, channel: str) -> tuple[str, str]:
        if channel == "email":
            return texts.render_subject(template.subject, self.values), texts.render_text(template.text, self.values, template.skip_empty)
        text = texts.render_short(template.text, self.values, template.skip_empty)
        return texts.head_of(text), text

    def _row(self, rule: Woken, template: Any, recipient: Recipient, key: str, subject: str, text: str) -> dict[str, Any]:
        host = urlsplit(self.config.public_url).hostname or "potok"
        return {
            "key": key, "kind": "rule", "event_id": self.event.id, "order_id": self.order.id,
            "rule_id": rule.id, "template_id": template.id, "person_id": recipient.person_id, "name": recipient.name,
            "address": recipient.address, "subject": subject, "text": text, "language": self.language,
            "layout": self._layout(recipient), "message_id": outbox.message_id(key, host), "state": "waiting",
            "due_at": self.event.at + timedelta(seconds=self.config.undo_window_s), "attempts": 0, "error": "",
            "created_at": self.event.at,
        }  # fmt: skip

    def _layout(self, recipient: Recipient) -> dict[str, Any]:
        """What the frame of the letter shows; a customer gets no way into the board."""
        return {
            "firm": self.values["organisation"] or self.company,
            "order_id": None if recipient.why["kind"] == "customer" else self.order.id,
            "before": self.event.before.get("status"),
            "after": self.event.after.get("status"),
            "why": recipient.why,
        }
