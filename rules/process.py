"""The firm's process as a file: roles, boards, statuses, templates, who is told, and rules, written by name and read again.

Its shape is that of the presets (kanban/presets/schema.yaml). No person's data but the addresses that rules name.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.actor import Actor
from kanban.db import transaction
from kanban.models import Board, Person, Role, Status
from kanban.policy import require_admin
from kanban.presets import PLAIN, Found, load_process
from kanban.settings import setting
from rules.actions import CHANNEL_OF, COPIES, RECIPIENT_KINDS
from rules.cells import cells_of
from rules.fields import NO_CRITERIA, RuleFields
from rules.lookup import Lookup, load_lookup
from rules.models import MailAccount, Rule
from rules.pointers import MONEY, with_pointers
from rules.preset import UNITS, load_rules
from rules.rules import fields_of

GONE = "?"


class _Looked(Exception):
    """Ends the transaction of a preview."""


def read_process(content: Mapping[str, Any], actor: Actor, language: str, *, keep: bool) -> list[Found]:
    """What a file makes and changes; kept, or only looked at: a preview does it all and takes it back. Raises Invalid, Forbidden."""
    require_admin(actor)
    found: list[Found] = []
    try:
        with transaction() as session:
            loaded = load_process(session, actor, content, language)
            load_rules(session, loaded, language, actor)
            found = loaded.found
            if not keep:
                raise _Looked
    except _Looked:
        pass
    return found


def write_process(session: Session) -> str:
    """The file, as YAML."""
    return yaml.dump(process_of(session), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=140)


def process_of(session: Session) -> dict[str, Any]:
    """A statement for each board, and a fixed number beside."""
    lookup = load_lookup(session)
    names = Names.load(session, lookup)
    rules = session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.board_id, Rule.id)).all()
    whole = [rule for rule in rules if rule.trigger_key != "gone"]
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


class Names:
    """A readable key for each thing: its name, told apart where two have the same."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, int], str] = {}

    @classmethod
    def load(cls, session: Session, lookup: Lookup) -> "Names":
        names = cls()
        names._add("role", {id_: role.name for id_, role in lookup.roles.items()})
        names._add("board", {id_: board.name for id_, board in lookup.boards.items()})
        names._add("template", {id_: template.name for id_, template in lookup.templates.items()})
        twice = Counter(status.name for status in lookup.statuses.values())
        names._add("status", {
            id_: status.name if twice[status.name] == 1 else f"{lookup.boards[status.board_id].name}: {status.name}"
            for id_, status in lookup.statuses.items()
        })  # fmt: skip
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

    def of(self, kind: str, id_: Any) -> Any:
        return id_ / UNITS if kind == MONEY else self.keys.get((kind, id_), GONE)


def _sources_first(boards: Iterable[Board]) -> list[Board]:
    """A board stands after the one its orders are made from."""
    left, done = list(boards), []
    while left:
        ids = {board.id for board in left}
        free = [board for board in left if board.source_id not in ids] or left
        done += free
        left = [board for board in left if board not in free]
    return done


def _board(session: Session, board: Board, names: Names) -> dict[str, Any]:
    statuses = session.scalars(
        select(Status).where(Status.board_id == board.id).order_by(Status.position, Status.id)
        .options(selectinload(Status.answering), selectinload(Status.moving))
    )  # fmt: skip
    return _without_empty({
        "key": names.of("board", board.id), "name": board.name, "order_name": board.order_name, "prefix": board.prefix, "icon": board.icon,
        "source": names.of("board", board.source_id) if board.source_id else "",
        "way_after": names.of("status", board.way_after_id) if board.way_after_id else "",
    }) | {"statuses": [_status(status, names) for status in statuses]}  # fmt: skip


def _status(status: Status, names: Names) -> dict[str, Any]:
    def keys(roles: list[Role]) -> list[str]:
        return [names.of("role", role.id) for role in roles]

    return _without_empty({
        "key": names.of("status", status.id), "name": status.name, "tone": status.tone, "phase": status.phase, "norm": status.norm_days,
        "limit": status.limit, "answer": keys(status.answering), "move": keys(status.moving),
    })  # fmt: skip


def _row(rule: Rule, names: Names) -> dict[str, str]:
    cells = cells_of(rule.version.actions)
    known = {column: template for column, template in cells.items() if column[0] != "role" or names.of("role", column[1]) != GONE}
    return {names.of("role", id_) if kind == "role" else kind: names.of("template", template) for (kind, id_), template in known.items()}


def _rule(fields: RuleFields, names: Names) -> dict[str, Any]:
    said = with_pointers(fields, names.of)
    until = fields.paused_until.isoformat() if fields.paused_until else ""
    mode = "draft" if not fields.active else "paused" if until else "log" if fields.log_only else "on"
    return _without_empty({
        "board": said.board_id, "name": said.name, "mode": mode, "until": until,
        "trigger": said.trigger, "status": said.status_id, "options": said.options,
        "when": said.criteria if fields.criteria != NO_CRITERIA else None, "do": [_action(action) for action in said.actions],
        "tell_actor": said.tell_actor, "log": fields.log_only and mode != "log",
    })  # fmt: skip


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(action)
    if action["do"] in CHANNEL_OF:
        for place in ("to", *COPIES):
            if place in made:
                made[place] = [_recipient(one) for one in made[place]]
    return made


def _recipient(one: Mapping[str, Any]) -> Any:
    if one["kind"] == "role" and not one.get("many") and one["id"] not in RECIPIENT_KINDS:
        return one["id"]
    if one["kind"] in ("role", "person"):
        return {one["kind"]: one["id"]} | ({"many": True} if one.get("many") else {})
    return {"address": one["address"]} if one["kind"] == "address" else one["kind"]


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, False)}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they read; lists are indented; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in PLAIN:  # what would be read as something else than a text is quoted
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)
