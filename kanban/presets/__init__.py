"""Ready settings of a trade, as YAML, and the demo workshop."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

from kanban.boards import BoardFields, StatusFields, add_board, add_status
from kanban.models import Board, Role, Status
from kanban.people import add_role

HERE = Path(__file__).parent
PRESETS = ("kitchen",)


@dataclass
class Loaded:
    """What a preset made, by its keys; `rules` is the section for the rules package."""

    roles: dict[str, Role] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)


def read(name: str) -> dict[str, Any]:
    """The YAML of a preset or of the demo."""
    content: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def load_preset(session: Session, name: str, language: str) -> Loaded:
    """Makes the roles, boards and statuses of a preset, in one language."""
    content = read(name)
    loaded = Loaded(rules=content.get("rules", {}))
    for key, names in content["roles"].items():
        loaded.roles[key] = add_role(session, None, names[language])
    for board in content["boards"]:
        _load_board(session, board, loaded, language)
    return loaded


def _load_board(session: Session, content: dict[str, Any], loaded: Loaded, language: str) -> None:
    source = loaded.boards.get(content.get("source", ""))
    after = loaded.statuses.get(content.get("way_after", ""))
    board = add_board(
        session,
        None,
        BoardFields(
            name=content["name"][language], order_name=content["order_name"][language], prefix=content["prefix"][language],
            icon=content["icon"], source_id=source.id if source else None, way_after_id=after.id if after else None,
        ),
    )  # fmt: skip
    loaded.boards[content["key"]] = board
    for status in content["statuses"]:
        fields = StatusFields(
            name=status["name"][language], tone=status["tone"], phase=status["phase"], norm_days=status.get("norm"),
            limit=status.get("limit"), answering=[loaded.roles[key].id for key in status["answer"]],
            moving=[loaded.roles[key].id for key in status.get("move", [])],
        )  # fmt: skip
        loaded.statuses[status["key"]] = add_status(session, None, board.id, fields)
