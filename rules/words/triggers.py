"""When a rule starts, in words: the first clause of its sentence, and what its trigger names."""

from typing import assert_never

from kanban import i18n
from kanban.fields import FieldGroup
from kanban.i18n import N_, _, ngettext
from kanban.words.grammar import DATIVE, GENITIVE, a_document, the_date
from rules.definition.content import RuleContent
from rules.definition.delay import DelayUnit
from rules.definition.triggers import (
    AllLinked,
    ByHand,
    Commented,
    DateNears,
    Entered,
    FieldChanged,
    Idle,
    Left,
    LinkedEntered,
    Paid,
    Placed,
    StatusChanged,
    Stays,
    TimeUnit,
    TriggerKind,
    Weekly,
)
from rules.queries.lookup import RuleLookup

PHASE_WORDS = {
    "new": N_("new"),
    "active": N_("in progress"),
    "waiting": N_("waiting"),
    "done": N_("done"),
    "cancelled": N_("cancelled"),
}


def trigger_label(kind: TriggerKind) -> str:
    """As the editor offers it."""
    match kind:
        case TriggerKind.PLACED:
            label = _("is placed")
        case TriggerKind.ENTERED:
            label = _("moves to")
        case TriggerKind.LEFT:
            label = _("leaves")
        case TriggerKind.STATUS_CHANGED:
            label = _("changes its status")
        case TriggerKind.FIELD_CHANGED:
            label = _("changes in the field")
        case TriggerKind.PAID:
            label = _("is paid")
        case TriggerKind.COMMENTED:
            label = _("gets a comment")
        case TriggerKind.LINKED_ENTERED:
            label = _("has a linked order that moves to")
        case TriggerKind.ALL_LINKED:
            label = _("has all linked orders in the phase")
        case TriggerKind.DATE_NEARS:
            label = _("approaches or passes a date")
        case TriggerKind.STAYS:
            label = _("stays for longer than")
        case TriggerKind.IDLE:
            label = _("has no activity for")
        case TriggerKind.WEEKLY:
            label = _("appears in a scheduled list")
        case TriggerKind.BY_HAND:
            label = _("has a button pressed")
        case _:
            assert_never(kind)
    return label


def start_of(content: RuleContent, lookup: RuleLookup) -> str:
    """«Когда заказ покупателя переходит в»; of a trigger with a status its name follows."""
    trigger, what = content.trigger, what_of(content, lookup)
    board = lookup.boards.get(content.board_id)
    name = board.order_name if board else ""
    document, of, by = a_document(name), a_document(name, GENITIVE), a_document(name, DATIVE)
    match trigger:
        case Placed():
            said = _("When %(document)s is placed", document=document)
        case Entered():
            said = _("When %(document)s moves to", document=document)
        case Left():
            said = _("When %(document)s leaves", document=document)
        case StatusChanged():
            said = _("When %(document)s changes its status", document=document)
        case FieldChanged():
            said = _("When the field “%(field)s” of %(document)s changes", field=what, document=of)
        case Paid():
            said = _("When %(share)s of %(document)s is paid", share=what, document=by)
        case Commented():
            said = _("When %(document)s gets a comment", document=document)
        case LinkedEntered():
            said = _("When an order linked to %(document)s moves to", document=of)
        case AllLinked():
            said = _("When all orders linked to %(document)s are in the phase “%(phase)s”", document=of, phase=what)
        case DateNears():
            said = _start_of_date(trigger, of)
        case Stays():
            said = _start_of_stay(trigger, document, lookup)
        case Idle():
            said = _("When %(document)s has no activity for %(time)s", document=of, time=length(trigger.length, trigger.unit))
        case Weekly():
            said = _("%(when)s, one list of open orders (%(document)s)", when=what, document=i18n.lower_first(name))
        case ByHand():
            said = _("When the button “%(button)s” on %(document)s is pressed", button=what, document=of)
        case _:
            assert_never(trigger)
    return said


