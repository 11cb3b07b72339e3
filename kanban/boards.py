"""The verbs of boards and statuses: the only code that changes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from kanban import journal
from kanban.actor import Actor
from kanban.criteria import CHANGES, Group
from kanban.criteria_checks import MOST_ROWS, is_too_much, require_sensible
from kanban.dependents import dependents
from kanban.errors import Conflict, Invalid, NotFound
from kanban.fold import fold
from kanban.i18n import _
from kanban.journal import Kind
from kanban.live import publish
from kanban.lookup import load_lookup
from kanban.models import PHASES, TONES, Board, Order, Role, Status
from kanban.orders.find import find_order
from kanban.orders.gates import let_go
from kanban.orders.move import carry
from kanban.policy import require_admin
from kanban.references import Reference, ReferenceKind


@dataclass
class BoardFields:
    name: str
    order_name: str
    prefix: str
    source_id: int | None = None
    way_after_id: int | None = None
    icon: str = "receipt-text"


@dataclass
class StatusFields:
    """limit: WIP limit; norm_days: how long an order usually stays; both may be None. limit_refuses: nothing enters above the limit."""

    name: str
    tone: str = "slate"
    phase: str = "active"
    limit: int | None = None
    norm_days: int | None = None
    limit_refuses: bool = False
    answering: list[int] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)


def add_board(session: Session, actor: Actor | None, fields: BoardFields) -> Board:
    if actor is not None:
        require_admin(actor)
    board = Board(position=_next(session, Board.position), next_number=1)
    _write_board(session, board, fields)
    session.add(board)
    session.flush()
    return board


def change_board(session: Session, actor: Actor, board_id: int, fields: BoardFields) -> Board:
    require_admin(actor)
    board = find_board(session, board_id)
    _write_board(session, board, fields)
    publish(session, f"board-{board.id}")
    return board


def remove_board(session: Session, actor: Actor, board_id: int) -> None:
    """Raises Conflict while the board has orders: they would go with it."""
    require_admin(actor)
    board = find_board(session, board_id)
    if session.scalar(select(Order.id).where(Order.board_id == board.id).limit(1)) is not None:
        raise Conflict(_("“%(board)s” has orders, so it can't be removed.", board=board.name))
    statuses = session.scalars(select(Status.id).where(Status.board_id == board.id)).all()
    going = [Reference(ReferenceKind.STATUS, id_) for id_ in statuses] + [Reference(ReferenceKind.BOARD, board.id)]
    if not dependents.names(session).keys().isdisjoint(going):
        raise Conflict(_("Rules use “%(board)s” or its statuses. Change or remove those rules first.", board=board.name))
    session.delete(board)


def find_board(session: Session, board_id: int) -> Board:
    board = session.get(Board, board_id, populate_existing=True)
    if board is None:
        raise NotFound(_("Board not found."))
    return board


def _write_board(session: Session, board: Board, fields: BoardFields) -> None:
    if fields.source_id is not None and (fields.source_id == board.id or session.get(Board, fields.source_id) is None):
        raise Invalid(_("This choice no longer exists."), "source_id")
    if fields.source_id is not None and _comes_from(session, fields.source_id, board.id):
        raise Invalid(_("Orders on that board are already created from orders on this one."), "source_id")
    after = session.get(Status, fields.way_after_id) if fields.way_after_id is not None else None
    if fields.way_after_id is not None and (after is None or after.board_id != fields.source_id):
        raise Invalid(_("Choose a status of the board these orders are created from."), "way_after_id")
    board.name, board.order_name, board.prefix = fields.name, fields.order_name, fields.prefix
    board.source_id, board.way_after_id, board.icon = fields.source_id, fields.way_after_id, fields.icon


def _comes_from(session: Session, board_id: int, other_id: int | None) -> bool:
    """Whether orders of the board are made, by any number of steps, from orders of the other."""
    seen: set[int] = set()
    at: int | None = board_id
    while at is not None and at not in seen:
        seen.add(at)
        at = session.scalar(select(Board.source_id).where(Board.id == at))
        if at is not None and at == other_id:
            return True
    return False


def add_status(session: Session, actor: Actor | None, board_id: int, fields: StatusFields) -> Status:
    if actor is not None:
        require_admin(actor)
    board = find_board(session, board_id)
    last = session.scalar(select(func.max(Status.position)).where(Status.board_id == board.id))
    status = Status(board_id=board.id, position=0 if last is None else last + 1, answering=[], moving=[], order_count=0, order_total=0)
    _write_status(session, status, fields)
    session.add(status)
    session.flush()
    publish(session, f"board-{board.id}")
    return status


def change_status(session: Session, actor: Actor, status_id: int, fields: StatusFields) -> Status:
    require_admin(actor)
    status = find_status(session, status_id)
    before = [role.name for role in status.moving]
    _write_status(session, status, fields)
    after = [role.name for role in status.moving]
    if after != before:
        journal.note(session, Kind.ROLES_CHANGED, actor, about=status.name, what="moving", changed=[before, after])
    publish(session, f"board-{status.board_id}")
    return status


def change_gate(session: Session, actor: Actor | None, status_id: int, gate: Group) -> Status:
    """What must hold of an order that enters. Raises NotFound, Forbidden, Invalid."""
    if actor is not None:
        require_admin(actor)
    status = find_status(session, status_id)
    require_sensible_gate(session, gate)
    status.gate = gate.to_json() if gate.parts else {}
    publish(session, f"board-{status.board_id}")
    return status


def require_sensible_gate(session: Session, gate: Group) -> None:
    """Raises Invalid."""
    lookup = load_lookup(session)
    require_sensible(gate, lambda one: one.id in lookup.named(one.kind))
    if is_too_much(gate):
        raise Invalid(_("A gate can have at most %(rows)s criteria.", rows=MOST_ROWS), "criteria")
    if any(one.op in CHANGES for one in gate.criteria):
        raise Invalid(_("A gate looks at what the order says, not at what changes it."), "criteria")


def shift_status(session: Session, actor: Actor, status_id: int, by: int) -> Status:
    """Moves a column one place to the left (-1) or right (+1)."""
    require_admin(actor)
    status = find_status(session, status_id)
    row = list(session.scalars(select(Status).where(Status.board_id == status.board_id).order_by(Status.position, Status.id)))
    here = row.index(status)
    there = min(max(here + (1 if by > 0 else -1), 0), len(row) - 1)
    row.insert(there, row.pop(here))
    for position, one in enumerate(row):
        one.position = position
    publish(session, f"board-{status.board_id}")
    return status


def arrange_statuses(session: Session, actor: Actor | None, board_id: int, ids: Sequence[int]) -> None:
    """Puts columns into an order; those that are not named stand behind."""
    if actor is not None:
        require_admin(actor)
    places = {id_: place for place, id_ in enumerate(ids)}
    row = list(session.scalars(select(Status).where(Status.board_id == board_id).order_by(Status.position, Status.id)))
    for position, one in enumerate(sorted(row, key=lambda one: places.get(one.id, len(places)))):
        one.position = position
    session.flush()
    publish(session, f"board-{board_id}")


def remove_status(session: Session, actor: Actor, status_id: int, *, orders_to: int | None, rules_to: int | None) -> int:
    """Removes a status; its orders go to another, without messages, its rules too (None: they are switched off).

    Returns how many orders went. Raises Invalid where orders have nowhere to go, Conflict for the last status.
    """
    require_admin(actor)
    status = find_status(session, status_id)
    others = list(session.scalars(select(Status).where(Status.board_id == status.board_id, Status.id != status.id)))
    if not others:
        raise Conflict(_("A board needs at least one status."))
    target = next((one for one in others if one.id == orders_to), None)
    here = Order.status_id == status.id
    ids = session.scalars(select(Order.id).where(here, Order.removed_at.is_(None)).order_by(Order.rank.desc())).all()
    if ids and target is None:
        raise Invalid(_("Choose where the %(count)s orders in “%(status)s” go.", count=len(ids), status=status.name), "orders_to")
    if rules_to is not None and rules_to not in [one.id for one in others]:
        raise Invalid(_("This choice no longer exists."), "rules_to")
    for id_ in ids:
        assert target is not None
        carry(session, actor, find_order(session, id_), target, before="", quiet=True)
    session.execute(update(Order).where(here).values(status_id=(target or others[0]).id))  # removed ones are restored there
    dependents.reassign_status(session, status, rules_to)
    let_go(session, Reference(ReferenceKind.STATUS, status.id), rules_to)
    session.execute(update(Board).where(Board.way_after_id == status.id).values(way_after_id=None))
    session.flush()
    session.delete(status)
    publish(session, f"board-{status.board_id}")
    return len(ids)


def find_status(session: Session, status_id: int) -> Status:
    status = session.scalar(
        select(Status)
        .where(Status.id == status_id)
        .options(selectinload(Status.answering), selectinload(Status.moving))
        .execution_options(populate_existing=True)
    )
    if status is None:
        raise NotFound(_("Status not found."))
    return status


def _write_status(session: Session, status: Status, fields: StatusFields) -> None:
    if fields.tone not in TONES or fields.phase not in PHASES:
        raise Invalid(_("This choice no longer exists."), "phase")
    if status.id is None or fold(status.name) != fold(fields.name):  # two of one name that stand there already may be changed otherwise
        names = session.scalars(select(Status.name).where(Status.board_id == status.board_id)).all()
        if fold(fields.name) in map(fold, names):
            raise Invalid(_("This board already has a status with this name."), "name")
    status.name, status.tone, status.phase = fields.name, fields.tone, fields.phase
    status.limit, status.norm_days, status.limit_refuses = fields.limit, fields.norm_days, fields.limit_refuses
    status.answering = _roles(session, fields.answering)
    status.moving = _roles(session, fields.moving)


def _roles(session: Session, ids: list[int]) -> list[Role]:
    return list(session.scalars(select(Role).where(Role.id.in_(ids)).order_by(Role.position)))


def _next(session: Session, column: object) -> int:
    last: int | None = session.scalar(select(func.max(column)))
    return 0 if last is None else last + 1
