"""A rule as one sentence. The words are made here; templates/rules/_sentence.html sets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from kanban import i18n
from kanban.criteria import ALWAYS
from kanban.criteria import DAYS as DAY_OPS
from kanban.facts import find_field
from kanban.i18n import N_, _, ngettext
from rules.actions import CHANNEL_OF, channel_of
from rules.changes import DATES
from rules.evaluator import LIST, OF_TIME, WITH_STATUS
from rules.lookup import Lookup
from rules.senders import account_id

OPS = {
    "equals": N_("is"), "not_equals": N_("is not"), "in_list": N_("is one of"), "not_in_list": N_("is none of"),
    "filled": N_("is filled"), "empty": N_("is empty"), "more": N_("is more than"), "less": N_("is less than"),
    "at_least": N_("is at least"), "at_most": N_("is at most"), "between": N_("is between"),
    "contains": N_("contains"), "not_contains": N_("does not contain"), "starts_with": N_("starts with"),
    "within_next": N_("is within the next"), "within_last": N_("was within the last"),
    "changed": N_("has changed"), "changed_from": N_("has changed from"), "changed_to": N_("has changed to"),
}  # fmt: skip
# As the editor offers them; above, as they stand in a sentence.
OP_LABELS = {
    "equals": N_("equals"), "not_equals": N_("not equals"), "in_list": N_("in list"), "not_in_list": N_("not in list"),
    "filled": N_("filled"), "empty": N_("empty"), "more": N_("more than"), "less": N_("less than"), "contains": N_("contains"),
    "at_least": N_("at least"), "at_most": N_("at most"), "between": N_("between"), "not_contains": N_("does not contain"),
    "starts_with": N_("starts with"), "within_next": N_("within the next days"), "within_last": N_("within the last days"),
    "changed": N_("changed"), "changed_from": N_("changed from"), "changed_to": N_("changed to"),
}  # fmt: skip
DATE_OP_LABELS = {
    "more": N_("after"), "less": N_("before"), "at_least": N_("on or after"), "at_most": N_("on or before"),
}  # fmt: skip
DATE_OPS = {
    "more": N_("is after"), "less": N_("is before"), "at_least": N_("is on or after"), "at_most": N_("is on or before"),
}  # fmt: skip
CHANNEL_VERBS = {
    "email": N_("send the letter"), "sms": N_("send the SMS"), "chat": N_("send to the messenger"), "notice": N_("show the notice"),
}  # fmt: skip
CHANGE_VERBS = {
    "set_status": N_("move the order"), "set_field": N_("set a field"), "tag": N_("add the tag"), "untag": N_("take off the tag"),
    "assign": N_("assign a person"), "make_production": N_("make the production order"), "comment": N_("add the comment"),
    "todo": N_("give a to-do"),
}  # fmt: skip
COPY_WORDS = {"cc": N_("a copy to: %(names)s"), "bcc": N_("a hidden copy to: %(names)s")}
PHASE_WORDS = {
    "new": N_("new"), "active": N_("in work"), "waiting": N_("waiting"), "done": N_("done"), "cancelled": N_("cancelled"),
}  # fmt: skip
RECIPIENTS = {
    "responsible": N_("the responsible"), "previous": N_("the responsible of before"), "author": N_("the author"),
    "mover": N_("who did it"), "customer": N_("the customer"),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    value: str


@dataclass(frozen=True)
class Send:
    """wishes: from which account, and where answers go, where it isn't as usual."""

    verb: str
    template: str
    to: tuple[str, ...]
    wishes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """status: {"name", "tone"} or None. what: the field, share, sum or phase that the trigger names. gone: what the rule
    points at and can't be found any more."""

    board: str
    trigger: str
    status: dict[str, str] | None
    group: str
    conditions: tuple[Condition, ...]
    sends: tuple[Send, ...]
    tell_actor: bool = False
    gone: tuple[str, ...] = field(default=())
    what: str = ""


def sentence_of(fields: Any, lookup: Lookup) -> Sentence:
    """The sentence of anything with the attributes of RuleFields."""
    gone: list[str] = []
    board = lookup.boards.get(fields.board_id)
    status = lookup.statuses.get(fields.status_id) if fields.status_id else None
    if fields.trigger in WITH_STATUS and status is None:
        gone.append(_("The status this rule starts at is gone."))
    group = "any" if "any" in fields.criteria else "all"
    conditions = tuple(_condition(node, lookup, gone) for node in fields.criteria.get(group, ()) if "field" in node)
    actions = tuple(_action(action, lookup, gone) for action in fields.actions)
    return Sentence(
        board=i18n.lower_first(board.order_name) if board else "", trigger=fields.trigger,
        status={"name": status.name, "tone": status.tone} if status else None, group=group, conditions=conditions,
        sends=actions, tell_actor=fields.tell_actor, gone=tuple(dict.fromkeys(gone)), what=_what(fields, lookup),
    )  # fmt: skip


