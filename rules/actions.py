"""What a rule does: it sends messages. One dict an action.

An action is stored as {"do": "send_email", "template": id, "to": [recipient, …]}, a recipient as {"kind": …} with
`id` for person and role, `address` for address (see rules.running.recipients). The other channels are send_sms, send_chat and notify.
A letter may also have "cc" and "bcc", lists as "to" is, and "from" and "reply_to" (see rules.running.senders).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rules.evaluator import LIST

RECIPIENT_KINDS = ("role", "person", "responsible", "previous", "author", "mover", "customer", "address")
CHANNEL_OF = {"send_email": "email", "send_sms": "sms", "send_chat": "chat", "notify": "notice"}
DO_OF = {channel: do for do, channel in CHANNEL_OF.items()}
COPIES = ("cc", "bcc")
# Who can't be reached: nobody knows a customer's messenger, and the bell rings for employees only.
NOT_BY = {"chat": ("customer",), "notice": ("customer", "address")}


def send(
    channel: str, template_id: int, to: list[dict[str, Any]], from_: str = "", reply_to: str = "", cc: Sequence[dict[str, Any]] = (),
    bcc: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """from_, reply_to and copies count for letters only."""
    action = {"do": DO_OF[channel], "template": template_id, "to": to}
    wishes = {"from": from_, "reply_to": reply_to, "cc": list(cc), "bcc": list(bcc)} if channel == "email" else {}
    return action | {name: wish for name, wish in wishes.items() if wish}


def send_email(template_id: int, to: list[dict[str, Any]]) -> dict[str, Any]:
    return send("email", template_id, to)


def channel_of(action: Mapping[str, Any]) -> str:
    return CHANNEL_OF[action["do"]]


def template_kind(channel: str, trigger: str = "") -> str:
    """The kind of template a channel takes; a list has a short line for each order."""
    return "letter" if channel == "email" and trigger != LIST else "short"


def recipient(kind: str, id_: int | None = None, address: str = "", *, many: bool = False) -> dict[str, Any]:
    """A recipient as it is stored. many: of a role, everyone is told however many hold it. Raises ValueError for a kind there is not."""
    if kind not in RECIPIENT_KINDS:
        raise ValueError(kind)
    if kind in ("role", "person"):
        if id_ is None:
            raise ValueError(kind)
        return {"kind": kind, "id": id_} | ({"many": True} if many and kind == "role" else {})
    return {"kind": kind, "address": address} if kind == "address" else {"kind": kind}


def sends(actions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The actions that send a message, by whatever channel."""
    return [action for action in actions if action.get("do") in CHANNEL_OF]


def addressed(action: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All recipients of a send action; those of copies say so in their "place"."""
    return [*action.get("to", []), *(one | {"place": place} for place in COPIES for one in action.get(place, []))]


def recipients_of(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [one for action in sends(actions) for one in addressed(action)]


def templates_of(actions: Iterable[Mapping[str, Any]]) -> list[int]:
    return [action["template"] for action in sends(actions)]


def is_hidden(layout: Mapping[str, Any]) -> bool:
    """Whether a message is a hidden copy (its Message.layout): only administrators see that there is one."""
    return (layout.get("why") or {}).get("copy") == "bcc"


def without_hidden(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Actions as those may see them who are not to know of hidden copies."""
    return [{name: value for name, value in action.items() if name != "bcc"} for action in actions]
