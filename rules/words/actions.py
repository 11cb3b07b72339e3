"""What a rule does, in words: a clause an action."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from kanban import i18n
from kanban.fields import FieldType
from kanban.i18n import N_, _, ngettext
from kanban.words.grammar import ACCUSATIVE, DATIVE, joined, person, the, the_date
from rules.definition.actions import (
    Action,
    AddComment,
    AddTag,
    AddTodo,
    Assign,
    ChangeKind,
    MakeProduction,
    RemoveTag,
    SendMessage,
    SetField,
    SetStatus,
)
from rules.definition.change_actions import InDays
from rules.definition.channels import AddressKind, Channel
from rules.definition.delay import DelayUnit
from rules.definition.message_action import CHANNEL_OF, ReplyTo, Sender
from rules.definition.recipients import AddressRecipient, PersonRecipient, Recipient, RelatedRecipient, Relation, RoleRecipient
from rules.definition.texts import readable
from rules.definition.todo_action import Due, Owner
from rules.queries.lookup import RuleLookup
from rules.words.triggers import length

TODO_VERBS = {
    "task": N_("assign the task"),
    "reminder": N_("assign the reminder"),
    "calendar": N_("assign the calendar entry"),
    "contact": N_("assign the customer contact"),
}
BLANK = "…"  # not chosen yet, in an editor


def addresses_hint(channel: Channel) -> str:
    """What is typed where a message goes to other addresses; "" where none can be."""
    match channel.traits.address:
        case AddressKind.EMAIL:
            hint = _("addresses, separated by commas")
        case AddressKind.PHONE:
            hint = _("phone numbers, separated by commas")
        case AddressKind.CHAT:
            hint = _("chat IDs, separated by commas")
        case AddressKind.BELL:
            hint = ""
        case kind:
            assert_never(kind)
    return hint


def change_label(kind: ChangeKind) -> str:
    """As the editor offers it, and as runs name it."""
    match kind:
        case ChangeKind.SET_STATUS:
            label = _("move the order")
        case ChangeKind.SET_FIELD:
            label = _("set a field")
        case ChangeKind.ADD_TAG:
            label = _("add the tag")
        case ChangeKind.REMOVE_TAG:
            label = _("remove the tag")
        case ChangeKind.ASSIGN:
            label = _("assign a person")
        case ChangeKind.MAKE_PRODUCTION:
            label = _("create the production order")
        case ChangeKind.ADD_COMMENT:
            label = _("add the comment")
        case ChangeKind.ADD_TODO:
            label = _("assign a to-do")
        case _:
            assert_never(kind)
    return label


def action_label(code: str) -> str:
    """What an action does, by its code; a code of nothing known as it is."""
    if code in CHANNEL_OF:
        return CHANNEL_OF[code].verb
    return change_label(ChangeKind(code)) if code in tuple(ChangeKind) else code


def relation_word(relation: Relation) -> str:
    """As lists name it; in a sentence it declines."""
    match relation:
        case Relation.RESPONSIBLE:
            word = _("responsible person")
        case Relation.PREVIOUS:
            word = _("previous responsible person")
        case Relation.AUTHOR:
            word = _("author")
        case Relation.MOVER:
            word = _("the person who did it")
        case Relation.CUSTOMER:
            word = _("customer")
        case _:
            assert_never(relation)
    return word


@dataclass(frozen=True)
class Clause:
    """An action in words. to: names as a list has them; whom: the same as they stand in the sentence.

    whole: the whole clause, where it isn't verb, text and whom. wishes: from which account, and where answers go, where it
    isn't as usual, or when it is due. later: «через 2 дня».
    """

    verb: str
    text: str
    to: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()
    whom: str = ""
    whole: str = ""
    later: str = ""

    @property
    def manner(self) -> tuple[str, ...]:
        return (*self.wishes, self.later) if self.later else self.wishes


def clause_of(action: Action, lookup: RuleLookup, gone: list[str]) -> Clause:
    """gone: gets what the action points at and can't be found any more."""
    match action:
        case SendMessage():
            clause = _send(action, lookup, gone)
        case SetStatus():
            clause = _set_status(action, lookup, gone)
        case SetField():
            clause = _set_field(action, lookup)
        case AddTag():
            clause = Clause(change_label(ChangeKind.ADD_TAG), action.tag)
        case RemoveTag():
            clause = Clause(change_label(ChangeKind.REMOVE_TAG), action.tag)
        case Assign():
            clause = _assign(action, lookup)
        case MakeProduction():
            clause = Clause(change_label(ChangeKind.MAKE_PRODUCTION), "")
        case AddComment():
            clause = Clause(change_label(ChangeKind.ADD_COMMENT), readable(action.text))
        case AddTodo():
            clause = _todo(action, lookup, gone)
        case _:
            assert_never(action)
    delay = action.delay
    return replace(clause, later=_("after %(time)s", time=length(delay.number, delay.unit))) if delay else clause


