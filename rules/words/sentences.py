"""A rule as one sentence. The words are made here; templates/rules/_sentence.html sets them."""

from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from kanban import i18n
from kanban.criteria import ALWAYS, Comparison, Criterion, Group, GroupKind, Scalar
from kanban.criteria import DAYS as DAY_OPS
from kanban.fields import Choices, Field, FieldGroup, FieldType
from kanban.i18n import N_, _, ngettext
from kanban.references import ReferenceKind
from rules.definition.content import RuleContent, RuleFields
from rules.definition.triggers import OF_STATUS, TriggerKind
from rules.post.layout import StatusMark
from rules.queries.lookup import Lookup
from rules.words import declension
from rules.words.actions import Clause, clause_of
from rules.words.comparisons import comparison_word
from rules.words.grammar import ACCUSATIVE, is_russian, person, the
from rules.words.triggers import start_of, what_of

JOINTS = {
    TriggerKind.DATE_NEARS: (N_(", if "), N_(", if either ")),
    TriggerKind.WEEKLY: (N_(", those where "), N_(", those where either ")),
}
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


@dataclass(frozen=True)
class Sentence:
    """start: its first clause; the status follows where the trigger names one, None where it is gone.

    what: the field, share, sum or phase that the trigger names. gone: what the rule points at and can't be found any more.
    """

    board: str
    trigger: TriggerKind
    start: str
    status: StatusMark | None
    group: GroupKind
    conditions: tuple[Condition | ConditionGroup, ...]
    clauses: tuple[Clause, ...]
    tell_actor: bool = False
    gone: tuple[str, ...] = field(default=())
    what: str = ""

    @property
    def names_status(self) -> bool:
        return self.trigger in OF_STATUS

    @property
    def joints(self) -> tuple[str, str]:
        """What stands before the first condition, and before each other. «За 3 дня до даты отгрузки» has no verb for them to join."""
        first, either = JOINTS.get(self.trigger, (N_(" and "), N_(" and either ")))
        if self.group is GroupKind.ANY and len(self.conditions) > 1:
            return _(either), _(", or ")
        return _(first), _(" and ")

    @property
    def between(self) -> str:
        """What stands between two clauses: those with commas of their own are set off more clearly."""
        return "; " if any(clause.wishes for clause in self.clauses) else ", "


def sentence_of(fields: RuleFields, lookup: Lookup) -> Sentence:
    content = fields.content
    gone = [_("This rule can't be read. Restore an earlier version, or rewrite it.")] if fields.broken else []
    board = lookup.boards.get(content.board_id)
    status = lookup.statuses.get(content.status_id or 0)
    if content.trigger.kind in OF_STATUS and status is None:
        gone.append(_("The status that starts this rule no longer exists."))
    conditions = _parts(content.criteria, content.board_id, lookup, gone)
    clauses = tuple(clause_of(action, lookup, gone) for action in content.actions)
    gone += [] if gone else _missing(content, lookup)
    gone += _left(content, lookup)
    return Sentence(
        board=i18n.lower_first(board.order_name) if board else "",
        trigger=content.trigger.kind,
        start=start_of(content, lookup),
        status=StatusMark(status.name, status.tone) if status else None,
        group=content.criteria.kind,
        conditions=conditions,
        clauses=clauses,
        tell_actor=content.tell_actor,
        gone=tuple(dict.fromkeys(gone)),
        what=what_of(content, lookup),
    )


def _parts(group: Group, board_id: int, lookup: Lookup, gone: list[str]) -> tuple[Condition | ConditionGroup, ...]:
    """What stands in a group of criteria; empty groups ask nothing, and are not said."""
    found: list[Condition | ConditionGroup] = []
    for part in group.parts:
        if isinstance(part, Criterion):
            found.append(_condition(part, board_id, lookup, gone))
        elif parts := _parts(part, board_id, lookup, gone):
            found.append(ConditionGroup(part.kind, parts))
    return tuple(found)


def _missing(content: RuleContent, lookup: Lookup) -> list[str]:
    """Why a rule is broken by what it points at elsewhere than in its criteria and messages."""
    words = {
        ReferenceKind.BOARD: _("The document this rule is for no longer exists."),
        ReferenceKind.STATUS: _("A status used in this rule no longer exists."),
        ReferenceKind.ROLE: _("A role used in this rule no longer exists."),
        ReferenceKind.PERSON: _("A person named in this rule no longer exists."),
        ReferenceKind.ORGANISATION: _("An organisation used in this rule no longer exists."),
        ReferenceKind.TEMPLATE: _("The message template no longer exists."),
    }
    return [words[kind] for kind, id_ in sorted(content.references) if kind in words and id_ not in lookup.named(kind)]


def _left(content: RuleContent, lookup: Lookup) -> list[str]:
    """Whom its actions name though they work here no more."""
    doing = RuleContent(content.board_id, content.trigger, actions=content.actions)
    ids = sorted(id_ for kind, id_ in doing.references if kind is ReferenceKind.PERSON)
    people = [lookup.people[id_] for id_ in ids if id_ in lookup.people]
    return [_("%(name)s no longer works here but is named in this rule.", name=one.name) for one in people if not one.active]


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
