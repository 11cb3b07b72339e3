"""A to-do as it is typed."""

import re
from collections.abc import Mapping
from datetime import date, time

from kanban.errors import Invalid
from kanban.forms.fields import one_line
from kanban.i18n import N_, _
from kanban.ids import read_id
from kanban.models import Todo
from kanban.todos import MOST_TEXT, TodoFields

KIND_WORDS = {"task": N_("Task"), "reminder": N_("Reminder"), "calendar": N_("Calendar entry"), "contact": N_("Customer contact")}


def read_todo(form: Mapping[str, str]) -> TodoFields:
    """Raises Invalid for what can't be read; kanban.todos says what makes no sense. whose: «person:5» or «role:3»."""
    kind, _colon, number = form.get("whose", "").partition(":")
    id_ = read_id(number)
    return TodoFields(
        text=(one_line(form.get("text", "")) or "")[: MOST_TEXT + 1],
        kind=form.get("kind", "task"),
        person_id=id_ if kind == "person" else None,
        role_id=id_ if kind == "role" else None,
        due_on=_day(form.get("due_on", "").strip()),
        due_time=read_time(form.get("due_time", "").strip()),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(_("Enter the date as 2026-12-31."), "due_on") from None


def read_time(text: str) -> time | None:
    """Raises Invalid."""
    if not text:
        return None
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9])?", text, re.ASCII)
    if found is None:
        raise Invalid(_("Enter the time as 09:30."), "due_time")
    return time(int(found[1]), int(found[2]))


def typed_todo(todo: Todo) -> dict[str, str]:
    """As it stands in the form."""
    return {
        "text": todo.text,
        "kind": todo.kind,
        "whose": f"role:{todo.role_id}" if todo.role_id else f"person:{todo.person_id}",
        "due_on": todo.due_on.isoformat() if todo.due_on else "",
        "due_time": f"{todo.due_time:%H:%M}" if todo.due_time else "",
    }
