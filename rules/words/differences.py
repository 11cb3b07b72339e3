"""What changed from one version of a rule to the next, as sentences. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kanban import i18n
from kanban.criteria import leaves_of
from kanban.i18n import _
from rules.fields import RuleFields
from rules.lookup import Lookup
from rules.words.clauses import Send
from rules.words.sentences import Condition, condition_of, sentence_of
from rules.words.starts import TRIGGER_WORDS


def differences(old: RuleFields, new: RuleFields, lookup: Lookup) -> list[str]:
    """In the order of the sentence: when, if, then. Empty where both say the same."""
    before, after = sentence_of(old, lookup), sentence_of(new, lookup)
    said = _changed(_("document"), before.board, after.board)
    said += _changed(_("start condition"), _start(before), _start(after))
    if len(after.conditions) > 1 or len(before.conditions) > 1:
        said += _changed(_("criteria"), _group(before.group), _group(after.group))
    said += _criteria(list(leaves_of(old.criteria)), list(leaves_of(new.criteria)), lookup)
    said += _actions(list(zip(old.actions, before.sends, strict=False)), list(zip(new.actions, after.sends, strict=False)))
    if old.tell_actor != new.tell_actor:
        said.append(_("also told: who did it") if new.tell_actor else _("no longer told: who did it"))
    if not said and (old.criteria, old.actions, old.options) != (new.criteria, new.actions, new.options):
        said.append(_("details were changed"))
    return said


def _changed(what: str, old: str, new: str) -> list[str]:
    return [_("%(what)s: %(old)s → %(new)s", what=what, old=old or "—", new=new or "—")] if old != new else []


def _start(sentence: Any) -> str:
    word = TRIGGER_WORDS.get(sentence.trigger)
    status = i18n.quoted(sentence.status["name"]) if sentence.status else ""
    return " ".join(part for part in (_(word) if word else sentence.trigger, status, sentence.what) if part)


def _group(group: str) -> str:
    return _("any criterion holds") if group == "any" else _("all criteria hold")


def _criteria(old: list[Mapping[str, Any]], new: list[Mapping[str, Any]], lookup: Lookup) -> list[str]:
    """A criterion over the same field is one that changed."""
    gone, came = _apart([condition_of(one, lookup) for one in old], [condition_of(one, lookup) for one in new])
    said = []
    for one in list(gone):
        other = next((candidate for candidate in came if candidate.field == one.field), None)
        if other is not None:
            gone.remove(one)
            came.remove(other)
            said.append(_("criterion: %(old)s → %(new)s", old=_words(one), new=_words(other)))
    said += [_("criterion removed: %(criterion)s", criterion=_words(one)) for one in gone]
    return said + [_("criterion added: %(criterion)s", criterion=_words(one)) for one in came]


def _words(condition: Condition) -> str:
    return " ".join(part for part in (condition.field, condition.op, condition.value) if part)


def _apart(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """(what is in the old alone, what is in the new alone)"""
    return list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())


def _actions(old: list[tuple[Any, Send]], new: list[tuple[Any, Send]]) -> list[str]:
    """An action that does the same thing with something else is one that changed; of those the one with the same text first."""
    gone = [one for one in old if one[0] not in [action for action, _words in new]]
    came = [one for one in new if one[0] not in [action for action, _words in old]]
    said = []
    for is_same in (_has_same_text, _does_the_same):
        for one in list(gone):
            other = next((candidate for candidate in came if is_same(one[0], candidate[0])), None)
            if other is not None:
                gone.remove(one)
                came.remove(other)
                said += _action(one, other)
    said += [_("action removed: %(action)s", action=_send(send)) for _action_, send in gone]
    return said + [_("action added: %(action)s", action=_send(send)) for _action_, send in came]


def _does_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["do"] == other["do"])


def _has_same_text(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return "template" in one and _does_the_same(one, other) and one["template"] == other.get("template")


def _action(old: tuple[Any, Send], new: tuple[Any, Send]) -> list[str]:
    (action, was), (_other, now) = old, new
    if "template" not in action:
        return _changed(_("action"), _send(was), _send(now))
    said = _changed(was.verb, _quoted(was.template), _quoted(now.template))
    said += _changed(_("to"), ", ".join(was.to), ", ".join(now.to))
    said += _changed(_("sending"), ", ".join(was.manner) or _("as usual"), ", ".join(now.manner) or _("as usual"))
    return said or [_("details changed: %(action)s", action=_send(now))]


def _send(send: Send) -> str:
    words = send.said or (f"{send.verb} {_quoted(send.template)}" if send.template else send.verb)
    to = _("to:")
    return f"{words} ({to} {', '.join(send.to)})" if send.to else words


def _quoted(text: str) -> str:
    short = text if len(text) <= 80 else text[:79] + "…"
    return i18n.quoted(short)