def what_of(content: RuleContent, lookup: RuleLookup) -> str:
    """The field, share, phase, time or button that the trigger names; "" where it names none."""
    trigger = content.trigger
    match trigger:
        case FieldChanged():
            known = lookup.field(trigger.name, content.board_id)
            what = _("removed") if known is None else known.label if known.group is FieldGroup.ROLE else _(known.label)
        case Paid():
            what = i18n.money(trigger.sum) if trigger.sum is not None else f"{trigger.percent or 0}\u00a0%"
        case AllLinked():
            what = phase_word(trigger.phase)
        case DateNears():
            what = _date(trigger)
        case Stays():
            what = _stay(trigger, lookup)
        case Idle():
            what = length(trigger.length, trigger.unit)
        case Weekly():
            what = _weekdays(trigger)
        case ByHand():
            what = trigger.button
        case Placed() | Entered() | Left() | StatusChanged() | Commented() | LinkedEntered():
            what = ""
        case _:
            assert_never(trigger)
    return what


def phase_word(phase: str) -> str:
    word = PHASE_WORDS.get(phase)
    return _(word) if word else _("removed")


def _weekdays(trigger: Weekly) -> str:
    """«Пн, Ср в 09:00»; «По будням в 09:00»."""
    named = {(1, 2, 3, 4, 5): _("Monday to Friday"), (1, 2, 3, 4, 5, 6, 7): _("Every day")}.get(trigger.days)
    words = named or ", ".join(i18n.weekday(day) for day in trigger.days) or _("On no day")
    said = _("%(days)s at %(time)s", days=words, time=trigger.at)
    return _("%(when)s, except days off", when=said) if trigger.working_only else said


def length(number: int, unit: DelayUnit | TimeUnit) -> str:
    match unit:
        case DelayUnit.MINUTES:
            return ngettext("%(num)s minute", "%(num)s minutes", number)
        case DelayUnit.HOURS | TimeUnit.HOURS:
            return ngettext("%(num)s hour", "%(num)s hours", number)
        case DelayUnit.WORKING_DAYS | TimeUnit.WORKING_DAYS:
            return ngettext("%(num)s working day", "%(num)s working days", number)
        case DelayUnit.DAYS | TimeUnit.DAYS:
            return ngettext("%(num)s day", "%(num)s days", number)
        case _:
            assert_never(unit)


def _start_of_stay(trigger: Stays, document: str, lookup: RuleLookup) -> str:
    time, status = length(trigger.length, trigger.unit), lookup.statuses.get(trigger.status_id or 0)
    if status:
        return _("When %(document)s stays in “%(status)s” for longer than %(time)s", document=document, status=status.name, time=time)
    return _("When %(document)s stays in one status for longer than %(time)s", document=document, time=time)


def _stay(trigger: Stays, lookup: RuleLookup) -> str:
    """«2 дня в „Предоплата“»."""
    time, status = length(trigger.length, trigger.unit), lookup.statuses.get(trigger.status_id or 0)
    return _("%(length)s in “%(status)s”", length=time, status=status.name) if status else time


def _start_of_date(trigger: DateNears, of: str) -> str:
    """«За 3 рабочих дня до даты отгрузки заказа покупателя, в 09:00»."""
    time = length(abs(trigger.offset), trigger.unit)
    words = {"date": the_date(trigger.field) if trigger.field else _("removed"), "document": of}
    if not trigger.offset:
        said = _("On %(date)s of %(document)s", date=the_date(trigger.field, "") if trigger.field else _("removed"), document=of)
    elif trigger.offset < 0:
        said = _("%(length)s before %(date)s of %(document)s", length=time, **words)
    else:
        said = _("%(length)s after %(date)s of %(document)s", length=time, **words)
    return _("%(day)s, at %(time)s", day=said, time=trigger.at) if trigger.at else said


def _date(trigger: DateNears) -> str:
    """«3 рабочих дня до даты „Дата отгрузки“ в 09:00»."""
    date = _(trigger.field.label) if trigger.field else _("removed")
    words = {"length": length(abs(trigger.offset), trigger.unit), "date": date, "time": trigger.at}
    if not trigger.offset:
        return _("On the date “%(date)s” at %(time)s", date=date, time=trigger.at)
    if trigger.offset < 0:
        return _("%(length)s before the date “%(date)s” at %(time)s", **words)
    return _("%(length)s after the date “%(date)s” at %(time)s", **words)
