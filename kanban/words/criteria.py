"""Criteria in words, as they stand in a sentence."""

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from kanban import i18n
from kanban.criteria import ALWAYS, Comparison, Criterion, Group, GroupKind, Scalar
from kanban.criteria import DAYS as DAY_OPS
from kanban.field_words import shortened, shown
from kanban.fields import Choices, Field, FieldGroup, FieldType
from kanban.i18n import N_, _, ngettext
from kanban.lookup import Lookup
from kanban.references import ReferenceKind
from kanban.words import declension
from kanban.words.comparisons import comparison_word
from kanban.words.grammar import ACCUSATIVE, is_russian, person, the

MOST_SHOWN = 5  # linked orders, tags and the like
AGREEING = (Comparison.FILLED, Comparison.EMPTY)  # «сумма не указана»
# Fields that stand in a sentence by other words than in a form; the others as they are called there.
FIELD_WORDS = {
    "status_before": N_("the previous status"),
    "status_after": N_("the new status"),
    "paid": N_("the amount paid"),
    "warranty_months": N_("the warranty in months"),
    "paid_percent": N_("the percentage paid"),
    "tags": N_("the list of tags"),
    "actor": N_("whoever made the change"),
    "actor_roles": N_("the role of whoever made the change"),
    "linked_count": N_("the number of linked orders"),
    "linked.number": N_("the number of a linked order"),
    "linked.status": N_("the status of a linked order"),
    "linked.responsible": N_("the responsible person of a linked order"),
    "linked.total": N_("the total of a linked order"),
    "linked.paid": N_("the amount paid of a linked order"),
    "linked.ship_on": N_("the ship date of a linked order"),
}


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    value: str


@dataclass(frozen=True)
class ConditionGroup:
    """Conditions that hold together (all), or of which one has to (any)."""

    group: GroupKind
    parts: "tuple[Condition | ConditionGroup, ...]"


def conditions_of(group: Group, board_id: int, lookup: Lookup, gone: list[str]) -> tuple[Condition | ConditionGroup, ...]:
    """What stands in a group of criteria; empty groups ask nothing, and are not said."""
    found: list[Condition | ConditionGroup] = []
    for part in group.parts:
        if isinstance(part, Criterion):
            found.append(_condition(part, board_id, lookup, gone))
        elif parts := conditions_of(part, board_id, lookup, gone):
            found.append(ConditionGroup(part.kind, parts))
    return tuple(found)


def condition_of(criterion: Criterion, board_id: int, lookup: Lookup) -> Condition:
    """One criterion in words."""
    return _condition(criterion, board_id, lookup, [])


def _condition(criterion: Criterion, board_id: int, lookup: Lookup, gone: list[str]) -> Condition:
    known = lookup.field(criterion.name, board_id) if criterion.field is not None else None
    if known is None:
        gone.append(_("A criterion uses a field that does not exist."))
        return Condition(criterion.name, "", "")
    words, op = _named(known), comparison_word(known.type, criterion.op)
    agreeing = is_russian() and criterion.op in AGREEING
    return Condition(words, declension.agreeing(op, words.rstrip(",")) if agreeing else op, _wanted(criterion, known, lookup, gone))


def _wanted(criterion: Criterion, known: Field, lookup: Lookup, gone: list[str]) -> str:
    """What it is compared with."""
    op, wanted = criterion.op, criterion.value
    if op in ALWAYS:
        return ""
    if op in DAY_OPS:
        number = wanted if isinstance(wanted, int) else 0
        if op is Comparison.WITHIN_LAST:
            return ngettext("%(num)s day ago", "%(num)s days ago", number)
        return ngettext("%(num)s day", "%(num)s days", number)
    if isinstance(wanted, tuple):
        return (_(" and ") if op is Comparison.BETWEEN else _(" or ")).join(_value(known, one, lookup, gone) for one in wanted)
    text = _value(known, wanted, lookup, gone)
    return person(text, ACCUSATIVE) if op is Comparison.CHANGED_TO and known.choices is Choices.PEOPLE else text


def _named(known: Field) -> str:
    """«сумма», "the total"."""
    if known.name in FIELD_WORDS:
        return _(FIELD_WORDS[known.name])
    return the(known.label if known.group is FieldGroup.ROLE else _(known.label))


def _value(known: Field, wanted: Scalar, lookup: Lookup, gone: list[str]) -> str:
    match known.type:
        case FieldType.MONEY:
            return i18n.money(wanted if isinstance(wanted, int) else 0)
        case FieldType.DATE:
            return i18n.day_long(date.fromisoformat(wanted)) if isinstance(wanted, str) and wanted else ""
        case FieldType.NUMBER:
            return f"{wanted}\u00a0{_(known.unit)}" if known.unit else str(wanted)
        case FieldType.REFERENCE | FieldType.REFERENCES:
            return _chosen(known, wanted, lookup, gone)
        case FieldType.TEXT | FieldType.TAGS:
            return i18n.quoted(str(wanted or ""))
        case _:
            assert_never(known.type)


def _chosen(known: Field, wanted: Scalar, lookup: Lookup, gone: list[str]) -> str:
    kind = known.reference
    found = lookup.named(kind).get(wanted) if kind is not None and isinstance(wanted, int) else None
    if found is None:
        gone.append(_("A criterion refers to something that no longer exists."))
        return _("removed")
    return i18n.quoted(found.name) if kind is ReferenceKind.STATUS else found.name


def value_words(known: Field, value: object, lookup: Lookup) -> str:
    """A value as facts keep it, with the names of that time."""
    if value in (None, "", []):
        return _("empty")
    if isinstance(value, list):
        return few([value_words(known, one, lookup) for one in value])
    if isinstance(value, dict):
        name = str(value.get("name", ""))
        return i18n.quoted(name) if known.reference is ReferenceKind.STATUS else name
    if known.group is FieldGroup.ROLE:
        person = lookup.people.get(value) if isinstance(value, int) else None
        return person.name if person else _("removed")
    text = shown(known, value)
    return i18n.quoted(shortened(text)) if known.type in (FieldType.TEXT, FieldType.TAGS) else text


def few(words: list[str]) -> str:
    return ", ".join(words[:MOST_SHOWN]) + ("…" if len(words) > MOST_SHOWN else "")
