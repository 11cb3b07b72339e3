"""What a rule starts at, in words: the first clause of its sentence, and what its trigger names."""

from collections.abc import Mapping
from typing import Any

from kanban import i18n
from kanban.facts import find_field
from kanban.i18n import N_, _, ngettext
from rules.evaluator import LIST, OF_TIME
from rules.lookup import Lookup
from rules.words.wording import DATIVE, GENITIVE, a_document, the_date

PHASE_WORDS = {
    "new": N_("new"), "active": N_("in work"), "waiting": N_("waiting"), "done": N_("done"), "cancelled": N_("cancelled"),
}  # fmt: skip


# As the editor offers them.
TRIGGER_WORDS = {
    "placed": N_("is placed"), "entered": N_("moves to"), "left": N_("leaves"), "changed": N_("changes its status"),
    "field": N_("changes in the field"), "paid": N_("is paid"), "commented": N_("gets a comment"),
    "linked": N_("has a linked order that moves to"), "all_linked": N_("has all linked orders in the phase"),
    "date": N_("comes near a date"), "stay": N_("stays for longer than"), "idle": N_("sees nothing happen for"),
    "weekdays": N_("is on a list, by weekday"), "hand": N_("has a button pressed"),
}  # fmt: skip


def start_of(fields: Any, lookup: Lookup) -> str:
    """«Когда заказ покупателя переходит в»; of a trigger with a status (rules.evaluator.WITH_STATUS) its name follows."""
    board = lookup.boards.get(fields.board_id)
    name = board.order_name if board else ""
    document, of, by = a_document(name), a_document(name, GENITIVE), a_document(name, DATIVE)
    if fields.trigger in OF_TIME:
        return _of_time(fields.trigger, fields.options, document, of, lookup)
    what = what_of(fields, lookup)
    if fields.trigger == LIST:
        return _("%(when)s, one list of open orders (%(document)s)", when=what, document=i18n.lower_first(name))
    said: dict[str, str] = {
        "placed": _("When %(document)s is placed", document=document),
        "entered": _("When %(document)s moves to", document=document),
        "left": _("When %(document)s leaves", document=document),
        "changed": _("When %(document)s changes its status", document=document),
        "field": _("When the field “%(field)s” of %(document)s changes", field=what, document=of),
        "paid": _("When %(share)s of %(document)s is paid", share=what, document=by),
        "commented": _("When %(document)s gets a comment", document=document),
        "linked": _("When an order linked with %(document)s moves to", document=of),
        "all_linked": _("When all orders linked with %(document)s are in the phase “%(phase)s”", document=of, phase=what),
        "hand": _("When the button “%(button)s” of %(document)s is pressed", button=what, document=of),
    }
    return said.get(fields.trigger, said["changed"])


def what_of(fields: Any, lookup: Lookup) -> str:
    """The field, share, phase, time or button that the trigger names; "" where it names none."""
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


def length(number: int, unit: str) -> str:
    if unit == "minutes":
        return ngettext("%(num)s minute", "%(num)s minutes", number)
    if unit == "hours":
        return ngettext("%(num)s hour", "%(num)s hours", number)
    if unit == "working_days":
        return ngettext("%(num)s working day", "%(num)s working days", number)
    return ngettext("%(num)s day", "%(num)s days", number)


def _length(options: Mapping[str, Any]) -> str:
    unit = options.get("unit")
    return length(abs(int(options.get("offset") or 0)), unit if unit in ("hours", "working_days") else "days")


def _of_time(trigger: str, options: Mapping[str, Any], document: str, of: str, lookup: Lookup) -> str:
    time = _length(options)
    if trigger == "date":
        return _of_date(options, of)
    status = lookup.statuses.get(options.get("status") or 0)
    if trigger == "idle":
        if status:
            return _("When nothing happens to %(document)s in “%(status)s” for %(time)s", document=of, status=status.name, time=time)
        return _("When nothing happens to %(document)s for %(time)s", document=of, time=time)
    if status:
        return _("When %(document)s stays in “%(status)s” for longer than %(time)s", document=document, status=status.name, time=time)
    return _("When %(document)s stays in one status for longer than %(time)s", document=document, time=time)


def _of_date(options: Mapping[str, Any], of: str) -> str:
    """«За 3 рабочих дня до даты отгрузки заказа покупателя, в 09:00»."""
    offset, field = int(options.get("offset") or 0), str(options.get("field"))
    words = {"date": the_date(field), "document": of}
    if not offset:
        said = _("On %(date)s of %(document)s", date=the_date(field, ""), document=of)
    elif offset < 0:
        said = _("%(length)s before %(date)s of %(document)s", length=_length(options), **words)
    else:
        said = _("%(length)s after %(date)s of %(document)s", length=_length(options), **words)
    return _("%(day)s, at %(time)s", day=said, time=options["at"]) if options.get("at") else said


def _time(trigger: str, options: Mapping[str, Any], lookup: Lookup) -> str:
    """«3 рабочих дня до даты „Дата отгрузки“ в 09:00»; «2 дня в „Предоплата“»."""
    offset, length = int(options.get("offset") or 0), _length(options)
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
