"""What an administrator should know of a rule before it works: said beside the editor, each with the way to mend it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.config import Config
from kanban.i18n import _, names, ngettext
from kanban.models import Person, Status, person_role
from rules.actions import CHANNEL_OF, addressed, channel_of, recipients_of, sends
from rules.evaluator import BY_ID, LIST, OF_TIME, trigger_key
from rules.fields import RuleFields
from rules.lookup import Lookup
from rules.mail.accounts import stored_account
from rules.models import Rule, RuleVersion
from rules.post.gateways import find_gateway
from rules.rules import fields_of, says
from rules.running.recipients import MOST_HOLDERS, load_everybody
from rules.texts import LETTER_FIELDS
from rules.trying.loops import find_loop, node_of
from rules.trying.twice import Already, Sending, already_told, holds_in, load_samples

MOST_RULES = 2_000  # looked at
MOVES = ("entered", "left", "changed")
_FIELD = re.compile(r"order\.([a-z_]+)")
DYNAMIC = ("responsible", "previous", "author", "mover", "customer", "address")


@dataclass(frozen=True)
class Advice:
    """mend: where it can be mended: rule, template, people, mail, gateways or status, and which; "" for here. question: it has to be
    answered before the rule is saved: the id of the role that many hold."""

    text: str
    mend: str = ""
    id: int = 0
    question: int = 0


def advise(session: Session, rule_id: int, fields: RuleFields, lookup: Lookup, config: Config) -> list[Advice]:
    """fields: as much of the rule as is known yet. A fixed number of statements."""
    people = _People.load(session, lookup)
    found = [*_same(session, rule_id, fields), *_loop(session, rule_id, fields, lookup)]
    for action in fields.actions:
        if action["do"] in CHANNEL_OF:
            found += [*_readers(action, people), *_fields(fields.trigger, action, lookup)]
    found += _twice(session, rule_id, fields, lookup)
    found += _guarded(session, fields)
    return list(dict.fromkeys([*found, *_ways(session, fields, config)]))


def _guarded(session: Session, fields: RuleFields) -> Iterator[Advice]:
    """A button does for whoever presses it what only some roles may do by hand."""
    if fields.trigger != "hand":
        return
    ids = [action.get("status") for action in fields.actions if action["do"] == "set_status"]
    for status in session.scalars(select(Status).where(Status.id.in_(ids), Status.moving.any()).options(selectinload(Status.moving))):
        roles = names([role.name for role in status.moving])
        yield Advice(
            _("By hand only %(roles)s move orders into “%(status)s”; with this button everybody who may change orders does.",
              roles=roles, status=status.name), "status", status.id,
        )  # fmt: skip


def _same(session: Session, rule_id: int, fields: RuleFields) -> Iterator[Advice]:
    alike = (RuleVersion.trigger == fields.trigger, Rule.board_id == fields.board_id, Rule.id != rule_id)
    query = select(Rule).join(RuleVersion, RuleVersion.id == Rule.version_id).where(*alike).options(joinedload(Rule.version))
    for rule in session.scalars(query.order_by(Rule.id).limit(MOST_RULES)):
        if says(fields_of(rule)) == says(fields):
            only_sends = len(sends(fields.actions)) == len(fields.actions) and fields.trigger not in BY_ID
            text = _("“%(rule)s” says the same: each reader gets the letter once, but one of the two is too many.", rule=rule.name)
            yield Advice(text if only_sends else _("“%(rule)s” says the same: all of it happens twice.", rule=rule.name), "rule", rule.id)
            return


def _twice(session: Session, rule_id: int, fields: RuleFields, lookup: Lookup) -> Iterator[Advice]:
    """Readers whom another rule tells something else of the same event."""
    mine = [action for action in sends(fields.actions) if "after" not in action]
    if not mine or fields.trigger in BY_ID:
        return
    status = lookup.statuses.get(fields.status_id or 0) if fields.trigger == "entered" else None
    keys = _keys_of_event(rule_id, fields, lookup)
    rules = session.scalars(
        select(Rule)
        .where(Rule.trigger_key.in_(keys), Rule.board_id == fields.board_id, Rule.active, ~Rule.log_only, Rule.id != rule_id)
        .options(joinedload(Rule.version))
        .order_by(Rule.id)
        .limit(MOST_RULES)
    )
    others = [
        Sending(rule.id, rule.name, action, holds_in(status, rule.version.criteria))
        for rule in rules
        for action in sends(rule.version.actions)
        if "after" not in action
    ]
    if not others:
        return
    directory = load_everybody(session, recipients_of([*mine, *(one.action for one in others)]))
    mine_holds = holds_in(status, fields.criteria)
    samples = [sample for sample in load_samples(session, [fields.board_id])[fields.board_id] if mine_holds(sample)]
    for action in mine:
        for one in already_told(action, others, samples, directory):
            yield Advice(already_words(one, template_name(lookup, one.template)), "rule", one.rule_id)


def template_name(lookup: Lookup, template_id: int) -> str:
    template = lookup.templates.get(template_id)
    return template.name if template else _("gone")


def already_words(one: Already, template: str) -> str:
    """«Ольга Белова уже получает здесь „Менеджеру“.»"""
    said = {"names": names(one.names), "template": template}
    return ngettext("%(names)s already gets “%(template)s” here.", "%(names)s already get “%(template)s” here.", len(one.names), **said)


def _keys_of_event(rule_id: int, fields: RuleFields, lookup: Lookup) -> set[str]:
    """Trigger keys of rules that start together with this one, whatever the order is."""
    keys = {trigger_key(fields.trigger, rule_id, fields.board_id, fields.status_id, fields.options)}
    first = next((status.id for status in lookup.statuses_of(fields.board_id)), None)
    if fields.trigger in ("entered", "left"):
        keys.add(f"changed:{fields.board_id}")
    if fields.trigger == "placed":
        keys.add(f"entered:{first}")
    if fields.trigger == "entered" and fields.status_id == first:
        keys.add(f"placed:{fields.board_id}")
    return keys


def _loop(session: Session, rule_id: int, fields: RuleFields, lookup: Lookup) -> Iterator[Advice]:
    if all(action["do"] in CHANNEL_OF for action in fields.actions):
        return
    rules = session.scalars(select(Rule).where(Rule.active, Rule.id != rule_id).options(joinedload(Rule.version)).order_by(Rule.id))
    others = [node_of(rule.id, fields_of(rule), lookup) for rule in rules]
    way = find_loop(node_of(rule_id, fields, lookup), [one for one in others if one.causes])
    if len(way) == 2:
        yield Advice(_("This rule can start itself by what it changes. It is stopped at the second time; criteria can keep it from it."))
    elif way:
        names = " → ".join(one.name or "…" for one in way)
        yield Advice(_("This rule can start itself through others: %(way)s. It is stopped when it comes to an order again.", way=names),
                     "rule", way[1].id)  # fmt: skip


@dataclass(frozen=True)
class _People:
    """holders: active ones, by role."""

    lookup: Lookup
    holders: Mapping[int, list[Person]]

    @classmethod
    def load(cls, session: Session, lookup: Lookup) -> "_People":
        holders: dict[int, list[Person]] = {id_: [] for id_ in lookup.roles}
        for role_id, person_id in session.execute(select(person_role.c.role_id, person_role.c.person_id)):
            person = lookup.people.get(person_id)
            if person is not None and person.active and role_id in holders:
                holders[role_id].append(person)
        return cls(lookup, holders)


def _readers(action: Mapping[str, Any], people: _People) -> Iterator[Advice]:
    channel, somebody = channel_of(action), False
    for one in addressed(action):
        role = people.lookup.roles.get(one.get("id", 0)) if one["kind"] == "role" else None
        named = people.holders.get(one["id"], []) if one["kind"] == "role" else _person(one, people.lookup)
        reached = [person for person in named if _address(person, channel)]
        somebody = somebody or bool(reached) or one["kind"] in DYNAMIC
        if role is not None and not named:
            yield Advice(_("Nobody holds the role “%(role)s”.", role=role.name), "people")
        if role is not None and len(named) > MOST_HOLDERS and not one.get("many"):
            text = ngettext("%(num)d person holds the role “%(role)s”. Tell all of them, where nobody on the order does?",
                            "%(num)d people hold the role “%(role)s”. Tell all of them, where nobody on the order does?",
                            len(named), role=role.name)  # fmt: skip
            yield Advice(text, question=role.id)
        for person in named:
            if person not in reached:
                yield Advice(_no_address(person.name, channel), "people", person.id)
    if not somebody and action.get("to"):
        yield Advice(_("Nobody would get this message."))


def _person(one: Mapping[str, Any], lookup: Lookup) -> list[Person]:
    person = lookup.people.get(one["id"]) if one["kind"] == "person" else None
    return [person] if person is not None and person.active else []


def _address(person: Person, channel: str) -> str:
    return {"sms": person.phone, "chat": person.chat}.get(channel, person.email)


def _no_address(name: str, channel: str) -> str:
    words = {"sms": _("%(name)s has no phone number.", name=name), "chat": _("%(name)s has no address in the messenger.", name=name)}
    return words.get(channel, _("%(name)s has no e-mail address.", name=name))


def _fields(trigger: str, action: Mapping[str, Any], lookup: Lookup) -> Iterator[Advice]:
    """Fields of the template that say nothing where the rule starts so."""
    template = lookup.templates.get(action["template"])
    empty = {"status_before"} if trigger not in MOVES else set()
    empty |= {"moved_by"} if trigger in (*OF_TIME, LIST) else set()
    empty |= {"production_number", "production_status"} if trigger == "placed" else set()
    named = set(_FIELD.findall(f"{template.subject} {template.text}")) if template is not None else set()
    for field in LETTER_FIELDS:
        if template is not None and field.name in named & empty:
            yield Advice(_("The template “%(template)s” names the field “%(field)s”, which says nothing at this start.",
                           template=template.name, field=_(field.label)), "template", template.id)  # fmt: skip


def _ways(session: Session, fields: RuleFields, config: Config) -> Iterator[Advice]:
    channels = {channel_of(action) for action in sends(fields.actions)}
    if "email" in channels and not config.smtp_host and stored_account(session) is None:
        yield Advice(_("There is no mail account yet: letters stay in the tray."), "mail")
    for channel, text in (("sms", _("There is no service for SMS yet.")), ("chat", _("There is no messenger yet."))):
        if channel in channels and find_gateway(session, channel) is None:
            yield Advice(text, "gateways")
