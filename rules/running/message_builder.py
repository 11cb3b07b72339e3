"""The messages of the rules that matched an event: whom, what, by which account. Everything is loaded once; then no SQL."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.db import table
from kanban.facts import Facts
from kanban.i18n import force_locale
from kanban.models import Event, Order
from kanban.settings import settings
from rules.definition import texts
from rules.definition.actions import recipients_in
from rules.definition.channels import Channel
from rules.definition.message_action import SendMessage
from rules.definition.outcomes import Reason
from rules.models import Template
from rules.post.entry import OutboxEntry, SenderNote, message_key
from rules.post.layout import ChosenAs, Head, Layout, StatusMark
from rules.running.recipients import Directory, OnOrder, Recipient, load_directory, on, resolve
from rules.running.run_draft import RunDraft
from rules.running.senders import Senders, load_senders, reply_to_id
from rules.running.template_values import template_values
from rules.running.triggered import TriggeredRule

log = logging.getLogger(__name__)

_T = table(Template).c
_TEMPLATES = select(_T.id, _T.subject, _T.text, _T.skip_empty).where(_T.id.in_(bindparam("ids", expanding=True)))


class TemplateText(NamedTuple):
    id: int
    subject: str
    text: str
    skip_empty: bool


class Written(NamedTuple):
    """What a template says of the order."""

    subject: str
    text: str


class Envelope(NamedTuple):
    """By which channel and account a message goes, and where answers go."""

    channel: Channel
    account_id: int | None = None
    note: SenderNote = SenderNote.NONE
    reply_to: str = ""
    reply_to_id: int | None = None


def _previous(facts: Facts) -> int | None:
    """Who was responsible before the event, where it changed that."""
    was = (facts.was or {}).get("responsible")
    return was.get("id") if isinstance(was, dict) else None


def _mark(side: Mapping[str, Mapping[str, str]]) -> StatusMark | None:
    status = side.get("status")
    return StatusMark(status["name"], status.get("tone", "slate")) if status else None


@dataclass
class MessageBuilder:
    """Everything the matched rules need, loaded once; then a run is made without SQL.

    written: keys of the messages that were made of this event so far.
    """

    event: Event
    order: Order
    directory: Directory
    templates: dict[int, TemplateText]
    values: dict[str, str]
    language: str
    company: str
    config: Config
    senders: Senders
    written: set[str]
    on_order: OnOrder

    @classmethod
    def load(
        cls, session: Session, event: Event, facts: Facts, order: Order, rules: Sequence[TriggeredRule], config: Config, written: set[str]
    ) -> "MessageBuilder":
        """written: keys of messages that were made of this event before; what is made is added to them."""
        actions = [action for rule in rules for action in rule.version.messages]
        templates = session.connection().execute(_TEMPLATES, {"ids": list({action.template_id for action in actions})})
        firm, on_order = settings(session), on(order)
        language = firm["language"]
        with force_locale(language):
            values = template_values(session, order, event, facts)
        directory = load_directory(session, on_order, recipients_in(actions), event.actor_id, _previous(facts))
        return cls(
            event,
            order,
            directory,
            {row.id: TemplateText(*row) for row in templates},
            values,
            language,
            firm["company"],
            config,
            load_senders(session, actions, order.responsible_id),
            written,
            on_order,
        )

    def log(self, rule: TriggeredRule) -> RunDraft:
        """The run of a rule that only logs: what it would have sent and changed, as notes. Call it after the runs that count."""
        written = set(self.written) if rule.version.messages else self.written
        run = self.run(rule)
        self.written = written
        return run.as_logged(rule.version.would_change)

    def run(self, rule: TriggeredRule, copy: int = 0) -> RunDraft:
        """A failing part is a note of the run, and the other parts go on."""
        run = RunDraft(self.event.id, rule.id, rule.version.id, self.event.at)
        for action in rule.version.messages:
            try:
                self._send(rule, action, run, copy)
            except texts.TextError as error:
                run.note(Reason.TEMPLATE_FAILED, str(error)[:300])
            except Exception as error:
                log.exception("action of rule %s failed", rule.id)
                run.note(Reason.ACTION_FAILED, type(error).__name__)
        return run

    def _send(self, rule: TriggeredRule, action: SendMessage, run: RunDraft, copy: int) -> None:
        template = self.templates.get(action.template_id)
        if template is None:
            raise texts.TextError("the template is gone")
        tell_actor = rule.version.content.tell_actor
        resolved = resolve(action.recipients, self.on_order, self.directory, self.event.actor_id, tell_actor, action.channel)
        run.notes.extend(resolved.notes)
        written = self._texts(template, action.channel)
        self._add(rule, template, resolved.recipients, written, self._way(action), run, copy)
        by_bell = Written(written.subject, written.subject)
        self._add(rule, template, resolved.by_bell, by_bell, Envelope(Channel.NOTICE), run, copy)

    def _add(
        self,
        rule: TriggeredRule,
        template: TemplateText,
        recipients: list[Recipient],
        written: Written,
        way: Envelope,
        run: RunDraft,
        copy: int,
    ) -> None:
        for recipient in recipients:
            key = message_key(self.event.id, way.channel, recipient.address, template.id, copy)
            if key in self.written:
                run.note(Reason.TOLD_ALREADY, recipient.addressee, is_hidden=recipient.copy == "bcc")
                continue
            self.written.add(key)
            run.messages.append(self._entry(rule, template, recipient, key, written, way, _heads(recipient, recipients)))

    def _way(self, action: SendMessage) -> Envelope:
        account, note = self.senders.account_of(action.sender, self.event.at)
        whose = reply_to_id(action, self.order, self.event)
        answers = self.directory.people.get(whose or 0)
        reply_to = answers.email if answers is not None and answers.active else ""
        return Envelope(action.channel, account, note, reply_to, whose if reply_to else None)

    def _texts(self, template: TemplateText, channel: Channel) -> Written:
        if channel is Channel.EMAIL:
            text = texts.render_text(template.text, self.values, template.skip_empty)
            return Written(texts.render_subject(template.subject, self.values), text)
        text = texts.render_short(template.text, self.values, template.skip_empty)
        return Written(texts.head_of(text), text)

    def _entry(
        self, rule: TriggeredRule, template: TemplateText, recipient: Recipient, key: str, written: Written, way: Envelope, heads: "Heads"
    ) -> OutboxEntry:
        return OutboxEntry(
            key,
            "rule",
            way.channel,
            recipient.name,
            recipient.address,
            written.subject,
            written.text,
            self.language,
            self.config.public_host,
            self.event.at + timedelta(seconds=self.config.undo_window_s),
            self.event.at,
            recipient.person_id,
            self.event.id,
            self.order.id,
            rule.id,
            template.id,
            way.account_id,
            way.note,
            way.reply_to,
            self._layout(recipient, heads, way),
        )

    def _layout(self, recipient: Recipient, heads: "Heads", way: Envelope) -> Layout:
        """A customer gets no way into the board."""
        return Layout(
            firm=self.values["organisation"] or self.company,
            order_id=None if recipient.chosen.kind is ChosenAs.CUSTOMER else self.order.id,
            before=_mark(self.event.before),
            after=_mark(self.event.after),
            chosen=recipient.chosen,
            to=heads.to,
            cc=heads.cc,
            reply_to_id=way.reply_to_id,
        )


class Heads(NamedTuple):
    to: tuple[Head, ...] | None = None
    cc: tuple[Head, ...] | None = None


def _heads(recipient: Recipient, recipients: list[Recipient]) -> Heads:
    """Who stands in To and Cc of an e-mail with copies: each copy is an e-mail of its own, as mail servers deliver them.

    Who gets it directly sees themselves and the copies; a copy says to whom it went. Hidden copies stand nowhere.
    """
    if all(one.copy is None for one in recipients):
        return Heads()
    to = tuple([one.head for one in recipients if one.copy is None])
    cc = tuple([one.head for one in recipients if one.copy == "cc"])
    return Heads((recipient.head,) if recipient.copy is None else to, cc)
