"""Rules as they are stored: short ways to write them down for a test."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kanban.fields import BUILT_IN
from rules.definition.actions import Action
from rules.definition.channels import Channel
from rules.definition.content import RuleContent, RuleFields, StoredContent, read_content

Json = dict[str, Any]


def recipient(kind: str, id_: int | None = None, address: str = "", *, many: bool = False) -> Json:
    made: Json = {"kind": kind} | ({"id": id_} if id_ is not None else {}) | ({"address": address} if address else {})
    return made | ({"many": True} if many else {})


def send(
    channel: str, template_id: int, to: list[Json], from_: str = "", reply_to: str = "", cc: Sequence[Json] = (), bcc: Sequence[Json] = ()
) -> Json:
    wishes: Json = {"from": from_, "reply_to": reply_to, "cc": list(cc), "bcc": list(bcc)} if channel == "email" else {}
    return {"do": Channel(channel).traits.action, "template": template_id, "to": to} | {name: wish for name, wish in wishes.items() if wish}


def send_email(template_id: int, to: list[Json]) -> Json:
    return send("email", template_id, to)


def rule_content(
    board_id: int,
    trigger: str,
    status_id: int | None = None,
    criteria: Json | None = None,
    actions: Sequence[Json] = (),
    tell_actor: bool = False,
    options: Json | None = None,
) -> RuleContent:
    """Raises Malformed."""
    stored = StoredContent(board_id, trigger, status_id, options or {}, criteria or {"all": []}, list(actions), tell_actor)
    return read_content(stored, BUILT_IN)


def rule_fields(
    name: str,
    board_id: int,
    trigger: str,
    status_id: int | None = None,
    criteria: Json | None = None,
    actions: Sequence[Json] = (),
    tell_actor: bool = False,
    active: bool = True,
    options: Json | None = None,
    log_only: bool = False,
    paused_until: datetime | None = None,
) -> RuleFields:
    """Raises Malformed."""
    content = rule_content(board_id, trigger, status_id, criteria, actions, tell_actor, options)
    return RuleFields(name, content, active, log_only, paused_until)


def changed(fields: RuleFields, **parts: Any) -> RuleFields:
    """With other parts: those of its content as they are stored (see StoredContent), its name and its mode. Raises Malformed."""
    content = {name: parts.pop(name) for name in [*parts] if name in {one.name for one in dataclasses.fields(StoredContent)}}
    read = read_content(dataclasses.replace(fields.content.to_json(), **content), BUILT_IN)
    return dataclasses.replace(fields, content=read, **parts)


def actions_of(fields: RuleFields) -> list[Json]:
    """Its actions as they are stored."""
    actions = fields.content.to_json().actions
    assert isinstance(actions, list)
    return actions


def read_actions(*actions: Json) -> tuple[Action, ...]:
    """Raises Malformed."""
    return rule_content(1, "placed", actions=actions).actions
