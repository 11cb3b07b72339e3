"""A rule as one sentence. The words are made here; templates/rules/_sentence.html sets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kanban import declension, i18n
from kanban.criteria import ALWAYS
from kanban.criteria import DAYS as DAY_OPS
from kanban.facts import Field, find_field
from kanban.i18n import N_, _, ngettext
from rules.clauses import Send, clause_of
from rules.evaluator import WITH_STATUS
from rules.lookup import Lookup
from rules.starts import start_of, what_of
from rules.wording import ACCUSATIVE, is_russian, person, the

OPS = {
    "equals": N_("is"), "not_equals": N_("is not"), "in_list": N_("is one of"), "not_in_list": N_("is none of"),
    "filled": N_("is filled"), "empty": N_("is empty"), "more": N_("is more than"), "less": N_("is less than"),
    "at_least": N_("is at least"), "at_most": N_("is at most"), "between": N_("is between"),
    "contains": N_("contains"), "not_contains": N_("does not contain"), "starts_with": N_("starts with"),
    "within_next": N_("is within the next"), "within_last": N_("was not earlier than"),
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
AGREEING = ("filled", "empty")  # «сумма не указана»
# Fields that stand in a sentence by other words than in a form; the others as they are called there.
FIELD_WORDS = {
    "status_before": N_("the status before"), "status_after": N_("the new status"), "paid": N_("the sum paid"),
    "paid_percent": N_("the share paid"), "tags": N_("the list of tags"), "actor": N_("whoever made the change"),
    "actor_roles": N_("the role of whoever made the change"), "linked_count": N_("the number of linked orders"),
    "linked.number": N_("the number of a linked order"), "linked.status": N_("the status of a linked order"),
    "linked.responsible": N_("the responsible of a linked order"), "linked.total": N_("the total of a linked order"),
    "linked.paid": N_("the sum paid of a linked order"), "linked.ship_on": N_("the ship date of a linked order"),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    value: str


@dataclass(frozen=True)
class Sentence:
    """start: its first clause; the status follows where the trigger names one: {"name", "tone"}, None where it is gone.

    what: the field, share, sum or phase that the trigger names. gone: what the rule points at and can't be found any more.
    """

    board: str
    trigger: str
    start: str
    status: dict[str, str] | None
    group: str
    conditions: tuple[Condition, ...]
    sends: tuple[Send, ...]
    tell_actor: bool = False
    gone: tuple[str, ...] = field(default=())
    what: str = ""

    @property
    def names_status(self) -> bool:
        return self.trigger in WITH_STATUS

    @property
    def joints(self) -> tuple[str, str]:
        """What stands before the first condition, and before each other. «За 3 дня до даты отгрузки» has no verb for them to join."""
        is_date = self.trigger == "date"
        if self.group == "any" and len(self.conditions) > 1:
            return (_(", if either ") if is_date else _(" and either ")), _(", or ")
        return (_(", if ") if is_date else _(" and ")), _(" and ")

    @property
    def between(self) -> str:
        """What stands between two clauses: those with commas of their own are set off more clearly."""
        return "; " if any(one.wishes for one in self.sends) else ", "


def sentence_of(fields: Any, lookup: Lookup) -> Sentence:
    """The sentence of anything with the attributes of RuleFields."""
    gone: list[str] = []
    board = lookup.boards.get(fields.board_id)
    status = lookup.statuses.get(fields.status_id) if fields.status_id else None
    if fields.trigger in WITH_STATUS and status is None:
        gone.append(_("The status this rule starts at is gone."))
    group = "any" if "any" in fields.criteria else "all"
    conditions = tuple(_condition(node, lookup, gone) for node in fields.criteria.get(group, ()) if "field" in node)
    sends = tuple(clause_of(action, lookup, gone) for action in fields.actions)
    return Sentence(
        board=i18n.lower_first(board.order_name) if board else "", trigger=fields.trigger, start=start_of(fields, lookup),
        status={"name": status.name, "tone": status.tone} if status else None, group=group, conditions=conditions,
        sends=sends, tell_actor=fields.tell_actor, gone=tuple(dict.fromkeys(gone)), what=what_of(fields, lookup),
    )  # fmt: skip


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
    elif node["op"] == "within_last":
        text = ngettext("%(num)s day ago", "%(num)s days ago", int(wanted or 0))
    elif node["op"] in DAY_OPS:
        text = ngettext("%(num)s day", "%(num)s days", int(wanted or 0))
    elif node["op"] == "changed_to" and known.choices == "people":
        text = person(_value(known, wanted, lookup, gone), ACCUSATIVE)
    elif isinstance(wanted, list):
        text = (_(" and ") if node["op"] == "between" else _(" or ")).join(_value(known, one, lookup, gone) for one in wanted)
    else:
        text = _value(known, wanted, lookup, gone)
    words, op = _named(known), op_word(known.kind, node["op"])
    return Condition(words, declension.agreeing(op, words.rstrip(",")) if is_russian() and node["op"] in AGREEING else op, text)


def _named(known: Field) -> str:
    """«сумма», "the total"."""
    if known.name in FIELD_WORDS:
        return _(FIELD_WORDS[known.name])
    return the(known.label if known.group == "role" else _(known.label))


def _value(known: Any, wanted: Any, lookup: Lookup, gone: list[str]) -> str:
    if known.kind == "money":
        return i18n.money(wanted)
    if known.kind == "date":
        return i18n.day_long(date.fromisoformat(wanted)) if wanted else ""
    if known.kind == "number":
        return f"{wanted}\u00a0%" if known.name == "paid_percent" else str(wanted)
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
