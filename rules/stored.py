"""Whether what is stored as a version of a rule can be read. An older Potok, or a hand in the database, may have left what the
code that sends, shows and edits rules was not made for: such a rule does nothing, and says so.

Here only the shape counts; whether a rule makes sense is asked when it is saved (rules.sense).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm.attributes import set_committed_value

from kanban.criteria import CHANGES as OF_CHANGE
from kanban.criteria import DAYS, EMPTINESS, LISTS, MAX_DEPTH
from kanban.facts import KINDS
from kanban.models import PHASES, TODO_KINDS
from rules.actions import CHANNEL_OF, COPIES, RECIPIENT_KINDS
from rules.models import TRIGGERS, RuleVersion
from rules.running.changes import DATES
from rules.running.due import LATER_UNITS, MOST_LATER, UNITS

Check = Callable[[Any], bool]
MOST_ID = 2**31 - 1
_SENDER = re.compile("|responsible|account:[0-9]{1,10}")
_TIME = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def is_readable(trigger: Any, options: Any, criteria: Any, actions: Any) -> bool:
    """Whether all of it has the shape that rules are read by. Never raises."""
    return _is_start(trigger, options) and _is_tree(criteria, 0) and isinstance(actions, list) and all(map(_is_action, actions))


@event.listens_for(RuleVersion, "load")
@event.listens_for(RuleVersion, "refresh")
def _mark(version: RuleVersion, *_context: Any) -> None:
    """A version that can't be read is shown without what it holds, so that no page stumbles over it. The row stays as it is."""
    version.is_readable = is_readable(version.trigger, version.options, version.criteria, version.actions)
    if not version.is_readable:
        for name, value in (("trigger", "changed"), ("status_id", None), ("options", {}), ("criteria", {"all": []}), ("actions", [])):
            set_committed_value(version, name, value)


def templates_in(actions: Any) -> set[int]:
    """The templates that actions name, whatever shape they have."""
    if isinstance(actions, list):
        return set().union(*map(templates_in, actions))
    template = actions.get("template") if isinstance(actions, dict) else None
    return {template} if isinstance(template, int) else set()


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 10**16


def _id(value: Any) -> bool:
    return _whole(value) and 0 < value <= MOST_ID


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return value in (None, True, False)


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _among(choices: Any) -> Check:
    return lambda value: isinstance(value, str) and value in choices


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _has(shape: Mapping[str, Check]) -> Check:
    """A mapping whose values fit; what is left out counts as None."""
    return lambda value: isinstance(value, Mapping) and all(check(value.get(name)) for name, check in shape.items())


_OFFSET = {"offset": _whole, "unit": _among(UNITS)}
_OPTIONS: dict[str, Check] = {
    "field": _has({"field": _text}),
    "paid": lambda value: _has({"percent": _whole})(value) or _has({"sum": _whole})(value),
    "all_linked": _has({"phase": _among(PHASES)}),
    "date": _has(_OFFSET | {"field": _among(DATES), "at": _time}),
    "stay": _has(_OFFSET | {"status": _or_none(_id)}),
    "idle": _has(_OFFSET),
    "weekdays": _has({"days": _list_of(_whole), "at": _time}),
    "hand": _has({"button": _text, "roles": _or_none(_list_of(_id))}),
}
_ANYTHING = _has({})


def _is_start(trigger: Any, options: Any) -> bool:
    return trigger in TRIGGERS and _OPTIONS.get(trigger, _ANYTHING)(options)


def _is_tree(node: Any, depth: int) -> bool:
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        return False
    if "field" in node:
        return _is_criterion(node)
    return not node or any(
        isinstance(node.get(group), list) and all(_is_tree(part, depth + 1) for part in node[group]) for group in ("all", "any")
    )


def _is_criterion(node: Mapping[str, Any]) -> bool:
    name, op, value = node["field"], node.get("op"), node.get("value")
    if not isinstance(name, str) or not isinstance(op, str):
        return False
    if op in EMPTINESS or op == OF_CHANGE[0]:
        return True
    fits = _fits(KINDS.get(name, "reference" if name.startswith("role:") else ""), op)
    return _list_of(fits)(value) if op in LISTS or op == "between" else fits(value)


def _fits(kind: str, op: str) -> Check:
    """What a criterion of a field of this type is compared with. A field that is gone may have been of any type."""
    if op in DAYS or kind in ("money", "number", "reference", "references"):
        return _or_none(_whole)
    return _or_none(_day) if kind == "date" else _or_none(_text) if kind else lambda value: not isinstance(value, dict | list)


def _recipient(value: Any) -> bool:
    shape: dict[str, dict[str, Check]] = {"role": {"id": _id}, "person": {"id": _id}, "address": {"address": _text}}
    return _has({"kind": _among(RECIPIENT_KINDS)})(value) and _has(shape.get(value["kind"], {}))(value)


def _sender(value: Any) -> bool:
    return isinstance(value, str) and _SENDER.fullmatch(value) is not None


_DUE = _has({"days": _or_none(_whole), "time": _or_none(_time), "field": _or_none(_among(DATES))})
_VALUES: dict[str, Check] = {
    **dict.fromkeys(DATES, lambda value: value is None or _day(value) or _has({"days": _whole})(value)),
    **dict.fromkeys(("total", "paid"), _whole),
    **dict.fromkeys(("title", "description"), _text),
    "organisation": _or_none(_id),
}
_MESSAGE = {
    "template": _id, "to": _list_of(_recipient), "from": _or_none(_sender), "reply_to": _or_none(_text),
    **dict.fromkeys(COPIES, _or_none(_list_of(_recipient))),
}  # fmt: skip
_ASSIGNED = dict.fromkeys(("role", "person", "least"), _or_none(_id))
_ACTIONS: dict[str, Check] = {
    **dict.fromkeys(CHANNEL_OF, _has(_MESSAGE)),
    "set_status": _has({"status": _id}),
    "set_field": lambda value: _has({"field": _among(_VALUES)})(value) and _VALUES[value["field"]](value.get("value")),
    "tag": _has({"tag": _text}),
    "untag": _has({"tag": _text}),
    "assign": lambda value: _has(_ASSIGNED)(value) and bool(value.get("person") or value.get("least")),
    "make_production": _ANYTHING,
    "comment": _has({"text": _text}),
    "todo": _has({
        "kind": _among(TODO_KINDS), "text": _text, "person": _or_none(_id), "role": _or_none(_id), "responsible": _flag,
        "due": _or_none(_DUE),
    }),
}  # fmt: skip
_AFTER = _has({
    "unit": _among(LATER_UNITS), "number": lambda value: _whole(value) and 0 < value <= max(MOST_LATER.values()), "ask_again": _flag,
    "while_there": _flag,
})  # fmt: skip


def _is_action(value: Any) -> bool:
    if not (_has({"do": _among(_ACTIONS)})(value) and _ACTIONS[value["do"]](value)):
        return False
    return "after" not in value or _AFTER(value["after"])