def _send(action: SendMessage, lookup: RuleLookup, gone: list[str]) -> Clause:
    template = lookup.templates.get(action.template_id)
    if template is None:
        gone.append(_("The message template no longer exists."))
    mover = RelatedRecipient(Relation.MOVER)
    last = sorted(action.to, key=lambda recipient: recipient == mover)  # «менеджеру и тому, кто это сделал»: no comma after it
    whom = [_whom(recipient, lookup) for recipient in last]
    return Clause(
        action.channel.verb,
        template.name if template else _("removed"),
        tuple(_recipient(recipient, lookup, gone) for recipient in action.to),
        tuple(_wishes(action, lookup, gone)),
        _("to %(whom)s", whom=joined(whom)) if whom else "",
    )


def _recipient(recipient: Recipient, lookup: RuleLookup, gone: list[str]) -> str:
    match recipient:
        case RelatedRecipient():
            return relation_word(recipient.relation)
        case AddressRecipient():
            return recipient.address
        case RoleRecipient():
            role = lookup.roles.get(recipient.role_id)
            name = i18n.lower_first(role.name) if role else ""
        case PersonRecipient():
            one = lookup.people.get(recipient.person_id)
            name = one.name if one else ""
        case _:
            assert_never(recipient)
    if not name:
        gone.append(_("A recipient of the message no longer exists."))
    return name or _("removed")


def _whom(recipient: Recipient, lookup: RuleLookup) -> str:
    """«бухгалтеру», "the accountant"."""
    match recipient:
        case RelatedRecipient():
            is_mover = recipient.relation is Relation.MOVER
            words = _("whoever did it") if is_mover else the(relation_word(recipient.relation), DATIVE)
        case AddressRecipient():
            words = recipient.address
        case RoleRecipient():
            role = lookup.roles.get(recipient.role_id)
            words = the(role.name, DATIVE) if role else _("a removed recipient")
        case PersonRecipient():
            one = lookup.people.get(recipient.person_id)
            words = person(one.name, DATIVE) if one else _("a removed recipient")
        case _:
            assert_never(recipient)
    return words


def _wishes(action: SendMessage, lookup: RuleLookup, gone: list[str]) -> list[str]:
    def named(recipients: Iterable[Recipient]) -> str:
        return ", ".join(_recipient(recipient, lookup, gone) for recipient in recipients)

    wishes = [_("with a copy to: %(names)s", names=named(action.cc))] if action.cc else []
    wishes += [_("with a blind copy to: %(names)s", names=named(action.bcc))] if action.bcc else []
    if action.sender is Sender.RESPONSIBLE:
        wishes.append(_("from the responsible person's own account"))
    elif isinstance(action.sender, int):
        account = lookup.accounts.get(action.sender)
        if account is None:
            gone.append(_("The mail account this rule sends from no longer exists."))
        wishes.append(_("from %(address)s", address=account.address if account else _("removed")))
    match action.reply_to:
        case ReplyTo.RESPONSIBLE:
            wishes.append(_("replies to the responsible person"))
        case ReplyTo.MOVER:
            wishes.append(_("replies to the person who did it"))
    return wishes


def _set_status(action: SetStatus, lookup: RuleLookup, gone: list[str]) -> Clause:
    status = lookup.statuses.get(action.status_id)
    if status is None:
        gone.append(_("The status this rule moves orders to no longer exists."))
    return Clause(_("move the order to"), status.name if status else _absent(action.status_id))


def _absent(pointed: int | None) -> str:
    """For what can't be found: it is gone, or was never chosen."""
    return _("removed") if pointed else BLANK


