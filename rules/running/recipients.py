"""Who gets a message: recipients of an action, resolved on one order, with why each was chosen or skipped."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Order, Person, Role, person_role
from kanban.phones import e164
from kanban.roles import filling, resolve_role
from kanban.settings import country
from rules.models import Unsubscribed
from rules.post.addressees import NO_ADDRESS, address_of, address_of_customer

MOST_HOLDERS = 10  # of a role are told without being asked about
HIDDEN = {"hidden": True}  # marks notes of hidden copies, which only administrators see


@dataclass(frozen=True)
class Recipient:
    """address: of the action's channel. why: {"kind": role|person|responsible|author|customer|address}; of a role
    {"role": name, "filled": bool}, and "responsible": True where they stand for it as the order's responsible (kanban.roles);
    of a copy also {"copy": cc|bcc}."""

    address: str
    name: str
    person_id: int | None
    why: dict[str, Any]

    @property
    def place(self) -> str:
        """to, cc or bcc"""
        return str(self.why.get("copy", "to"))


@dataclass
class Resolved:
    """by_bell: employees who asked for no letters: they find the news at the bell."""

    recipients: list[Recipient] = field(default_factory=list)
    by_bell: list[Recipient] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Directory:
    """People a set of rules may write to, loaded by two SELECTs before the first rule is judged."""

    people: dict[int, Any]  # rows of id, name, email, phone, chat, active, unsubscribed
    holders: dict[int, list[int]]
    roles: dict[int, str]
    mover_id: int | None = None
    previous_id: int | None = None  # who was responsible before the event
    unsubscribed: set[str] = field(default_factory=set)  # addresses of others: customers, and those a rule names

    def is_active(self, person_id: int) -> bool:
        person = self.people.get(person_id)
        return person is not None and person.active


_HOLDERS = (
    select(table(Role).c.id, table(Role).c.name, person_role.c.person_id)
    .outerjoin(person_role, person_role.c.role_id == table(Role).c.id)
    .where(table(Role).c.id.in_(bindparam("ids", expanding=True)))
    .order_by(person_role.c.person_id)
)
_P = table(Person).c
_U = table(Unsubscribed).c
_PEOPLE = (
    select(_P.id, _P.name, _P.email, _P.phone, _P.chat, _P.active, _U.address.label("unsubscribed"))
    .outerjoin(table(Unsubscribed), _U.address == func.lower(_P.email))
    .where(_P.id.in_(bindparam("ids", expanding=True)))
)
_UNSUBSCRIBED = select(_U.address).where(_U.address.in_(bindparam("addresses", expanding=True)))


def load_directory(
    session: Session, order: Order, wanted: Iterable[dict[str, Any]], mover_id: int | None = None, previous_id: int | None = None,
    also: Iterable[int] = (),
) -> Directory:  # fmt: skip
    """Loads only who can be meant: named people, holders of named roles, people of the order and of the event, and `also` these."""
    wanted = list(wanted)
    role_ids = {one["id"] for one in wanted if one["kind"] == "role"}
    ids = {one["id"] for one in wanted if one["kind"] == "person"}
    ids |= {one.person_id for one in order.people if one.role_id in role_ids}
    ids |= {id_ for id_ in (order.responsible_id, order.author_id, mover_id, previous_id, *also) if id_}
    holders: dict[int, list[int]] = {role: [] for role in role_ids}
    roles: dict[int, str] = {}
    if role_ids:
        rows = session.connection().execute(_HOLDERS, {"ids": list(role_ids)})
        for role, name, person in rows:
            roles[role] = name
            if person is not None:
                holders[role].append(person)
                ids.add(person)
    people = session.connection().execute(_PEOPLE, {"ids": list(ids)}) if ids else ()
    return Directory({person.id: person for person in people}, holders, roles, mover_id, previous_id,
                     _unsubscribed(session, order, wanted))  # fmt: skip


def load_everybody(session: Session, wanted: Iterable[dict[str, Any]]) -> Directory:
    """For many orders at once: all people, holders of the named roles, and all addresses that asked for no letters."""
    wanted = list(wanted)
    everybody = session.scalars(select(Person.id)).all() if wanted else []
    nobodys: Any = SimpleNamespace(people=[], responsible_id=None, author_id=None, customer=SimpleNamespace(email="", phone=""))
    directory = load_directory(session, nobodys, wanted, also=everybody)
    if any(one["kind"] == "customer" for one in wanted):
        directory.unsubscribed |= set(session.scalars(select(Unsubscribed.address)))
    return directory


def _unsubscribed(session: Session, order: Order, wanted: list[dict[str, Any]]) -> set[str]:
    """One SELECT, where a rule writes to anybody but employees."""
    addresses = [one["address"].casefold() for one in wanted if one["kind"] == "address"]
    if any(one["kind"] == "customer" for one in wanted) and order.customer.email:
        addresses.append(order.customer.email.casefold())
    return set(session.connection().scalars(_UNSUBSCRIBED, {"addresses": addresses})) if addresses else set()


def resolve(
    to: Iterable[dict[str, Any]], order: Order, directory: Directory, actor_id: int | None, tell_actor: bool, channel: str = "email"
) -> Resolved:
    """Recipients in the order of the action, each person once; who did it is left out unless `tell_actor`.

    to: see rules.actions.addressed.
    """
    resolved = Resolved()
    seen: set[str] = set()
    for one in to:
        said_before = len(resolved.notes)
        for candidate in _candidates(one, order, directory, resolved.notes, channel):
            is_own_doing = candidate.person_id is not None and candidate.person_id == actor_id
            if is_own_doing and not tell_actor and candidate.why["kind"] != "mover":
                resolved.notes.append({"why": "did_it", "name": candidate.name})
            elif not candidate.address:
                resolved.notes.append({"why": NO_ADDRESS[channel], "name": candidate.name})
            elif candidate.address.casefold() not in seen:
                seen.add(candidate.address.casefold())
                if channel == "email" and _wants_none(candidate, directory):
                    resolved.notes.append({"why": "unsubscribed", "name": candidate.name or candidate.address})
                    resolved.by_bell += [candidate] if candidate.person_id else []
                else:
                    copy = {"copy": one["place"]} if "place" in one else {}
                    resolved.recipients.append(replace(candidate, why=candidate.why | copy))
        if one.get("place") == "bcc":
            resolved.notes[said_before:] = [note | HIDDEN for note in resolved.notes[said_before:]]
    return resolved


def _wants_none(candidate: Recipient, directory: Directory) -> bool:
    """Whether this address asked for no more letters."""
    if candidate.person_id is None:
        return candidate.address.casefold() in directory.unsubscribed
    return directory.people[candidate.person_id].unsubscribed is not None


def _candidates(one: dict[str, Any], order: Order, directory: Directory, notes: list[dict[str, Any]], channel: str) -> list[Recipient]:
    kind = one["kind"]
    if kind == "address":
        return [Recipient(_typed(one["address"], channel), "", None, {"kind": kind})]
    if kind == "customer":
        return [Recipient(address_of_customer(order.customer, channel), order.customer.name, None, {"kind": kind})]
    if kind == "role":
        return _holders(one, order, directory, notes, channel)
    person_id = {
        "person": one.get("id"), "responsible": order.responsible_id, "author": order.author_id, "mover": directory.mover_id,
        "previous": directory.previous_id,
    }.get(kind)  # fmt: skip
    if person_id is None:
        notes.append({"why": f"no_{kind}"})
        return []
    return _active([person_id], directory, notes, {"kind": kind}, channel)


def _holders(one: dict[str, Any], order: Order, directory: Directory, notes: list[dict[str, Any]], channel: str) -> list[Recipient]:
    """Who stands for the role on this order (kanban.roles); of all who hold it many only where that was confirmed."""
    role_id = one["id"]
    role = directory.roles.get(role_id, "")
    standing = resolve_role(filling(order, role_id), order.responsible_id, directory.holders.get(role_id, []), directory.is_active)
    why = {"kind": "role", "role": role, "filled": standing.how == "filled"}
    if standing.how == "responsible":
        why |= {"responsible": True}
    found = _active([*standing.passed_over, *standing.people], directory, notes, why, channel)
    if not found:
        notes.append({"why": "no_holder", "name": role})
    if len(found) > MOST_HOLDERS and not one.get("many"):
        notes.append({"why": "too_many", "name": role})
        return found[:MOST_HOLDERS]
    return found


def _active(ids: Iterable[int], directory: Directory, notes: list[dict[str, Any]], why: dict[str, Any], channel: str) -> list[Recipient]:
    found = []
    for id_ in ids:
        person = directory.people.get(id_)
        if person is None:
            notes.append({"why": "gone"})
        elif not person.active:
            notes.append({"why": "inactive", "name": person.name})
        else:
            found.append(Recipient(address_of(person, channel), person.name, person.id, why))
    return found


def _typed(address: str, channel: str) -> str:
    """One that a rule names, as the network wants it."""
    return e164(address, country()) if channel == "sms" else "" if channel == "notice" else address
