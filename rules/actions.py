"""What a rule does. One dict of actions; for now there is one action.

An action is stored as {"do": "send_email", "template": id, "to": [recipient, …]}, a recipient as {"kind": …} with
`id` for person and role, `address` for address (see rules.recipients).
"""

from collections.abc import Iterable, Mapping
from typing import Any

RECIPIENT_KINDS = ("role", "person", "responsible", "author", "customer", "address")


def send_email(template_id: int, to: list[dict[str, Any]]) -> dict[str, Any]:
    return {"do": "send_email", "template": template_id, "to": to}


def recipient(kind: str, id_: int | None = None, address: str = "") -> dict[str, Any]:
    """A recipient as it is stored. Raises ValueError for a kind there is not."""
    if kind not in RECIPIENT_KINDS:
        raise ValueError(kind)
    if kind in ("role", "person"):
        if id_ is None:
            raise ValueError(kind)
        return {"kind": kind, "id": id_}
    return {"kind": kind, "address": address} if kind == "address" else {"kind": kind}


def sends(actions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The actions that send a letter."""
    return [action for action in actions if action.get("do") == "send_email"]


def recipients_of(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [one for action in sends(actions) for one in action.get("to", [])]


def templates_of(actions: Iterable[Mapping[str, Any]]) -> list[int]:
    return [action["template"] for action in sends(actions)]
