"""An event in a few words, for lists and tables."""

from collections.abc import Mapping
from typing import Any

from kanban.field_words import field_name
from kanban.i18n import _


def what_happened(kind: str | None, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """An event in a few words; without one it was a list."""
    if kind is None:
        return _("A list")
    before, after = before or {}, after or {}
    left, entered = (str((side.get("status") or {}).get("name", "")) for side in (before, after))
    if kind == "order.moved":
        return f"{left} → {entered}"
    if kind == "order.linked":
        linked = after.get("linked") or {}
        return f"{linked.get('number', '')} → {(linked.get('status') or {}).get('name', '')}"
    if kind == "order.changed":
        return _("Changed: %(fields)s", fields=", ".join(field_name(name) for name in after))
    words = {
        "order.placed": _("Placed in “%(status)s”", status=entered),
        "order.commented": _("Comment"),
        "order.due": _("Scheduled time reached"),
        "order.asked": _("Manually"),
        "order.todo_removed": _("To-do removed"),
        "order.blocked": _("Blocked: %(reason)s", reason=after.get("blocked", "")),
        "order.unblocked": _("Not blocked any more"),
        "order.removed": _("Removed"),
        "order.restored": _("Restored"),
    }
    return words.get(kind, kind)
