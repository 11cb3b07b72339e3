"""The matrix's cells as a rule's actions, and back. A rule that says more than cells can is no longer the matrix's."""

from collections.abc import Collection, Sequence
from typing import Any

from rules.actions import COPIES, channel_of, recipient, recipients_of, send_email, sends

Column = tuple[str, int | None]  # ("role", id), ("responsible", None), ("author", None), ("customer", None)
WHO = ("responsible", "author", "customer")


def cells_of(actions: Sequence[dict[str, Any]]) -> dict[Column, int]:
    """{column: template id} of a matrix rule's actions."""
    return {(one["kind"], one.get("id")): action["template"] for action in sends(actions) for one in action["to"]}


def many_in(actions: Sequence[dict[str, Any]]) -> set[int]:
    """Roles of which everyone is told, however many they are."""
    return {one["id"] for one in recipients_of(actions) if one.get("many")}


def actions_of(cells: dict[Column, int], many: Collection[int] = ()) -> list[dict[str, Any]]:
    """One send action a template, in a fixed order, so that the same cells always make the same rule. many: see many_in."""
    by_template: dict[int, list[dict[str, Any]]] = {}
    for (kind, id_), template in sorted(cells.items(), key=lambda cell: (_order(cell[0]), cell[1])):
        by_template.setdefault(template, []).append(recipient(kind, id_, many=id_ in many))
    return [send_email(template, to) for template, to in by_template.items()]


def are_cells(actions: Sequence[dict[str, Any]]) -> bool:
    """Whether cells can say all of it: only columns' recipients, each with one letter, and nothing but letters."""
    told = [(one["kind"], one.get("id")) for one in recipients_of(actions)]
    if len(sends(actions)) < len(actions) or any(channel_of(action) != "email" for action in actions):
        return False
    if any(action.keys() & {"from", "reply_to", *COPIES} for action in actions):
        return False
    return len(set(told)) == len(told) and all(kind == "role" or kind in WHO for kind, _id in told)


def _order(column: Column) -> tuple[int, int]:
    kind, id_ = column
    return (0, id_ or 0) if kind == "role" else (1 + WHO.index(kind), 0)
