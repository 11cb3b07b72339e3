"""What a rule does, in words: a clause an action."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kanban import i18n
from kanban.facts import find_field
from kanban.i18n import N_, _, ngettext
from rules.actions import CHANNEL_OF, channel_of
from rules.lookup import Lookup
from rules.running.changes import DATES
from rules.running.senders import account_id
from rules.texts import readable
from rules.words.starts import length
from rules.words.wording import ACCUSATIVE, DATIVE, joined, person, the, the_date

CHANNEL_VERBS = {
    "email": N_("send the letter"), "sms": N_("send the SMS"), "chat": N_("send the messenger message"), "notice": N_("show the notice"),
}  # fmt: skip
CHANGE_VERBS = {
    "set_status": N_("move the order"), "set_field": N_("set a field"), "tag": N_("add the tag"), "untag": N_("take off the tag"),
    "assign": N_("assign a person"), "make_production": N_("make the production order"), "comment": N_("add the comment"),
    "todo": N_("give a to-do"),
}  # fmt: skip
# As lists name them; in a sentence they decline.
RECIPIENTS = {
    "responsible": N_("responsible"), "previous": N_("previous responsible"), "author": N_("author"),
    "mover": N_("the person who did it"), "customer": N_("customer"),
}  # fmt: skip


BLANK = "…"  # not chosen yet, in an editor
COPY_WORDS = {"cc": N_("a copy to: %(names)s"), "bcc": N_("a hidden copy to: %(names)s")}


@dataclass(frozen=True)
class Send:
    """An action in words. to: names as a list has them; whom: the same as they stand in the sentence.

    said: the whole clause, where it isn't verb, text and whom. wishes: from which account, and where answers go, where it
    isn't as usual, or when it is due. later: «через 2 дня».
    """

    verb: str
    template: str
    to: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()
    whom: str = ""
    said: str = ""
    later: str = ""

    @property
    def manner(self) -> tuple[str, ...]:
        return (*self.wishes, self.later) if self.later else self.wishes


def clause_of(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    """gone: gets what the action points at and can't be found any more."""
    said = _send(action, lookup, gone) if action["do"] in CHANNEL_OF else _change(action, lookup, gone)
    after = action.get("after")
    return replace(said, later=_("after %(time)s", time=length(after["number"], after["unit"]))) if after else said


