"""A rule as one sentence. The words are made here; templates/rules/_sentence.html sets them."""

from dataclasses import dataclass, field

from kanban import i18n
from kanban.criteria import GroupKind
from kanban.i18n import N_, _
from kanban.references import ReferenceKind
from kanban.words.criteria import Condition, ConditionGroup, conditions_of
from rules.definition.content import RuleContent, RuleFields
from rules.definition.triggers import OF_STATUS, TriggerKind
from rules.post.layout import StatusMark
from rules.queries.lookup import RuleLookup
from rules.words.actions import Clause, clause_of
from rules.words.triggers import start_of, what_of

JOINTS = {
    TriggerKind.DATE_NEARS: (N_(", if "), N_(", if either ")),
    TriggerKind.WEEKLY: (N_(", those where "), N_(", those where either ")),
}


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


def sentence_of(fields: RuleFields, lookup: RuleLookup) -> Sentence:
    content = fields.content
    gone = [_("This rule can't be read. Restore an earlier version, or rewrite it.")] if fields.broken else []
    board = lookup.boards.get(content.board_id)
    status = lookup.statuses.get(content.status_id or 0)
    if content.trigger.kind in OF_STATUS and status is None:
        gone.append(_("The status that starts this rule no longer exists."))
    conditions = conditions_of(content.criteria, content.board_id, lookup, gone)
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


def _missing(content: RuleContent, lookup: RuleLookup) -> list[str]:
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


def _left(content: RuleContent, lookup: RuleLookup) -> list[str]:
    """Whom its actions name though they work here no more."""
    doing = RuleContent(content.board_id, content.trigger, actions=content.actions)
    ids = sorted(id_ for kind, id_ in doing.references if kind is ReferenceKind.PERSON)
    people = [lookup.people[id_] for id_ in ids if id_ in lookup.people]
    return [_("%(name)s no longer works here but is named in this rule.", name=one.name) for one in people if not one.active]
