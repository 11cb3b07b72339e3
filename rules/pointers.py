"""What a rule points at: boards, statuses, roles, people, organisations, templates and mail accounts. Pure.

Each pointer of a rule passes one function, so that what a rule names can be listed, exchanged, or written by name in a file.
So do its sums («money»), which a file has in whole units.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from kanban.criteria import DAYS
from kanban.facts import FIELDS

Thing = tuple[str, Any]  # («status», 3)
Change = Callable[[str, Any], Any]  # (kind, id) → what stands in its place
Says = TypeVar("Says")  # rules.fields.RuleFields, which are read and copied here

MONEY = "money"
_OF_CHOICES = {"organisations": "organisation", "people": "person", "statuses": "status", "other_statuses": "status", "roles": "role"}
_OF_FIELD = {"organisation": "organisation", "total": MONEY, "paid": MONEY}
_OF_ACTION = {"status": "status", "template": "template", "person": "person", "role": "role", "least": "role"}


def things_in(fields: Any) -> set[Thing]:
    """Everything that the rule points at."""
    found: set[Thing] = set()

    def note(kind: str, id_: Any) -> Any:
        if kind != MONEY:
            found.add((kind, id_))
        return id_

    with_pointers(fields, note)
    return found


def exchanged(fields: Says, kind: str, old: int, new: int) -> Says:
    """The rule with one thing in the place of another."""
    return with_pointers(fields, lambda its_kind, id_: new if (its_kind, id_) == (kind, old) else id_)


def with_pointers(fields: Says, change: Change) -> Says:
    """The rule with each of its pointers changed."""
    says: Any = fields
    status = None if says.status_id is None else change("status", says.status_id)
    actions = [_action(action, change) for action in says.actions]
    return cast(Says, replace(
        says, board_id=change("board", says.board_id), status_id=status, options=_options(says.options, change),
        criteria=_node(says.criteria, change), actions=actions,
    ))  # fmt: skip


def _options(options: Mapping[str, Any], change: Change) -> dict[str, Any]:
    made = dict(options)
    if options.get("status") is not None:
        made["status"] = change("status", options["status"])
    if options.get("roles"):
        made["roles"] = [change("role", id_) for id_ in options["roles"]]
    if options.get("sum") is not None:
        made["sum"] = change(MONEY, options["sum"])
    if options.get("field"):
        made["field"] = _field(str(options["field"]), change)
    return made


def _node(node: Mapping[str, Any], change: Change) -> dict[str, Any]:
    made = dict(node) | {group: [_node(part, change) for part in node[group]] for group in ("all", "any") if group in node}
    if "field" in node:
        made["field"] = _field(str(node["field"]), change)
        kind, value = _kind(str(node["field"])), node.get("value")
        if kind is not None and value is not None and node.get("op") not in DAYS:
            made["value"] = [change(kind, one) for one in value] if isinstance(value, list) else change(kind, value)
    return made


def _kind(name: str) -> str | None:
    """What the value of a criterion points at."""
    known = FIELDS.get(name)
    if known is None:
        return "person" if name.startswith("role:") else None
    return MONEY if known.kind == MONEY else _OF_CHOICES.get(known.choices)


def _field(name: str, change: Change) -> str:
    """«role:3» is a field, and names a role."""
    start, _colon, which = name.partition(":")
    return f"role:{change('role', _number(which))}" if start == "role" and which else name


def _number(text: str) -> int | str:
    """An id; in a file the name of the thing."""
    return int(text) if text.isdecimal() and len(text) <= 10 else text


def _action(action: Mapping[str, Any], change: Change) -> dict[str, Any]:
    made = dict(action)
    for name, kind in _OF_ACTION.items():
        if action.get(name) is not None:
            made[name] = change(kind, action[name])
    for place in ("to", "cc", "bcc"):
        if place in action:
            made[place] = [one | ({"id": change(one["kind"], one["id"])} if "id" in one else {}) for one in action[place]]
    start, _colon, which = str(action.get("from", "")).partition(":")
    if start == "account":
        made["from"] = f"account:{change('account', _number(which))}"
    of_field = _OF_FIELD.get(str(action.get("field")))
    if action["do"] == "set_field" and of_field is not None and action.get("value") is not None:
        made["value"] = change(of_field, action["value"])
    return made