def _send(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    template = lookup.templates.get(action["template"])
    if template is None:
        gone.append(_("The message template is gone."))
    who = sorted(action["to"], key=lambda one: bool(one["kind"] == "mover"))  # «менеджеру и тому, кто это сделал»: no comma after it
    whom = [_whom(one, lookup) for one in who]
    return Send(
        _(CHANNEL_VERBS[channel_of(action)]), template.name if template else _("gone"),
        tuple(_recipient(one, lookup, gone) for one in action["to"]), tuple(_wishes(action, lookup, gone)),
        _("to %(whom)s", whom=joined(whom)) if whom else "",
    )  # fmt: skip


def _recipient(one: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> str:
    word = RECIPIENTS.get(one["kind"])
    if word:
        return _(word)
    if one["kind"] == "address":
        return str(one["address"])
    thing = (lookup.roles if one["kind"] == "role" else lookup.people).get(one["id"])
    if thing is None:
        gone.append(_("Someone who gets the letter is gone."))
        return _("gone")
    return thing.name if one["kind"] == "person" else i18n.lower_first(thing.name)


def _whom(one: Mapping[str, Any], lookup: Lookup) -> str:
    """«бухгалтеру», "the accountant"."""
    if one["kind"] == "mover":
        return _("whoever did it")
    word = RECIPIENTS.get(one["kind"])
    if word:
        return the(_(word), DATIVE)
    if one["kind"] == "address":
        return str(one["address"])
    thing = (lookup.roles if one["kind"] == "role" else lookup.people).get(one["id"])
    if thing is None:
        return _("a recipient who is gone")
    return person(thing.name, DATIVE) if one["kind"] == "person" else the(thing.name, DATIVE)


def _wishes(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> list[str]:
    wishes = []
    for place, words in COPY_WORDS.items():
        names = ", ".join(_recipient(one, lookup, gone) for one in action.get(place, []))
        wishes += [_(words, names=names)] if names else []
    if action.get("from") == "responsible":
        wishes.append(_("from the responsible's own account"))
    elif action.get("from"):
        account = lookup.accounts.get(account_id(action["from"]) or 0)
        if account is None:
            gone.append(_("The mail account this rule sends by is gone."))
        wishes.append(_("from %(address)s", address=account.address if account else _("gone")))
    if action.get("reply_to"):
        wishes.append(_("answers to the responsible") if action["reply_to"] == "responsible" else _("answers to who did it"))
    return wishes


def _change(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    do = action["do"]
    if do == "set_status":
        status = lookup.statuses.get(action["status"])
        if status is None:
            gone.append(_("The status this rule moves orders to is gone."))
        return Send(_("move the order to"), status.name if status else _absent(action.get("status")))
    if do == "set_field":
        return _set_field(action, lookup)
    if do == "assign":
        return _assign(action, lookup)
    if do == "todo":
        return _todo(action, lookup, gone)
    return Send(_(CHANGE_VERBS[do]), str(action.get("tag") or readable(action.get("text") or "")))


def _absent(pointed: Any) -> str:
    """For what can't be found: it is gone, or was never chosen."""
    return _("gone") if pointed else BLANK


def _assign(action: Mapping[str, Any], lookup: Lookup) -> Send:
    """«назначить ответственным Ольгу Белову»; «назначить на роль „Дизайнер“ наименее занятого из роли „Дизайнер“»."""
    role = lookup.roles.get(action.get("role") or 0)
    least, one = lookup.roles.get(action.get("least") or 0), lookup.people.get(action.get("person") or 0)
    if action.get("least"):
        name = least.name if least else _("gone")
        whom = _("the least busy of the role “%(role)s”", role=name)
    else:
        name = one.name if one else _absent(action.get("person"))
        whom = person(one.name, ACCUSATIVE) if one else _("a person who is gone") if action.get("person") else BLANK
    if action.get("role"):
        place = role.name if role else _("gone")
        return Send(_("assign a person"), name, said=_("assign %(whom)s to the role “%(role)s”", whom=whom, role=place))
    return Send(_("assign a person"), name, said=_("make %(whom)s responsible", whom=whom))


def _set_field(action: Mapping[str, Any], lookup: Lookup) -> Send:
    field, value = find_field(action["field"]), action.get("value")
    name = _(field.label) if field else _("Description and wishes") if action["field"] else BLANK
    verb = _("set “%(field)s” to", field=name)
    if isinstance(value, Mapping):
        day = _in_days(value["days"])
        return Send(verb, day, said=f"{verb} {day}")
    text = _value(action, lookup) if action["field"] else BLANK
    return Send(verb, text) if text else Send(verb, _("nothing"), said=_("clear the field “%(field)s”", field=name))


def _value(action: Mapping[str, Any], lookup: Lookup) -> str:
    value = action.get("value")
    if action["field"] == "organisation":
        found = lookup.organisations.get(value or 0)
        return found.name if found else ""
    if action["field"] in ("total", "paid"):
        return i18n.money(value)
    return i18n.day_long(date.fromisoformat(value)) if value and action["field"] in DATES else str(value or "")


def _in_days(days: int) -> str:
    """«день через 3 дня», counted from when the rule acts."""
    if not days:
        return _("the same day")
    if days < 0:
        return ngettext("%(num)s day before then", "%(num)s days before then", -days)
    return ngettext("%(num)s day from then", "%(num)s days from then", days)


def _todo(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    one = lookup.people.get(action.get("person") or 0)
    role = lookup.roles.get(action.get("role") or 0)
    if one is None and role is None and not action.get("responsible"):
        gone.append(_("Whoever gets the to-do of this rule is gone."))
    if action.get("responsible"):
        name, whom = _("responsible"), the(_("responsible"), DATIVE)
    elif one:
        name, whom = one.name, person(one.name, DATIVE)
    else:
        pointed = action.get("person") or action.get("role")
        nobody = (_absent(pointed), _("a recipient who is gone") if pointed else BLANK)
        name, whom = (role.name, the(role.name, DATIVE)) if role else nobody
    verbs = {"reminder": _("give the reminder"), "calendar": _("give the calendar entry"),
             "contact": _("give the contact with the customer")}  # fmt: skip
    verb = verbs.get(action["kind"], _("give the task"))
    due = (_due(action["due"]),) if action.get("due") else ()
    return Send(verb, readable(action["text"]), (name,), due, _("to %(whom)s", whom=whom))


def _due(due: Mapping[str, Any]) -> str:
    """«срок — за 2 дня до даты отгрузки, в 09:00»."""
    days, field = due.get("days", 0), due.get("field")
    number = length(abs(days), "days")
    if not field:
        said = _("due on the same day") if not days else _due_in(days)
    elif days == 0:
        said = _("due on %(date)s", date=the_date(field, ""))
    elif days < 0:
        said = _("due %(length)s before %(date)s", length=number, date=the_date(field))
    else:
        said = _("due %(length)s after %(date)s", length=number, date=the_date(field))
    return _("%(day)s, at %(time)s", day=said, time=due["time"]) if due.get("time") else said


def _due_in(days: int) -> str:
    number = length(abs(days), "days")
    return _("due in %(length)s", length=number) if days > 0 else _("due %(length)s earlier", length=number)
