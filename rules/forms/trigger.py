"""What a trigger names beside its status, as it stands in the editor, and typed as far as can be: rules.sense says what
is missing."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from kanban import i18n
from kanban.errors import Invalid
from kanban.forms.fields import one_line, parse_money
from kanban.ids import read_id

# Names of the fields: «option-field»… paid: a number, of: percent or sum; when: before or after; number of units.
OPTIONS = ("field", "paid", "of", "phase", "when", "number", "unit", "at", "late", "status", "button", "roles", "days", "working")


def read_options(form: MultiDict[str, str]) -> dict[str, str]:
    """roles, days: between commas."""
    several = {name: ",".join(form.getlist(f"option-{name}")) for name in ("roles", "days")}
    return {name: form.get(f"option-{name}", "") for name in OPTIONS} | several


def typed_options(trigger: str, shown: Mapping[str, str]) -> dict[str, Any]:
    """Raises Invalid."""
    typed = _TYPED.get(trigger)
    return typed(shown) if typed else {}


def _paid(shown: Mapping[str, str]) -> dict[str, Any]:
    if shown.get("of") == "sum":
        try:
            return {"sum": parse_money(shown.get("paid", ""))}
        except ValueError as error:
            raise Invalid(str(error), "options") from error
    return {"percent": _number(shown.get("paid", ""))}


def _date(shown: Mapping[str, str]) -> dict[str, Any]:
    offset = _number(shown.get("number", "")) * (-1 if shown.get("when", "before") == "before" else 1)
    late = "skip" if shown.get("late") == "skip" else "catch_up"
    return {"field": shown.get("field", ""), "offset": offset, "unit": shown.get("unit", ""), "at": shown.get("at", ""), "late": late}


def _lasting(shown: Mapping[str, str]) -> dict[str, Any]:
    status = read_id(shown.get("status"))
    return {"offset": _number(shown.get("number", "")), "unit": shown.get("unit", "")} | ({"status": status} if status else {})


def _hand(shown: Mapping[str, str]) -> dict[str, Any]:
    roles = [id_ for part in shown.get("roles", "").split(",") if (id_ := read_id(part)) is not None]
    return {"button": one_line(shown.get("button", "")) or "", "roles": roles}


def _weekdays(shown: Mapping[str, str]) -> dict[str, Any]:
    days = [int(part) for part in shown.get("days", "").split(",") if re.fullmatch("[1-7]", part)]
    late = "skip" if shown.get("late") == "skip" else "catch_up"
    return {"days": sorted(set(days)), "at": shown.get("at", ""), "working": shown.get("working") == "1", "late": late}


_TYPED = {
    "field": lambda shown: {"field": shown.get("field", "")}, "all_linked": lambda shown: {"phase": shown.get("phase", "")},
    "paid": _paid, "date": _date, "stay": _lasting, "idle": _lasting, "hand": _hand, "weekdays": _weekdays,
}  # fmt: skip


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else 0


def shown_options(options: Mapping[str, Any]) -> dict[str, str]:
    """As they stand in the editor."""
    shown = {name: str(value) for name, value in options.items() if not isinstance(value, list)}
    if "sum" in options:
        return {"of": "sum", "paid": i18n.money(options["sum"])}
    if "percent" in options:
        return {"of": "percent", "paid": str(options["percent"])}
    if "offset" in options:
        shown |= {"number": str(abs(options["offset"])), "when": "before" if options["offset"] < 0 else "after"}
    if "working" in options:
        shown["working"] = "1" if options["working"] else ""
    return shown | {name: ",".join(map(str, options.get(name, []))) for name in ("roles", "days")}