def _action(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    said = _send(action, lookup, gone) if action["do"] in CHANNEL_OF else _change(action, lookup, gone)
    after = action.get("after")
    return replace(said, wishes=(*said.wishes, _("after %(time)s", time=_length(after["number"], after["unit"])))) if after else said


def _length(number: int, unit: str) -> str:
    return {
        "minutes": lambda: ngettext("%(num)s minute", "%(num)s minutes", number),
        "hours": lambda: ngettext("%(num)s hour", "%(num)s hours", number),
        "days": lambda: ngettext("%(num)s day", "%(num)s days", number),
        "working_days": lambda: ngettext("%(num)s working day", "%(num)s working days", number),
    }[unit]()


def _what(fields: Any, lookup: Lookup) -> str:
    options = fields.options
    if fields.trigger == "field":
        known = find_field(str(options.get("field")), lookup.role_names)
        return (known.label if known.group == "role" else _(known.label)) if known else _("gone")
    if fields.trigger == "paid":
        return i18n.money(options["sum"]) if "sum" in options else f"{options.get('percent', 0)}\u00a0%"
    if fields.trigger == "all_linked":
        word = PHASE_WORDS.get(str(options.get("phase")))
        return _(word) if word else _("gone")
    if fields.trigger in OF_TIME:
        return _time(fields.trigger, options, lookup)
    if fields.trigger == LIST:
        return _weekdays(options)
    return str(options.get("button", ""))


def _weekdays(options: Mapping[str, Any]) -> str:
    """«Пн, Ср в 09:00»; «По будням в 09:00»."""
    days = list(options.get("days") or [])
    named = {(1, 2, 3, 4, 5): _("Monday to Friday"), (1, 2, 3, 4, 5, 6, 7): _("Every day")}.get(tuple(days))
    words = named or ", ".join(i18n.weekday(day) for day in days) or _("On no day")
    said = _("%(days)s at %(time)s", days=words, time=options.get("at", ""))
    return _("%(when)s, but not on days off", when=said) if options.get("working") else said


def _time(trigger: str, options: Mapping[str, Any], lookup: Lookup) -> str:
    """«3 рабочих дня до даты „Дата отгрузки“ в 09:00»; «2 дня в „Предоплата“»."""
    offset, unit = int(options.get("offset") or 0), options.get("unit")
    length = _length(abs(offset), unit if unit in ("hours", "working_days") else "days")
    if trigger == "date":
        field = find_field(str(options.get("field")))
        words = {"length": length, "date": _(field.label) if field else _("gone"), "time": options.get("at", "")}
        if not offset:
            return _("On the day “%(date)s” at %(time)s", date=words["date"], time=words["time"])
        return (
            _("%(length)s before “%(date)s” at %(time)s", **words) if offset < 0 else _("%(length)s after “%(date)s” at %(time)s", **words)
        )
    status = lookup.statuses.get(options.get("status") or 0)
    return _("%(length)s in “%(status)s”", length=length, status=status.name) if status else length


def _change(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    do = action["do"]
    if do == "set_status":
        status = lookup.statuses.get(action["status"])
        if status is None:
            gone.append(_("The status this rule moves orders to is gone."))
        return Send(_("move the order to"), status.name if status else _("gone"), ())
    if do == "set_field":
        field = find_field(action["field"])
        name = _(field.label) if field else _("Description and wishes")
        return Send(_("set “%(field)s” to", field=name), _set_to(action, lookup) or _("nothing"), ())
    if do == "assign":
        role = lookup.roles.get(action.get("role") or 0)
        place = role.name if role else _("responsible")
        if action.get("least"):
            holders = lookup.roles.get(action["least"])
            return Send(_("assign as %(role)s the least busy of", role=i18n.lower_first(place)), holders.name if holders else _("gone"), ())
        person = lookup.people.get(action.get("person") or 0)
        return Send(_("assign as %(role)s", role=i18n.lower_first(place)), person.name if person else _("gone"), ())
    if do == "todo":
        return _todo(action, lookup, gone)
    return Send(_(CHANGE_VERBS[do]), str(action.get("tag") or action.get("text") or ""), ())


def _todo(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    things: Mapping[int, Any] = lookup.people if action.get("person") else lookup.roles
    thing = things.get(action.get("person") or action.get("role") or 0)
    if thing is None and not action.get("responsible"):
        gone.append(_("Whoever gets the to-do of this rule is gone."))
    whose = _("the responsible") if action.get("responsible") else thing.name if thing else _("gone")
    verb = {"task": _("give the task"), "reminder": _("give the reminder"), "calendar": _("enter into the calendar"),
            "contact": _("give the contact with the customer")}[action["kind"]]  # fmt: skip
    return Send(verb, action["text"], (whose,), (_due(action["due"]),) if action.get("due") else ())


def _due(due: Mapping[str, Any]) -> str:
    """«срок: 2 дня до даты „Дата отгрузки“ в 09:00»."""
    days, field = due.get("days", 0), find_field(due.get("field") or "")
    length = ngettext("%(num)s day", "%(num)s days", abs(days))
    if field is None:
        said = _("due on the same day") if not days else _("due %(days)s days from then", days=f"{days:+d}")
    elif days == 0:
        said = _("due on “%(date)s”", date=_(field.label))
    elif days < 0:
        said = _("due %(length)s before “%(date)s”", length=length, date=_(field.label))
    else:
        said = _("due %(length)s after “%(date)s”", length=length, date=_(field.label))
    return f"{said}, {due['time']}" if due.get("time") else said


def _set_to(action: Mapping[str, Any], lookup: Lookup) -> str:
    value = action.get("value")
    if isinstance(value, Mapping):
        return _("%(days)s days from then", days=f"{value['days']:+d}")
    if action["field"] == "organisation":
        found = lookup.organisations.get(value or 0)
        return found.name if found else ""
    if action["field"] in ("total", "paid"):
        return i18n.money(value)
    return i18n.day_long(date.fromisoformat(value)) if value and action["field"] in DATES else str(value or "")


def op_word(kind: str, op: str) -> str:
    word = DATE_OPS.get(op) if kind == "date" else None
    return _(word or OPS[op])


def op_label(kind: str, op: str) -> str:
    word = DATE_OP_LABELS.get(op) if kind == "date" else None
    return _(word or OP_LABELS[op])


def condition_of(node: Mapping[str, Any], lookup: Lookup) -> Condition:
    """One criterion in words."""
    return _condition(node, lookup, [])


def _condition(node: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Condition:
    known = find_field(node["field"], lookup.role_names)
    if known is None:
        gone.append(_("A criterion asks for a field there is not."))
        return Condition(node["field"], "", "")
    wanted = node.get("value")
    if node["op"] in ALWAYS:
        text = ""
    elif node["op"] in DAY_OPS:
        text = ngettext("%(num)s day", "%(num)s days", int(wanted or 0))
    elif isinstance(wanted, list):
        text = (_(" and ") if node["op"] == "between" else _(" or ")).join(_value(known, one, lookup, gone) for one in wanted)
    else:
        text = _value(known, wanted, lookup, gone)
    return Condition(i18n.lower_first(_(known.label)), op_word(known.kind, node["op"]), text)


def _value(known: Any, wanted: Any, lookup: Lookup, gone: list[str]) -> str:
    if known.kind == "money":
        return i18n.money(wanted)
    if known.kind == "date":
        return i18n.day_long(date.fromisoformat(wanted)) if wanted else ""
    if known.kind == "number":
        return str(wanted)
    if known.kind in ("reference", "references"):
        by_source: dict[str, Mapping[int, Any]] = {
            "organisations": lookup.organisations,
            "people": lookup.people,
            "statuses": lookup.statuses,
            "other_statuses": lookup.statuses,
            "roles": lookup.roles,
        }
        thing = by_source[known.choices].get(wanted)
        if thing is None:
            gone.append(_("A criterion names something that is gone."))
            return _("gone")
        return i18n.quoted(thing.name) if known.choices in ("statuses", "other_statuses") else str(thing.name)
    return i18n.quoted(wanted)


def _send(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> Send:
    template = lookup.templates.get(action["template"])
    if template is None:
        gone.append(_("The message template is gone."))
    to = tuple(recipient_name(one, lookup, gone) for one in action["to"])
    return Send(_(CHANNEL_VERBS[channel_of(action)]), template.name if template else _("gone"), to, tuple(_wishes(action, lookup, gone)))


def _wishes(action: Mapping[str, Any], lookup: Lookup, gone: list[str]) -> list[str]:
    wishes = []
    for place, words in COPY_WORDS.items():
        names = ", ".join(recipient_name(one, lookup, gone) for one in action.get(place, []))
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


def recipient_name(one: Mapping[str, Any], lookup: Lookup, gone: list[str] | None = None) -> str:
    if one["kind"] in RECIPIENTS:
        word = RECIPIENTS[one["kind"]]
        return _(word)
    if one["kind"] == "address":
        return str(one["address"])
    thing = (lookup.roles if one["kind"] == "role" else lookup.people).get(one["id"])
    if thing is None:
        if gone is not None:
            gone.append(_("Someone who gets the letter is gone."))
        return _("gone")
    return thing.name if one["kind"] == "person" else i18n.lower_first(thing.name)
