"""The messages of the rules that matched an event: whom, what, by which way. Everything is loaded once; then no SQL."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.db import table
from kanban.i18n import force_locale
from kanban.models import Event, Order
from kanban.settings import settings
from rules import texts
from rules.actions import addressed, channel_of, is_hidden, recipients_of, templates_of
from rules.models import Template
from rules.post import outbox
from rules.running.letter_values import letter_values
from rules.running.recipients import HIDDEN, Directory, Recipient, load_directory, resolve
from rules.running.senders import Senders, load_senders, reply_to_id
from rules.running.woken import Woken

log = logging.getLogger(__name__)

_T = table(Template).c
_TEMPLATES = select(_T.id, _T.subject, _T.text, _T.skip_empty).where(_T.id.in_(bindparam("ids", expanding=True)))
NO_WAY = {"account_id": None, "note": "", "reply_to": ""}


def _previous(event: Event) -> int | None:
    """Who was responsible before the event, where it changed that."""
    was = (event.facts.get("was") or {}).get("responsible")
    return was.get("id") if isinstance(was, dict) else None


@dataclass
class Maker:
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
    def load(cls, session: Session, event: Event, order: Order, rules: list[Woken], config: Config, written: set[str]) -> "Maker":
        """written: keys of messages that were made of this event before; what is made is added to them."""
        actions = [action for rule in rules for action in rule.said.sends]
        wanted = recipients_of(actions)
        ids = set(templates_of(actions))
        templates = session.connection().execute(_TEMPLATES, {"ids": list(ids)})
        firm = settings(session)
        language = firm["language"]
        with force_locale(language):
            values = letter_values(session, order, event)
        directory = load_directory(session, order, wanted, event.actor_id, _previous(event))
        return cls(
            event, order, directory, {one.id: one for one in templates}, values, language, firm["company"], config,
            load_senders(session, actions, order.responsible_id), written,
        )  # fmt: skip

    def log(self, rule: Woken) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The run of a rule that only logs: what it would have sent and changed, as notes. Call it after the runs that count."""
        written = set(self.written) if rule.said.sends else self.written
        run, messages = self.run(rule)
        self.written = written
        for one in messages:
            hidden = HIDDEN if is_hidden(one["layout"]) else {}
            run["notes"].append({"why": "would_send", "name": one["name"] or one["address"]} | hidden)
        run["notes"] += rule.said.would_change
        if run["outcome"] != "failed":
            run["outcome"] = "logged"
        return run, []

    def run(self, rule: Woken, copy: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """(run row, message rows). A failing part is a note of the run, and the other parts go on."""
        notes: list[dict[str, Any]] = []
        messages: list[dict[str, Any]] = []
        failed = False
        for action in rule.said.sends:
            try:
                messages.extend(self._messages(rule, action, notes, copy))
            except texts.TextError as error:
                failed = True
                notes.append({"why": "template_failed", "name": str(error)[:300]})
            except Exception as error:
                failed = True
                log.exception("action of rule %s failed", rule.id)
                notes.append({"why": "action_failed", "name": type(error).__name__})
        outcome = "failed" if failed else "done" if messages else "nobody"
        run = {"event_id": self.event.id, "rule_id": rule.id, "version_id": rule.said.version_id, "outcome": outcome,
               "notes": notes, "at": self.event.at}  # fmt: skip
        return run, messages

    def _messages(self, rule: Woken, action: Any, notes: list[dict[str, Any]], copy: int) -> list[dict[str, Any]]:
        template = self.templates.get(action["template"])
        if template is None:
            raise texts.TextError("the template is gone")
        channel = channel_of(action)
        resolved = resolve(addressed(action), self.order, self.directory, self.event.actor_id, rule.said.tell_actor, channel)
        notes.extend(resolved.notes)
        subject, text = self._texts(template, channel)
        way = {"channel": channel} | self._way(action)
        rows = self._rows(rule, template, resolved.recipients, (subject, text), way, notes, copy)
        if way["reply_to"]:  # whose it is, for when they have another by the time it leaves
            rows = [row | {"layout": row["layout"] | {"reply_to_id": reply_to_id(action, self.order, self.event)}} for row in rows]
        return rows + self._rows(rule, template, resolved.by_bell, (subject, subject), {"channel": "notice"} | NO_WAY, notes, copy)

    def _rows(self, rule: Woken, template: Any, recipients: list[Recipient], said: tuple[str, str], way: dict[str, Any],
              notes: list[dict[str, Any]], copy: int) -> list[dict[str, Any]]:  # fmt: skip
        rows = []
        for recipient in recipients:
            key = outbox.message_key(self.event.id, way["channel"], recipient.address, template.id, copy)
            if key in self.written:
                hidden = HIDDEN if recipient.place == "bcc" else {}
                notes.append({"why": "told_already", "name": recipient.name or recipient.address} | hidden)
                continue
            self.written.add(key)
            row = self._row(rule, template, recipient, key, *said) | way
            rows.append(row | {"layout": row["layout"] | _heads(recipient, recipients)})
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
        host = self.config.public_host
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


def _heads(recipient: Recipient, recipients: list[Recipient]) -> dict[str, Any]:
    """Who stands in To and Cc of a letter with copies: each copy is a letter of its own, as mail servers deliver them.

    Who gets it directly sees themselves and the copies; a copy says to whom the letter went. Hidden copies stand nowhere.
    """
    if all(one.place == "to" for one in recipients):
        return {}
    shown = {place: [_head(one) for one in recipients if one.place == place] for place in ("to", "cc")}
    return {"to": [_head(recipient)] if recipient.place == "to" else shown["to"], "cc": shown["cc"]}


def _head(one: Recipient) -> list[Any]:
    """With whose address it is, so that it can be looked up again (rules.post.addressees)."""
    return [one.name, one.address, one.person_id or one.why["kind"]]
