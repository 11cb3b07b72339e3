"""Who gets a message: recipients of an action, resolved on one order, with why each was chosen or left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, assert_never

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Order, Person, Role, person_role
from kanban.roles import resolve_role
from rules.definition.channels import Channel
from rules.definition.message_action import Copy
from rules.definition.outcomes import Note, Reason
from rules.definition.recipients import (
    AddressRecipient,
    PersonRecipient,
    RelatedRecipient,
    Relation,
    RoleRecipient,
    takes_addresses,
)
from rules.definition.recipients import (
    Recipient as NamedRecipient,
)
from rules.models import Unsubscribed
from rules.post.addresses import Contact, address_of, address_of_customer, as_sent, no_address_reason
from rules.post.layout import Chosen, ChosenAs, Head

MOST_HOLDERS = 10  # of a role are told without being asked about


class Customer(Contact, Protocol):
    @property
    def name(self) -> str: ...


class Parties(Protocol):
    """Whom an order names: an order, or as much as is known of one of the past."""

    @property
    def responsible_id(self) -> int | None: ...

    @property
    def author_id(self) -> int | None: ...

    @property
    def customer(self) -> Customer: ...


class PastCustomer(NamedTuple):
    name: str = ""
    email: str = ""
    phone: str = ""


class PastParties(NamedTuple):
    responsible_id: int | None = None
    author_id: int | None = None
    customer: PastCustomer = PastCustomer()


class OnOrder(NamedTuple):
    """An order as recipients are resolved on it. filled: {role id: person id}, of the roles that are filled on it."""

    parties: Parties
    filled: Mapping[int, int]


def on(order: Order) -> OnOrder:
    return OnOrder(order, {one.role_id: one.person_id for one in order.people})


@dataclass(frozen=True)
class Recipient:
    """address: of the action's channel. copy: what kind of copy they get, None for the message itself."""

    address: str
    name: str
    person_id: int | None
    chosen: Chosen

    @property
    def copy(self) -> Copy | None:
        return self.chosen.copy

    @property
    def addressee(self) -> str:
        return self.name or self.address

    @property
    def head(self) -> Head:
        """With whose address it is, so that it can be looked up again (rules.post.addressees)."""
        return Head(self.name, self.address, self.person_id or self.chosen.kind.value)


@dataclass
class Resolved:
    """by_bell: employees who asked for no e-mails: they find the news at the bell."""

    recipients: list[Recipient] = field(default_factory=list)
    by_bell: list[Recipient] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class DirectoryPerson(NamedTuple):
    """unsubscribed: their address, where it asked for no e-mails."""

    id: int
    name: str
    email: str
    phone: str
    chat: str
    active: bool
    unsubscribed: str | None


@dataclass
class Directory:
    """People a set of rules may write to, loaded by two SELECTs before the first rule is judged."""

    people: dict[int, DirectoryPerson]
    holders: dict[int, list[int]]
    roles: dict[int, str]
    mover_id: int | None = None
    previous_id: int | None = None  # who was responsible before the event
    unsubscribed: set[str] = field(default_factory=set)  # addresses of others: customers, and those a rule names

    def is_active(self, person_id: int) -> bool:
        person = self.people.get(person_id)
        return person is not None and person.active

    def wants_none(self, recipient: Recipient) -> bool:
        """Whether this address asked for no more e-mails."""
        if recipient.person_id is None:
            return recipient.address.casefold() in self.unsubscribed
        return self.people[recipient.person_id].unsubscribed is not None


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
    session: Session,
    order: OnOrder,
    wanted: Iterable[NamedRecipient],
    mover_id: int | None = None,
    previous_id: int | None = None,
    also: Iterable[int] = (),
) -> Directory:
    """Loads only who can be meant: named people, holders of named roles, people of the order and of the event, and `also` these."""
    wanted = list(wanted)
    role_ids = {one.role_id for one in wanted if isinstance(one, RoleRecipient)}
    ids = {one.person_id for one in wanted if isinstance(one, PersonRecipient)}
    ids |= {person_id for role_id, person_id in order.filled.items() if role_id in role_ids}
    ids |= {id_ for id_ in (order.parties.responsible_id, order.parties.author_id, mover_id, previous_id, *also) if id_}
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
    return Directory(
        {person.id: DirectoryPerson(*person) for person in people},
        holders,
        roles,
        mover_id,
        previous_id,
        _unsubscribed(session, order.parties, wanted),
    )


def load_everybody(session: Session, wanted: Iterable[NamedRecipient]) -> Directory:
    """For many orders at once: all people, holders of the named roles, and all addresses that asked for no e-mails."""
    wanted = list(wanted)
    everybody = session.scalars(select(Person.id)).all() if wanted else []
    directory = load_directory(session, OnOrder(PastParties(), {}), wanted, also=everybody)
    if RelatedRecipient(Relation.CUSTOMER) in wanted:
        directory.unsubscribed |= set(session.scalars(select(Unsubscribed.address)))
    return directory


