"""What an administrator should know of a rule before it works: said beside the editor, each with the way to mend it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.config import Config
from kanban.i18n import _, names, ngettext
from kanban.models import Person, Status, person_role
from rules.definition.actions import SetStatus, recipients_in
from rules.definition.channels import AddressKind, Channel
from rules.definition.content import RuleContent, RuleFields
from rules.definition.evaluator import is_alone, trigger_key
from rules.definition.message_action import SendMessage
from rules.definition.recipients import AddressRecipient, PersonRecipient, Recipient, RelatedRecipient, RoleRecipient
from rules.definition.texts import TEMPLATE_FIELDS
from rules.definition.triggers import ByHand, DateNears, Entered, Idle, Left, Placed, StatusChanged, Stays, Trigger, Weekly
from rules.mail.accounts import stored_account
from rules.models import Rule, RuleVersion
from rules.post.addresses import address_of
from rules.queries.lookup import RuleLookup
from rules.queries.versions import fields_of
from rules.running.recipients import MOST_HOLDERS, load_everybody
from rules.transports.gateways import find_gateway
from rules.trying.duplicates import Already, Sending, already_told, holds_in, load_samples
from rules.trying.loops import find_loop, node_of

MOST_RULES = 2_000  # looked at
_FIELD = re.compile(r"order\.([a-z_]+)")


@dataclass(frozen=True)
class Advice:
    """mend: where it can be mended: rule, template, people, mail, gateways or status, and which; "" for here. question: it has to be
    answered before the rule is saved: the id of the role that many hold."""

    text: str
    mend: str = ""
    id: int = 0
    question: int = 0


def advise(session: Session, rule_id: int, fields: RuleFields, lookup: RuleLookup, config: Config) -> list[Advice]:
    """fields: as much of the rule as is known yet. A fixed number of statements."""
    people, content = _People.load(session, lookup), fields.content
    found = [*_same(session, rule_id, content), *_loop(session, rule_id, fields, lookup)]
    for action in content.messages:
        found += [*_readers(action, people), *_fields(content.trigger, action, lookup)]
    found += _twice(session, rule_id, content, lookup)
    found += _guarded(session, content)
    return list(dict.fromkeys([*found, *_ways(session, content, config)]))


def _guarded(session: Session, content: RuleContent) -> Iterator[Advice]:
    """A button does for whoever presses it what only some roles may do by hand."""
    if not isinstance(content.trigger, ByHand):
        return
    ids = [action.status_id for action in content.actions if isinstance(action, SetStatus)]
    for status in session.scalars(select(Status).where(Status.id.in_(ids), Status.moving.any()).options(selectinload(Status.moving))):
        roles = names([role.name for role in status.moving])
        yield Advice(
            _(
                "Manually, only %(roles)s can move orders to “%(status)s”; with this button, everyone who can change orders can.",
                roles=roles,
                status=status.name,
            ),
            "status",
            status.id,
        )


def _same(session: Session, rule_id: int, content: RuleContent) -> Iterator[Advice]:
    alike = (RuleVersion.trigger == content.trigger.kind, Rule.board_id == content.board_id, Rule.id != rule_id)
    query = select(Rule).join(RuleVersion, RuleVersion.id == Rule.version_id).where(*alike).options(joinedload(Rule.version))
    for rule in session.scalars(query.order_by(Rule.id).limit(MOST_RULES)):
        other = fields_of(rule)
        if other.content == content and not other.broken:
            only_sends = not content.changes and not is_alone(content.trigger)
            text = _(
                "“%(rule)s” does the same: each recipient gets the message once, but one of the two rules is redundant.", rule=rule.name
            )
            yield Advice(
                text if only_sends else _("“%(rule)s” does the same: everything will happen twice.", rule=rule.name), "rule", rule.id
            )
            return


def _twice(session: Session, rule_id: int, content: RuleContent, lookup: RuleLookup) -> Iterator[Advice]:
    """Readers whom another rule tells something else of the same event."""
    trigger, mine = content.trigger, [action for action in content.messages if action.delay is None]
    if not mine or is_alone(trigger):
        return
    status = lookup.statuses.get(trigger.status_id) if isinstance(trigger, Entered) else None
    keys = _keys_of_event(rule_id, content, lookup)
    rules = session.scalars(
        select(Rule)
        .where(Rule.trigger_key.in_(keys), Rule.board_id == content.board_id, Rule.active, ~Rule.log_only, Rule.id != rule_id)
        .options(joinedload(Rule.version))
        .order_by(Rule.id)
        .limit(MOST_RULES)
    )
    others = [sending for rule in rules for sending in sendings_of(rule, status)]
    if not others:
        return
    directory = load_everybody(session, recipients_in([*mine, *(one.action for one in others)]))
    mine_holds = holds_in(status, content.criteria)
    samples = [sample for sample in load_samples(session, [content.board_id])[content.board_id] if mine_holds(sample)]
    for action in mine:
        for already in already_told(action, others, samples, directory):
            yield Advice(already_words(already, template_name(lookup, already.template_id)), "rule", already.rule_id)


def sendings_of(rule: Rule, status: Status | None) -> list[Sending]:
    """What a rule sends at once, in this status."""
    content = fields_of(rule).content
    holds = holds_in(status, content.criteria)
    return [Sending(rule.id, rule.name, action, holds) for action in content.messages if action.delay is None]


def template_name(lookup: RuleLookup, template_id: int) -> str:
    template = lookup.templates.get(template_id)
    return template.name if template else _("removed")


def already_words(already: Already, template: str) -> str:
    """«Ольга Белова уже получает здесь „Менеджеру“.»"""
    said = {"names": names(already.names), "template": template}
    return ngettext("%(names)s already gets “%(template)s” here.", "%(names)s already get “%(template)s” here.", len(already.names), **said)


def _keys_of_event(rule_id: int, content: RuleContent, lookup: RuleLookup) -> set[str]:
    """Trigger keys of rules that start together with this one, whatever the order is."""
    board_id = content.board_id
    keys = {trigger_key(content.trigger, rule_id, board_id)}
    first = next((status.id for status in lookup.statuses_of(board_id)), None)
    match content.trigger:
        case Entered() | Left():
            keys.add(f"changed:{board_id}")
            if content.trigger == Entered(first or 0):
                keys.add(f"placed:{board_id}")
        case Placed():
            keys.add(f"entered:{first}")
    return keys


def _loop(session: Session, rule_id: int, fields: RuleFields, lookup: RuleLookup) -> Iterator[Advice]:
    if not fields.content.changes:
        return
    rules = session.scalars(select(Rule).where(Rule.active, Rule.id != rule_id).options(joinedload(Rule.version)).order_by(Rule.id))
    others = [node_of(rule.id, rule.name, fields_of(rule).content, lookup) for rule in rules]
    way = find_loop(node_of(rule_id, fields.name, fields.content, lookup), [node for node in others if node.causes])
    if len(way) == 2:
        yield Advice(_("This rule can trigger itself through its own changes. It is stopped the second time; criteria can prevent this."))
    elif way:
        names = " → ".join(node.name or "…" for node in way)
        yield Advice(
            _("This rule can trigger itself through other rules: %(way)s. It is stopped when it reaches the same order again.", way=names),
            "rule",
            way[1].id,
        )


@dataclass(frozen=True)
class _People:
    """holders: active ones, by role."""

    lookup: RuleLookup
    holders: dict[int, list[Person]]

    @classmethod
    def load(cls, session: Session, lookup: RuleLookup) -> "_People":
        holders: dict[int, list[Person]] = {id_: [] for id_ in lookup.roles}
        for role_id, person_id in session.execute(select(person_role.c.role_id, person_role.c.person_id)):
            person = lookup.people.get(person_id)
            if person is not None and person.active and role_id in holders:
                holders[role_id].append(person)
        return cls(lookup, holders)

    def named_by(self, recipient: Recipient) -> list[Person] | None:
        """People who work here; None where the order says who it is, or nobody can know."""
        match recipient:
            case RoleRecipient():
                return self.holders.get(recipient.role_id, [])
            case PersonRecipient():
                person = self.lookup.people.get(recipient.person_id)
                return [person] if person is not None and person.active else []
            case AddressRecipient() | RelatedRecipient():
                return None
            case _:
                assert_never(recipient)


def _readers(action: SendMessage, people: _People) -> Iterator[Advice]:
    somebody = False
    for recipient, _copy in action.recipients:
        found = people.named_by(recipient)
        reached = [person for person in found or () if address_of(person, action.channel)]
        somebody = somebody or found is None or bool(reached)
        if isinstance(recipient, RoleRecipient):
            yield from _of_role(recipient, len(found or ()), people.lookup)
        for person in found or ():
            if person not in reached:
                yield Advice(_no_address(person, action.channel), "people", person.id)
    if not somebody and action.to:
        yield Advice(_("Nobody would get this message."))


def _of_role(recipient: RoleRecipient, holders: int, lookup: RuleLookup) -> Iterator[Advice]:
    role = lookup.roles.get(recipient.role_id)
    if role is not None and not holders:
        yield Advice(_("Nobody holds the role “%(role)s”.", role=role.name), "people")
    if role is not None and holders > MOST_HOLDERS and not recipient.everyone:
        text = ngettext(
            "%(num)d person holds the role “%(role)s”. Notify all of them when nobody on the order has it?",
            "%(num)d people hold the role “%(role)s”. Notify all of them when nobody on the order has it?",
            holders,
            role=role.name,
        )
        yield Advice(text, question=role.id)


def _no_address(person: Person, channel: Channel) -> str:
    name = person.name
    match channel.traits.address:
        case AddressKind.PHONE if person.phone:
            return _("%(name)s has a phone number that can't be dialled: %(phone)s", name=name, phone=person.phone)
        case AddressKind.PHONE:
            return _("%(name)s has no phone number.", name=name)
        case AddressKind.CHAT:
            return _("%(name)s has no messenger address.", name=name)
        case AddressKind.EMAIL | AddressKind.BELL:
            return _("%(name)s has no e-mail address.", name=name)
        case kind:
            assert_never(kind)


def _fields(trigger: Trigger, action: SendMessage, lookup: RuleLookup) -> Iterator[Advice]:
    """Fields of the template that say nothing where the rule starts so."""
    template = lookup.templates.get(action.template_id)
    empty = set() if isinstance(trigger, Entered | Left | StatusChanged) else {"status_before"}
    empty |= {"moved_by"} if isinstance(trigger, DateNears | Stays | Idle | Weekly) else set()
    empty |= {"production_number", "production_status"} if isinstance(trigger, Placed) else set()
    named = set(_FIELD.findall(f"{template.subject} {template.text}")) if template is not None else set()
    for field in TEMPLATE_FIELDS:
        if template is not None and field.name in named & empty:
            yield Advice(
                _(
                    "The template “%(template)s” uses the field “%(field)s”, which is empty or irrelevant with this start condition.",
                    template=template.name,
                    field=_(field.label),
                ),
                "template",
                template.id,
            )


def _ways(session: Session, content: RuleContent, config: Config) -> Iterator[Advice]:
    for channel in dict.fromkeys(action.channel for action in content.messages):
        if channel is Channel.EMAIL and not config.smtp_host and stored_account(session) is None:
            yield Advice(_(channel.traits.not_set_up), "mail")
        elif channel.traits.by_gateway and find_gateway(session, channel) is None:
            yield Advice(_(channel.traits.not_set_up), "gateways")
