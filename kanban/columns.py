"""Boards and statuses as plain rows; statuses with the roles that may move orders into them. One statement each, for pages and
permissions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from kanban.actor import ActorRole
from kanban.db import Record, table
from kanban.models import OVER, Board, Role, Status, status_moving

_B, _S, _R = table(Board).c, table(Status).c, table(Role).c


@dataclass(frozen=True)
class BoardRow:
    """A board as pages name it. source_id, way_after_id: see models.Board."""

    id: int
    name: str
    order_name: str
    icon: str
    source_id: int | None
    way_after_id: int | None


@dataclass(frozen=True)
class ColumnRow:
    """A status at one moment. moving: roles that may move orders here; none: everyone who may write."""

    id: int
    board_id: int
    name: str
    tone: str
    phase: str
    limit: int | None
    norm_days: int | None
    order_count: int
    order_total: int
    limit_refuses: bool
    has_gate: bool
    moving: tuple[ActorRole, ...]

    @property
    def is_over(self) -> bool:
        return self.phase in OVER


_MOVERS = table(Status).outerjoin(status_moving, status_moving.c.status_id == _S.id)
_JOINED = _MOVERS.outerjoin(table(Role), _R.id == status_moving.c.role_id)

# Built once: to build a statement costs more than to run it.
_ROWS = (
    select(
        _S.id,
        _S.board_id,
        _S.name,
        _S.tone,
        _S.phase,
        _S.limit,
        _S.norm_days,
        _S.order_count,
        _S.order_total,
        _S.limit_refuses,
        (cast(_S.gate, Text) != "{}").label("has_gate"),
        _R.id.label("role_id"),
        _R.name.label("role_name"),
    )
    .select_from(_JOINED)
    .order_by(_S.board_id, _S.position, _S.id, _R.position)
)
_OF_BOARDS = _ROWS.where(_S.board_id.in_(bindparam("ids", expanding=True)))
_OF_IDS = _ROWS.where(_S.id.in_(bindparam("ids", expanding=True)))


_BOARDS = select(_B.id, _B.name, _B.order_name, _B.icon, _B.source_id, _B.way_after_id).order_by(_B.position, _B.id)


def board_rows(session: Session) -> tuple[BoardRow, ...]:
    """All boards, in their order."""
    return tuple(BoardRow(*row) for row in session.connection().execute(_BOARDS))


def columns_of_boards(session: Session, board_ids: Sequence[int]) -> list[ColumnRow]:
    """The columns of these boards, in their order."""
    return _collect(session.connection().execute(_OF_BOARDS, {"ids": list(board_ids)}))


def columns_by_id(session: Session, ids: Sequence[int]) -> dict[int, ColumnRow]:
    return {row.id: row for row in _collect(session.connection().execute(_OF_IDS, {"ids": list(ids)}))}


def _collect(rows: Iterable[Record]) -> list[ColumnRow]:
    found: dict[int, tuple[Record, list[ActorRole]]] = {}
    for row in rows:
        _, roles = found.setdefault(row.id, (row, []))
        if row.role_id is not None:
            roles.append(ActorRole(row.role_id, row.role_name))
    return [_row(row, tuple(roles)) for row, roles in found.values()]


def _row(row: Record, moving: tuple[ActorRole, ...]) -> ColumnRow:
    return ColumnRow(
        row.id,
        row.board_id,
        row.name,
        row.tone,
        row.phase,
        row.limit,
        row.norm_days,
        row.order_count,
        row.order_total,
        row.limit_refuses,
        bool(row.has_gate),
        moving,
    )
