"""A process as a file: roles, boards and statuses, and a section for the rules package. Presets are such files.

What the file names is matched with what there is, by name: it is made where it is missing and changed where it differs;
nothing is removed.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from kanban.actor import Actor
from kanban.boards import BoardFields, StatusFields, add_board, add_status, arrange_statuses, change_board, change_status
from kanban.errors import Invalid
from kanban.i18n import _
from kanban.models import Board, Role, Status
from kanban.people import add_role
from kanban.presets.gates import load_gates
from kanban.presets.loaded import Content, Loaded, named, of_key, words
from kanban.presets.shape import words_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

HERE = Path(__file__).parent
PRESETS = ("kitchen", "furniture", "repair")
MOST_SIGNS = 1_000_000
MOST_PARTS, MOST_DEEP = 150_000, 50  # of a file: texts, lists and mappings, and how deep they stand
# As YAML 1.2 reads plain words: «on» and «2026-12-31» are texts, «10:00» is no number.
PLAIN = (
    ("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf")),
    ("tag:yaml.org,2002:null", re.compile("^(?:~|null|)$"), ["~", "n", ""]),
    ("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]{1,15}(?:\.[0-9]{1,10})?$"), list("-+0123456789")),
)
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Only texts, numbers, yes and no, lists and mappings; a key stands once, and a text is one that a database can keep."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    yaml_constructors: dict[Any, Any] = {}

    def text(self, node: yaml.ScalarNode) -> str:
        value = str(self.construct_scalar(node))
        if any(sign == "\0" or unicodedata.category(sign) == "Cs" for sign in value):
            raise yaml.YAMLError("a text holds a sign that can't be kept")
        return value

    def number(self, node: yaml.ScalarNode) -> int | float:
        try:
            value = float(self.construct_scalar(node))
        except ValueError as error:
            raise yaml.YAMLError("this is no number") from error
        return int(value) if value.is_integer() and abs(value) < 1e15 else value

    def mapping(self, node: yaml.MappingNode) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self.text(key_node) if isinstance(key_node, yaml.ScalarNode) else ""
            if not key or key in found:
                raise yaml.YAMLError(f"a key that is no text, or stands twice: {key[:40]}")
            found[key] = self.construct_object(value_node, deep=True)
        return found

    def truth(self, node: yaml.ScalarNode) -> bool:
        return bool(self.construct_scalar(node) == "true")

    def listed(self, node: yaml.SequenceNode) -> list[object]:
        return [self.construct_object(one, deep=True) for one in node.value]

    def nothing(self, node: yaml.Node) -> None:
        return None

    def unknown(self, node: yaml.Node) -> object:
        raise yaml.YAMLError(f"there is no such kind: {node.tag[:60]}")


for _tag, _pattern, _first in PLAIN:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
for _kind, _make in {
    "str": _Loader.text,
    "float": _Loader.number,
    "map": _Loader.mapping,
    "seq": _Loader.listed,
    "bool": _Loader.truth,
    "null": _Loader.nothing,
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _make)
_Loader.add_constructor(None, _Loader.unknown)


def _require_small(text: str) -> None:
    """Aliases would let a short text stand for a huge one; very many parts take long to judge; and what stands very deep would
    overflow the stack of libyaml, which ends the process. Read as a stream, so that nothing is built before."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Base)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        if count > MOST_PARTS or depth > MOST_DEEP:
            raise yaml.YAMLError("the file has too many parts, or they stand too deep in one another")


@cache
def _schema() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # noqa: PLC0415, 3 MB that only an import needs

    return Draft202012Validator(yaml.safe_load((HERE / "schema.yaml").read_text(encoding="utf-8")))


