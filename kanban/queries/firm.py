"""The firm as settings pages and forms show it: boards and their columns, people, roles, organisations."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from kanban.models import Board, Order, Organisation, Person, Role, Status


def all_boards(session: Session) -> Sequence[Board]:
    return session.scalars(select(Board).order_by(Board.position, Board.id)).all()


def first_board_id(session: Session) -> int | None:
    return session.scalar(select(Board.id).order_by(Board.position, Board.id).limit(1))


def all_statuses(session: Session) -> Sequence[Status]:
    """By board, with the roles that answer for them and those that may move into them."""
    query = select(Status).order_by(Status.board_id, Status.position, Status.id)
    return session.scalars(query.options(selectinload(Status.answering), selectinload(Status.moving))).all()


def all_roles(session: Session) -> Sequence[Role]:
    return session.scalars(select(Role).order_by(Role.position, Role.id)).all()


def all_people(session: Session) -> Sequence[Person]:
    """Those who work here first, with their roles."""
    query = select(Person).order_by(Person.active.desc(), Person.name, Person.id)
    return session.scalars(query.options(selectinload(Person.held_roles))).all()


class OrganisationRow(NamedTuple):
    """An organisation, and how many orders name it."""

    organisation: Organisation
    order_count: int


def all_organisations(session: Session) -> list[OrganisationRow]:
    orders = select(func.count(Order.id)).where(Order.organisation_id == Organisation.id).scalar_subquery()
    rows = session.execute(select(Organisation, orders).order_by(Organisation.name, Organisation.id))
    return [OrganisationRow(organisation, count) for organisation, count in rows]


def offered_organisations(session: Session, also: int | None) -> list[tuple[int, str]]:
    """(id, name) of those that are in use, and of that one."""
    offered = Organisation.active | (Organisation.id == also)
    rows = session.execute(select(Organisation.id, Organisation.name).where(offered).order_by(Organisation.name))
    return [(id_, name) for id_, name in rows]


def offered_people(session: Session, also: Iterable[int | None]) -> Sequence[Person]:
    """Those who work here, and those."""
    offered = Person.active | Person.id.in_([id_ for id_ in also if id_])
    return session.scalars(select(Person).where(offered).order_by(Person.name, Person.id)).all()


def names_of_firm(session: Session) -> list[str]:
    """Of its roles and boards."""
    return [*session.scalars(select(Role.name)), *session.scalars(select(Board.name))]