def _unsubscribed(session: Session, parties: Parties, wanted: list[NamedRecipient]) -> set[str]:
    """One SELECT, where a rule writes to anybody but employees."""
    addresses = [one.address.casefold() for one in wanted if isinstance(one, AddressRecipient)]
    if RelatedRecipient(Relation.CUSTOMER) in wanted and parties.customer.email:
        addresses.append(parties.customer.email.casefold())
    return set(session.connection().scalars(_UNSUBSCRIBED, {"addresses": addresses})) if addresses else set()


def resolve(
    to: Iterable[tuple[NamedRecipient, Copy | None]],
    order: OnOrder,
    directory: Directory,
    actor_id: int | None,
    tell_actor: bool,
    channel: Channel = Channel.EMAIL,
) -> Resolved:
    """Recipients in the order of the action, each person once; who did it is left out unless `tell_actor`.

    to: see SendMessage.recipients.
    """
    resolved = Resolved()
    seen: set[str] = set()
    for named, copy in to:
        candidates, notes = _Candidates(order, directory, channel).of(named)
        for candidate in candidates:
            is_own_doing = candidate.person_id is not None and candidate.person_id == actor_id
            if is_own_doing and not tell_actor and candidate.chosen.kind is not ChosenAs.MOVER:
                notes.append(Note(Reason.DID_IT, candidate.name))
            elif not candidate.address:
                notes.append(Note(no_address_reason(channel), candidate.name))
            elif candidate.address.casefold() not in seen:
                seen.add(candidate.address.casefold())
                if channel is Channel.EMAIL and directory.wants_none(candidate):
                    notes.append(Note(Reason.UNSUBSCRIBED, candidate.addressee))
                    resolved.by_bell += [candidate] if candidate.person_id else []
                else:
                    resolved.recipients.append(replace(candidate, chosen=replace(candidate.chosen, copy=copy)))
        resolved.notes += [replace(note, is_hidden=True) for note in notes] if copy is Copy.BCC else notes
    return resolved


@dataclass
class _Candidates:
    """Who is meant by a recipient that a rule names; notes: who can't be."""

    order: OnOrder
    directory: Directory
    channel: Channel
    notes: list[Note] = field(default_factory=list)

    def of(self, named: NamedRecipient) -> tuple[list[Recipient], list[Note]]:
        match named:
            case AddressRecipient():
                address = as_sent(named.address, self.channel) if takes_addresses(self.channel) else ""
                found = [Recipient(address, "", None, Chosen(ChosenAs.ADDRESS))]
            case RoleRecipient():
                found = self._holders(named)
            case PersonRecipient():
                found = self._active([named.person_id], Chosen(ChosenAs.PERSON))
            case RelatedRecipient():
                found = self._related(named.relation)
            case _:
                assert_never(named)
        return found, self.notes

    def _related(self, relation: Relation) -> list[Recipient]:
        parties = self.order.parties
        match relation:
            case Relation.CUSTOMER:
                address = address_of_customer(parties.customer, self.channel)
                return [Recipient(address, parties.customer.name, None, Chosen(ChosenAs.CUSTOMER))]
            case Relation.RESPONSIBLE:
                person_id, reason = parties.responsible_id, Reason.NO_RESPONSIBLE
            case Relation.AUTHOR:
                person_id, reason = parties.author_id, Reason.NO_AUTHOR
            case Relation.MOVER:
                person_id, reason = self.directory.mover_id, Reason.NO_MOVER
            case Relation.PREVIOUS:
                person_id, reason = self.directory.previous_id, Reason.NO_PREVIOUS
            case _:
                assert_never(relation)
        if person_id is None:
            self.notes.append(Note(reason))
            return []
        return self._active([person_id], Chosen(ChosenAs(relation.value)))

    def _holders(self, named: RoleRecipient) -> list[Recipient]:
        """Who stands for the role on this order (kanban.roles); of all who hold it many only where that was confirmed."""
        directory, role_id = self.directory, named.role_id
        role = directory.roles.get(role_id, "")
        standing = resolve_role(
            self.order.filled.get(role_id), self.order.parties.responsible_id, directory.holders.get(role_id, []), directory.is_active
        )
        chosen = Chosen(ChosenAs.ROLE, role, standing.how == "filled", standing.how == "responsible")
        found = self._active([*standing.passed_over, *standing.people], chosen)
        if not found:
            self.notes.append(Note(Reason.NO_HOLDER, role))
        if len(found) > MOST_HOLDERS and not named.everyone:
            self.notes.append(Note(Reason.TOO_MANY, role))
            return found[:MOST_HOLDERS]
        return found

    def _active(self, ids: Iterable[int], chosen: Chosen) -> list[Recipient]:
        found = []
        for id_ in ids:
            person = self.directory.people.get(id_)
            if person is None:
                self.notes.append(Note(Reason.GONE))
            elif not person.active:
                self.notes.append(Note(Reason.INACTIVE, person.name))
            else:
                found.append(Recipient(address_of(person, self.channel), person.name, person.id, chosen))
        return found
