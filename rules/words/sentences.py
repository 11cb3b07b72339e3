"""A rule as one sentence. The words are made here; templates/rules/_sentence.html sets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from kanban import declension, i18n
from kanban.criteria import ALWAYS
from kanban.criteria import DAYS as DAY_OPS
from kanban.facts import Field, find_field
from kanban.i18n import N_, _, ngettext
from rules.evaluator import LIST, WITH_STATUS
from rules.lookup import Lookup
from rules.pointers import things_in
from rules.words.clauses import Send, clause_of
from rules.words.starts import start_of, what_of
from rules.words.wording import ACCUSATIVE, is_russian, person, the

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
JOINTS = {"date": (N_(", if "), N_(", if either ")), LIST: (N_(", those where "), N_(", those where either "))}
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
class Group:
    """Conditions that hold together (all), or of which one has to (any)."""

    group: str
    parts: tuple["Condition | Group", ...]


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
    conditions: tuple[Condition | Group, ...]
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
        first, either = JOINTS.get(self.trigger, (N_(" and "), N_(" and either ")))
        if self.group == "any" and len(self.conditions) > 1:
            return _(either), _(", or ")
        return _(first), _(" and ")

    @property
    def between(self) -> str:
        """What stands between two clauses: those with commas of their own are set off more clearly."""
        return "; " if any(one.wishes for one in self.sends) else ", "


def sentence_of(fields: Any, lookup: Lookup) -> Sentence:
    """The sentence of anything with the attributes of RuleFields."""
    gone = [] if fields.is_readable else [_("What this rule says can't be read. Restore an earlier version, or write it anew.")]
    board = lookup.boards.get(fields.board_id)
    status = lookup.statuses.get(fields.status_id) if fields.status_id else None
    if fields.trigger in WITH_STATUS and status is None:
        gone.append(_("The status this rule starts at is gone."))
    group = "any" if "any" in fields.criteria else "all"
    conditions = _parts(fields.criteria, group, lookup, gone)
    sends = tuple(clause_of(action, lookup, gone) for action in fields.actions)
    gone += [] if gone else _missing(fields, lookup)
    gone += _left(fields, lookup)
    return Sentence(
        board=i18n.lower_first(board.order_name) if board else "", trigger=fields.trigger, start=start_of(fields, lookup),
        status={"name": status.name, "tone": status.tone} if status else None, group=group, conditions=conditions,
        sends=sends, tell_actor=fields.tell_actor, gone=tuple(dict.fromkeys(gone)), what=what_of(fields, lookup),
    )  # fmt: skip


def _parts(node: Mapping[str, Any], group: str, lookup: Lookup, gone: list[str]) -> tuple[Condition | Group, ...]:
    """What stands in a group of criteria; empty groups ask nothing, and are not said."""
    found: list[Condition | Group] = []
    for part in node.get(group, ()):
        inner = next((name for name in ("all", "any") if name in part), "")
        if "field" in part:
            found.append(_condition(part, lookup, gone))
        elif inner and (parts := _parts(part, inner, lookup, gone)):
            found.append(Group(inner, parts))
    return tuple(found)


def _missing(fields: Any, lookup: Lookup) -> list[str]:
    """Why a rule is broken by what it points at elsewhere than in its criteria and messages."""
    known: dict[str, tuple[Mapping[int, Any], str]] = {
        "board": (lookup.boards, _("The document this rule is about is gone.")),
        "status": (lookup.statuses, _("A status this rule names is gone.")),
        "role": (lookup.roles, _("A role this rule names is gone.")),
        "person": (lookup.people, _("Someone this rule names is gone.")),
        "organisation": (lookup.organisations, _("An organisation this rule names is gone.")),
        "template": (lookup.templates, _("The message template is gone.")),
    }
    things = sorted(thing for thing in things_in(fields) if thing[0] in known)
    return [known[kind][1] for kind, id_ in things if id_ not in known[kind][0]]


def _left(fields: Any, lookup: Lookup) -> list[str]:
    """Whom its actions name though they work here no more."""
    doing = replace(fields, criteria={}, options={}) if fields.actions else None
    ids = sorted(id_ for kind, id_ in things_in(doing) if kind == "person") if doing else []
    people = [lookup.people[id_] for id_ in ids if id_ in lookup.people]
    return [_("%(name)s works here no more, and this rule names them.", name=one.name) for one in people if not one.active]


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