def _assign(action: Assign, lookup: RuleLookup) -> Clause:
    """«назначить ответственным Ольгу Белову»; «назначить на роль „Дизайнер“ наименее занятого из роли „Дизайнер“»."""
    role = lookup.roles.get(action.role_id or 0)
    least, one = lookup.roles.get(action.least_busy_of or 0), lookup.people.get(action.person_id or 0)
    if action.least_busy_of:
        name = least.name if least else _("removed")
        whom = _("the least busy person in the role “%(role)s”", role=name)
    else:
        name = one.name if one else _absent(action.person_id)
        whom = person(one.name, ACCUSATIVE) if one else _("a removed person") if action.person_id else BLANK
    verb = change_label(ChangeKind.ASSIGN)
    if action.role_id:
        place = role.name if role else _("removed")
        return Clause(verb, name, whole=_("assign %(whom)s to the role “%(role)s”", whom=whom, role=place))
    return Clause(verb, name, whole=_("make %(whom)s responsible", whom=whom))


def _set_field(action: SetField, lookup: RuleLookup) -> Clause:
    verb = _("set “%(field)s” to", field=_(action.field.label) if action.field else BLANK)
    if action.field is None:
        return Clause(verb, BLANK)
    if isinstance(action.value, InDays):
        day = _in_days(action.value.days)
        return Clause(verb, day, whole=f"{verb} {day}")
    text = _value(action, lookup)
    return Clause(verb, text) if text else Clause(verb, _("nothing"), whole=_("clear the field “%(field)s”", field=_(action.field.label)))


def _value(action: SetField, lookup: RuleLookup) -> str:
    value, field = action.value, action.field
    if field is not None and field.reference is not None:
        found = lookup.named(field.reference).get(value) if isinstance(value, int) else None
        return found.name if found else ""
    if field is not None and field.type is FieldType.MONEY:
        return i18n.money(value if isinstance(value, int) else 0)
    if isinstance(value, date):
        return i18n.day_long(value)
    return "" if value is None else str(value)


def _in_days(days: int) -> str:
    """«день через 3 дня», counted from when the rule acts."""
    if not days:
        return _("the day of the run")
    if days < 0:
        return ngettext("%(num)s day before the run", "%(num)s days before the run", -days)
    return ngettext("%(num)s day after the run", "%(num)s days after the run", days)


def _todo(action: AddTodo, lookup: RuleLookup, gone: list[str]) -> Clause:
    name, whom = _owner(action.owner, lookup)
    if not name:
        gone.append(_("The assignee of this rule's to-do no longer exists."))
        name = _("removed") if action.owner else BLANK
    due = (_due(action.due),) if action.due else ()
    return Clause(_(TODO_VERBS.get(action.kind, TODO_VERBS["task"])), readable(action.text), (name,), due, _("to %(whom)s", whom=whom))


def _owner(owner: Owner | None, lookup: RuleLookup) -> tuple[str, str]:
    """Whose it is: as lists name them, "" where they are gone, and in the dative."""
    match owner:
        case RelatedRecipient():
            return _("responsible person"), the(_("responsible person"), DATIVE)
        case PersonRecipient():
            one = lookup.people.get(owner.person_id)
            return (one.name, person(one.name, DATIVE)) if one else ("", _("a removed recipient"))
        case RoleRecipient():
            role = lookup.roles.get(owner.role_id)
            return (role.name, the(role.name, DATIVE)) if role else ("", _("a removed recipient"))
        case None:
            return "", BLANK
        case _:
            assert_never(owner)


def _due(due: Due) -> str:
    """«срок — за 2 дня до даты отгрузки, в 09:00»."""
    number = length(abs(due.days), DelayUnit.DAYS)
    if due.field is None:
        said = _("due on the same day") if not due.days else _due_in(due.days)
    elif due.days == 0:
        said = _("due on %(date)s", date=the_date(due.field, ""))
    elif due.days < 0:
        said = _("due %(length)s before %(date)s", length=number, date=the_date(due.field))
    else:
        said = _("due %(length)s after %(date)s", length=number, date=the_date(due.field))
    return _("%(day)s, at %(time)s", day=said, time=f"{due.at:%H:%M}") if due.at else said


def _due_in(days: int) -> str:
    number = length(abs(days), DelayUnit.DAYS)
    return _("due in %(length)s", length=number) if days > 0 else _("due %(length)s earlier", length=number)
