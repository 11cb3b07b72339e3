"""What changed from one version of a rule to the next, as sentences. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kanban import i18n
from kanban.criteria import GroupKind
from kanban.i18n import _
from kanban.words.criteria import Condition, condition_of
from rules.definition.actions import Action
from rules.definition.content import RuleFields
from rules.definition.message_action import SendMessage
from rules.queries.lookup import RuleLookup
from rules.words.actions import Clause
from rules.words.sentences import Sentence, sentence_of
from rules.words.triggers import trigger_label


class ActionInWords(NamedTuple):
    """An action with its words."""

    action: Action
    clause: Clause


def differences(old: RuleFields, new: RuleFields, lookup: RuleLookup) -> list[str]:
    """In the order of the sentence: when, if, then. Empty where both say the same."""
    before, after = sentence_of(old, lookup), sentence_of(new, lookup)
    was, now = old.content, new.content
    said = _changed(_("document"), before.board, after.board)
    said += _changed(_("start condition"), _start(before), _start(after))
    if len(after.conditions) > 1 or len(before.conditions) > 1:
        said += _changed(_("criteria"), _group(before.group), _group(after.group))
    said += _criteria(_conditions(old, lookup), _conditions(new, lookup))
    said += _actions(list(map(ActionInWords, was.actions, before.clauses)), list(map(ActionInWords, now.actions, after.clauses)))
    if was.tell_actor != now.tell_actor:
        said.append(_("also notified: the person who did it") if now.tell_actor else _("no longer notified: the person who did it"))
    if not said and was != now:
        said.append(_("details changed"))
    return said


def _conditions(fields: RuleFields, lookup: RuleLookup) -> list[Condition]:
    content = fields.content
    return [condition_of(criterion, content.board_id, lookup) for criterion in content.criteria.criteria]


def _changed(what: str, old: str, new: str) -> list[str]:
    return [_("%(what)s: %(old)s → %(new)s", what=what, old=old or "—", new=new or "—")] if old != new else []


def _start(sentence: Sentence) -> str:
    status = i18n.quoted(sentence.status.name) if sentence.status else ""
    return " ".join(part for part in (trigger_label(sentence.trigger), status, sentence.what) if part)


def _group(group: GroupKind) -> str:
    return _("any criterion matches") if group is GroupKind.ANY else _("all criteria match")


def _criteria(old: list[Condition], new: list[Condition]) -> list[str]:
    """A criterion over the same field is one that changed."""
    gone, came = _apart(old, new)
    said = []
    for condition in list(gone):
        other = next((candidate for candidate in came if candidate.field == condition.field), None)
        if other is not None:
            gone.remove(condition)
            came.remove(other)
            said.append(_("criterion: %(old)s → %(new)s", old=_words(condition), new=_words(other)))
    said += [_("criterion removed: %(criterion)s", criterion=_words(condition)) for condition in gone]
    return said + [_("criterion added: %(criterion)s", criterion=_words(condition)) for condition in came]


def _words(condition: Condition) -> str:
    return " ".join(part for part in (condition.field, condition.op, condition.value) if part)


def _apart(old: Sequence[Condition], new: Sequence[Condition]) -> tuple[list[Condition], list[Condition]]:
    """(what is in the old alone, what is in the new alone)"""
    return list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())


def _actions(old: list[ActionInWords], new: list[ActionInWords]) -> list[str]:
    """An action that does the same thing with something else is one that changed; of those the one with the same text first."""
    gone = [one for one in old if one.action not in [other.action for other in new]]
    came = [one for one in new if one.action not in [other.action for other in old]]
    said = []
    is_same: Callable[[Action, Action], bool]
    for is_same in (_has_same_text, _does_the_same):
        for one in list(gone):
            other = next((candidate for candidate in came if is_same(one.action, candidate.action)), None)
            if other is not None:
                gone.remove(one)
                came.remove(other)
                said += _action(one, other)
    said += [_("action removed: %(action)s", action=_clause(one.clause)) for one in gone]
    return said + [_("action added: %(action)s", action=_clause(one.clause)) for one in came]


def _does_the_same(one: Action, other: Action) -> bool:
    return one.code == other.code


def _has_same_text(one: Action, other: Action) -> bool:
    if not isinstance(one, SendMessage) or not isinstance(other, SendMessage):
        return False
    return one.channel == other.channel and one.template_id == other.template_id


def _action(old: ActionInWords, new: ActionInWords) -> list[str]:
    was, now = old.clause, new.clause
    if not isinstance(old.action, SendMessage):
        return _changed(_("action"), _clause(was), _clause(now))
    said = _changed(was.verb, _quoted(was.text), _quoted(now.text))
    said += _changed(_("to"), ", ".join(was.to), ", ".join(now.to))
    said += _changed(_("sending"), ", ".join(was.manner) or _("as usual"), ", ".join(now.manner) or _("as usual"))
    return said or [_("details changed: %(action)s", action=_clause(now))]


def _clause(clause: Clause) -> str:
    words = clause.whole or (f"{clause.verb} {_quoted(clause.text)}" if clause.text else clause.verb)
    to = _("to:")
    return f"{words} ({to} {', '.join(clause.to)})" if clause.to else words


def _quoted(text: str) -> str:
    short = text if len(text) <= 80 else text[:79] + "…"
    return i18n.quoted(short)
