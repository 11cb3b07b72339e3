"""The firm's process as a file: roles, boards, statuses, templates, who is told, and rules, written by name.

Its shape is that of the presets (kanban/presets/schema.yaml). No person's data but the addresses that rules name.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import assert_never

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.json_reader import JsonObject
from kanban.models import Board, Person, Role, Status
from kanban.orders import read_gate
from kanban.presets import PLAIN
from kanban.presets.keys import UNITS
from kanban.references import Keys, ReferenceKind
from kanban.settings import setting
from rules.definition.actions import Action, action_json
from rules.definition.cells import cells_of
from rules.definition.content import RuleFields
from rules.definition.message_action import SendMessage
from rules.definition.recipients import (
    RECIPIENT_KINDS,
    AddressRecipient,
    PersonRecipient,
    Recipient,
    RelatedRecipient,
    RoleRecipient,
)
from rules.models import GONE, MailAccount, Rule
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.versions import fields_of

UNKNOWN_KEY = "?"


def write_process(session: Session) -> str:
    """The file, as YAML."""
    return yaml.dump(process_of(session), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=140)


def process_of(session: Session) -> JsonObject:
    """A statement for each board, and a fixed number beside."""
    lookup = load_rule_lookup(session)
    names = Names.load(session, lookup)
    rules = session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.board_id, Rule.id)).all()
    whole = [rule for rule in rules if rule.trigger_key != GONE]
    templates = {
        names.of("template", one.id): _without_empty({"name": one.name, "subject": one.subject, "text": one.text})
        | ({} if one.skip_empty else {"skip_empty": False})
        for one in lookup.templates.values()
    }
    return {
        "name": setting(session, "company") or "Potok",
        "roles": {names.of("role", id_): role.name for id_, role in lookup.roles.items()},
        "boards": [_board(session, board, names) for board in _sources_first(lookup.boards.values())],
        "rules": {
            "templates": templates,
            "matrix": {names.of("status", rule.status_id): _row(rule, names) for rule in whole if rule.in_matrix and rule.active},
            "list": [_rule(fields_of(rule), names) for rule in whole if not rule.in_matrix],
        },
    }


class Names(Keys):
    """A readable key for each thing: its name, told apart where two have the same."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, int], str] = {}

    @classmethod
    def load(cls, session: Session, lookup: RuleLookup) -> "Names":
        names = cls()
        names._add("role", {id_: role.name for id_, role in lookup.roles.items()})
        names._add("board", {id_: board.name for id_, board in lookup.boards.items()})
        names._add("template", {id_: template.name for id_, template in lookup.templates.items()})
        twice = Counter(status.name for status in lookup.statuses.values())
        names._add(
            "status",
            {
                id_: status.name if twice[status.name] == 1 else f"{lookup.boards[status.board_id].name}: {status.name}"
                for id_, status in lookup.statuses.items()
            },
        )
        names._add("organisation", {id_: one.name for id_, one in lookup.organisations.items()})
        names._add("person", {one.id: one.email for one in session.scalars(select(Person))})
        names._add("account", {one.id: one.address for one in session.scalars(select(MailAccount))})
        return names

    def _add(self, kind: str, found: Mapping[int, str]) -> None:
        taken: set[str] = set()
        for id_, name in found.items():
            key, number = name, 2
            while key in taken or (kind == "role" and (key.isdecimal() or key in RECIPIENT_KINDS)):
                key, number = f"{name} ({number})", number + 1
            taken.add(key)
            self.keys[kind, id_] = key

    def of(self, kind: str, id_: int | None) -> str:
        return self.keys.get((kind, id_ or 0), UNKNOWN_KEY)

    def write(self, kind: ReferenceKind, id_: int) -> str:
        return self.of(kind.value, id_)

    def write_money(self, amount: int) -> float:
        return amount / UNITS


def _sources_first(boards: Iterable[Board]) -> list[Board]:
    """A board stands after the one its orders are made from."""
    left, done = list(boards), []
    while left:
        ids = {board.id for board in left}
        free = [board for board in left if board.source_id not in ids] or left
        done += free
        left = [board for board in left if board not in free]
    return done


def _board(session: Session, board: Board, names: Names) -> JsonObject:
    statuses = session.scalars(
        select(Status)
        .where(Status.board_id == board.id)
        .order_by(Status.position, Status.id)
        .options(selectinload(Status.answering), selectinload(Status.moving))
    )
    return _without_empty(
        {
            "key": names.of("board", board.id),
            "name": board.name,
            "order_name": board.order_name,
            "prefix": board.prefix,
            "icon": board.icon,
            "source": names.of("board", board.source_id) if board.source_id else "",
            "way_after": names.of("status", board.way_after_id) if board.way_after_id else "",
        }
    ) | {"statuses": [_status(status, names) for status in statuses]}


def _status(status: Status, names: Names) -> JsonObject:
    def keys(roles: list[Role]) -> list[str]:
        return [names.of("role", role.id) for role in roles]

    return _without_empty(
        {
            "key": names.of("status", status.id),
            "name": status.name,
            "tone": status.tone,
            "phase": status.phase,
            "norm": status.norm_days,
            "limit": status.limit,
            "limit_refuses": status.limit_refuses,
            "answer": keys(status.answering),
            "move": keys(status.moving),
            "gate": read_gate(status.gate, status.board_id).criteria.to_json(names) if status.gate else {},
        }
    )


def _row(rule: Rule, names: Names) -> dict[str, str]:
    cells = cells_of(fields_of(rule).content.actions)
    known = {
        column: template for column, template in cells.items() if column.role_id is None or names.of("role", column.role_id) != UNKNOWN_KEY
    }
    return {names.of("role", one.role_id) if one.role_id is not None else one.kind: names.of("template", id_) for one, id_ in known.items()}


def _rule(fields: RuleFields, names: Names) -> JsonObject:
    content, stored = fields.content, fields.content.to_json(names)
    until = fields.paused_until.isoformat() if fields.paused_until else ""
    mode = "draft" if not fields.active else "paused" if until else "log" if fields.log_only else "on"
    return _without_empty(
        {
            "board": stored.board,
            "name": fields.name,
            "mode": mode,
            "until": until,
            "trigger": stored.trigger,
            "status": stored.status,
            "options": stored.options,
            "when": stored.criteria if content.criteria.parts else None,
            "do": [_action(action, names) for action in content.actions],
            "tell_actor": content.tell_actor,
            "log": fields.log_only and mode != "log",
        }
    )


def _action(action: Action, names: Names) -> JsonObject:
    made = action_json(action, names)
    if isinstance(action, SendMessage):
        for place, recipients in (("to", action.to), ("cc", action.cc), ("bcc", action.bcc)):
            if place in made:
                made[place] = [_recipient(one, names) for one in recipients]
    return made


def _recipient(one: Recipient, names: Names) -> str | JsonObject:
    match one:
        case RoleRecipient():
            name = names.of("role", one.role_id)
            return {"role": name, "many": True} if one.everyone else {"role": name} if name in RECIPIENT_KINDS else name
        case PersonRecipient():
            return {"person": names.of("person", one.person_id)}
        case AddressRecipient():
            return {"address": one.address}
        case RelatedRecipient():
            return one.kind
        case _:
            assert_never(one)


def _without_empty(values: Mapping[str, object]) -> JsonObject:
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, False)}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they read; lists are indented; no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in PLAIN:  # what would be read as something else than a text is quoted
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)