def parse(text: str) -> Content:
    """The content of a file, of the right shape. Raises Invalid, with the place that is at fault."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415, as in _schema

    if len(text) > MOST_SIGNS:
        raise Invalid(_("The file is too large."), "file")
    try:
        _require_small(text)
        content = yaml.load(text, _Loader)  # a SafeLoader
        error = best_match(_schema().iter_errors(content))
    except yaml.YAMLError as error_of_yaml:
        raise Invalid(_("This is not valid YAML: %(what)s", what=" ".join(str(error_of_yaml).split())[:300]), "file") from error_of_yaml
    except (RecursionError, ValueError, TypeError) as error_of_value:
        raise Invalid(_("This is not valid YAML: %(what)s", what=type(error_of_value).__name__), "file") from error_of_value
    if error is not None:
        raise Invalid(words_of(error, text), "file")
    made: Content = content
    return made


def read(name: str) -> Content:
    """The YAML of a preset or of the demo."""
    content: Content = yaml.load((HERE / f"{name}.yaml").read_text(encoding="utf-8"), _Loader)
    return content


def load_preset(session: Session, name: str, language: str) -> Loaded:
    """Makes the roles, boards and statuses of a preset, in one language."""
    return load_process(session, None, read(name), language)


def load_process(session: Session, actor: Actor | None, content: Content, language: str) -> Loaded:
    """Makes or changes the roles, boards and statuses of a file. Raises Invalid where its keys lead nowhere."""
    loaded = Loaded(rules=content.get("rules") or {})
    known = session.scalars(select(Role).order_by(Role.id)).all()
    for key, said in (content.get("roles") or {}).items():
        name = named(said, language, 80)
        role = loaded.match("role", name, known)
        loaded.note("role", name, {} if role else None, {})
        loaded.roles[key] = role or add_role(session, actor, name)
    for board in content.get("boards") or []:
        _load_board(session, actor, board, loaded, language)
    load_gates(session, actor, content, loaded)
    return loaded


def _load_board(session: Session, actor: Actor | None, content: Content, loaded: Loaded, language: str) -> None:
    source = of_key(loaded.boards, content["source"], "board") if content.get("source") else None
    after = of_key(loaded.statuses, content["way_after"], "status") if content.get("way_after") else None
    fields = BoardFields(
        name=named(content["name"], language, 80),
        order_name=named(content["order_name"], language, 80),
        prefix=words(content.get("prefix"), language)[:10],
        icon=content.get("icon", "receipt-text"),
        source_id=source.id if source else None,
        way_after_id=after.id if after else None,
    )
    known: Board | None = loaded.match("board", fields.name, session.scalars(select(Board).order_by(Board.id)).all())
    if loaded.note("board", fields.name, _of_board(session, known) if known else None, _of_board(session, fields)):
        known = change_board(session, _acting(actor), known.id, fields) if known else add_board(session, actor, fields)
    assert known is not None
    loaded.boards[content["key"]] = known
    query = select(Status).where(Status.board_id == known.id).options(selectinload(Status.answering), selectinload(Status.moving))
    here = session.scalars(query.order_by(Status.position, Status.id)).all()
    statuses = [_load_status(session, actor, known, here, status, loaded, language) for status in content["statuses"]]
    arrange_statuses(session, actor, known.id, [status.id for status in statuses])


def _of_board(session: Session, one: Board | BoardFields) -> dict[str, object]:
    source = session.get(Board, one.source_id) if one.source_id else None
    after = session.get(Status, one.way_after_id) if one.way_after_id else None
    return {
        _("document"): one.order_name,
        _("prefix"): one.prefix,
        _("icon"): one.icon,
        _("created from"): source.name if source else "",
        _("comes after"): after.name if after else "",
    }


def _load_status(
    session: Session, actor: Actor | None, board: Board, here: Sequence[Status], content: Content, loaded: Loaded, language: str
) -> Status:
    roles = {place: [of_key(loaded.roles, key, "role") for key in content.get(place) or []] for place in ("answer", "move")}
    fields = StatusFields(
        name=named(content["name"], language, 80),
        tone=content.get("tone", "slate"),
        phase=content.get("phase", "active"),
        norm_days=content.get("norm"),
        limit=content.get("limit"),
        limit_refuses=content.get("limit_refuses", False),
        answering=[role.id for role in roles["answer"]],
        moving=[role.id for role in roles["move"]],
    )
    known: Status | None = loaded.match("status", fields.name, here)
    before = _of_status(known, known.answering, known.moving) if known else None
    after = _of_status(fields, roles["answer"], roles["move"])
    if loaded.note("status", f"{board.name}: {fields.name}", before, after):
        known = change_status(session, _acting(actor), known.id, fields) if known else add_status(session, actor, board.id, fields)
    assert known is not None
    if content["key"] in loaded.statuses:
        raise Invalid(_("The key “%(key)s” appears twice.", key=content["key"][:60]), "file")
    loaded.statuses[content["key"]] = known
    return known


def _of_status(one: Status | StatusFields, answering: list[Role], moving: list[Role]) -> dict[str, object]:
    return {
        _("colour"): one.tone,
        _("phase"): one.phase,
        _("target in days"): one.norm_days,
        _("limit"): one.limit,
        _("takes no more orders above the limit"): one.limit_refuses,
        _("responsible roles"): ", ".join(sorted(role.name for role in answering)),
        _("can move orders here"): ", ".join(sorted(role.name for role in moving)),
    }


def _acting(actor: Actor | None) -> Actor:
    """A preset is loaded into an empty database, where there is nothing to change."""
    if actor is None:
        raise Invalid(_("Only an administrator can change a process."), "file")
    return actor
