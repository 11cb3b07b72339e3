"""A change that a rule makes, as it stands in the editor, and typed."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from kanban import i18n
from kanban.errors import Invalid
from kanban.forms.fields import many_lines, one_line, parse_money
from kanban.forms.todo import read_time
from kanban.i18n import _
from kanban.ids import read_id
from rules.running.changes import DATES

# Names of the fields: «status-0»…; role: whose place, "" for the responsible; who: «person:5» or «least:3». Of a to-do, whose:
# «person:5», «role:3» or «responsible»; from: "", «today» or a date of the order.
CHANGE_VALUES = ("status", "setfield", "setvalue", "tag", "role", "who", "text", "kind", "whose", "duefrom", "duedays", "duetime")
MONEY = ("total", "paid")


def typed_change(do: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The action. Raises Invalid for what can't be read; rules.running.changes says what makes no sense."""
    if do == "set_status":
        return {"do": do, "status": read_id(values.get("status"))}
    if do == "set_field":
        field = values.get("setfield", "")
        return {"do": do, "field": field, "value": _value(field, (values.get("setvalue") or "").strip())}
    if do in ("tag", "untag"):
        return {"do": do, "tag": (one_line(values.get("tag", "")) or "")[:40]}
    if do == "assign":
        kind, _colon, number = values.get("who", "").partition(":")
        who = {kind: read_id(number)} if kind in ("person", "least") else {}
        return {"do": do, "role": read_id(values.get("role"))} | who
    if do == "comment":
        return {"do": do, "text": (many_lines(values.get("text", "")) or "")[:5000]}
    return {"do": do} | (_todo(values) if do == "todo" else {})


def _todo(values: Mapping[str, str]) -> dict[str, Any]:
    whose, _colon, number = values.get("whose", "").partition(":")
    who = {whose: read_id(number)} if whose in ("person", "role") else {whose: True} if whose == "responsible" else {}
    text = (one_line(values.get("text", "")) or "")[:1000]
    return {"kind": values.get("kind") or "task", "text": text, "due": _due(values)} | who


def _due(values: Mapping[str, str]) -> dict[str, Any] | None:
    start = values.get("duefrom", "")
    if not start:
        return None
    days = re.fullmatch(r"([-+−]?)([0-9]{1,4})", (values.get("duedays") or "0").strip())
    if days is None:
        raise Invalid(_("Give a number of days, such as 3 or -2."), "actions")
    moment = read_time((values.get("duetime") or "").strip())
    due: dict[str, Any] = {"days": int(days[2]) * (-1 if days[1] in ("-", "−") else 1)}
    due |= {"field": start} if start != "today" else {}
    return due | ({"time": f"{moment:%H:%M}"} if moment else {})


def _value(field: str, text: str) -> Any:
    if field in DATES:
        days = re.fullmatch(r"([+-])([0-9]{1,4})", text)
        if days:
            return {"days": int(days[2]) * (-1 if days[1] == "-" else 1)}
        try:
            return date.fromisoformat(text).isoformat() if text else None
        except ValueError:
            raise Invalid(_("Write a day such as 2026-12-31, or +7 for a week from then."), "actions") from None
    if field in MONEY:
        try:
            return parse_money(text)
        except ValueError as error:
            raise Invalid(str(error), "actions") from error
    return read_id(text) if field == "organisation" else text[:200]


def values_of(action: Mapping[str, Any]) -> dict[str, str]:
    """As it stands in the editor."""
    do = action["do"]
    if do == "set_status":
        return {"status": str(action["status"])}
    if do == "set_field":
        return {"setfield": action["field"], "setvalue": shown_value(action["field"], action.get("value"))}
    if do == "assign":
        who = f"person:{action['person']}" if action.get("person") else f"least:{action.get('least')}"
        return {"role": str(action.get("role") or ""), "who": who}
    if do == "todo":
        return _todo_values(action)
    return {name: str(action[name]) for name in ("tag", "text") if name in action}


def _todo_values(action: Mapping[str, Any]) -> dict[str, str]:
    named = next((f"{one}:{action[one]}" for one in ("person", "role") if action.get(one)), "")
    whose = "responsible" if action.get("responsible") else named
    due = action.get("due") or {}
    return {
        "kind": action["kind"], "text": action["text"], "whose": whose, "duefrom": (due.get("field") or "today") if due else "",
        "duedays": str(due.get("days", "")), "duetime": due.get("time", ""),
    }  # fmt: skip


def shown_value(field: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['days']:+d}"
    if field in MONEY:
        return i18n.money(value)
    return "" if value is None else str(value)
