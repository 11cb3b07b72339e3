"""Whom a message goes to, looked at again when it is claimed. Who left gets nothing that still waits; who has a new address
gets it there. A fixed number of statements, however many messages there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.fold import fold
from kanban.models import Customer, Order, Person
from rules.definition.channels import Channel
from rules.definition.outcomes import Reason
from rules.models import Message, Unsubscribed
from rules.post.addresses import address_of, address_of_customer, no_address_reason
from rules.post.layout import ChosenAs, Head, read_layout

DROPPED = (
    Reason.INACTIVE,
    Reason.NO_ADDRESS,
    Reason.NO_PHONE,
    Reason.NO_CHAT,
    Reason.UNSUBSCRIBED,
    Reason.SAME_ADDRESS,
    Reason.OTHER_CUSTOMER,
)
GOES = ("waiting", "sending", "sent", "tray")
CUSTOMER = ChosenAs.CUSTOMER.value


class KnownPerson(NamedTuple):
    id: int
    active: bool
    email: str
    phone: str
    chat: str


class KnownCustomer(NamedTuple):
    """order_id: of the order that is theirs."""

    order_id: int
    name: str
    email: str
    phone: str


class AddressesNow(NamedTuple):
    """Where a message goes now; reason: why it does not go, else None."""

    address: str
    reason: Reason | None = None


def look_again(session: Session, messages: Sequence[Message]) -> list[Message]:
    """Cancels those that are not to go any more, and gives the others the address of now. Returns those whose address changed.

    dropped says why one was cancelled: one of DROPPED. same_address: another message of the same event, channel and template goes, or
    went, to the new address. other_customer: name and address of the order's customer are others now, so that the text is about
    somebody else.
    """
    known = _Known.load(session, messages)
    moved = []
    for message in messages:
        now = known.address_of(message)
        if now.reason is Reason.UNSUBSCRIBED and message.person_id:
            _to_the_bell(message)
            continue
        if now.reason is not None:
            _drop(message, now.reason)
            continue
        if not _is_same(now.address, message.address):
            message.queued_for = message.queued_for or message.address
            message.address = now.address
            moved.append(message)
        _write_heads(message, known)
    if moved:
        _drop_doubles(session, moved)
    session.flush()
    return moved


@dataclass(frozen=True)
class _Known:
    """What is known now. customers: by order."""

    people: Mapping[int, KnownPerson] = field(default_factory=dict)
    customers: Mapping[int, KnownCustomer] = field(default_factory=dict)
    unsubscribed: frozenset[str] = frozenset()

    @classmethod
    def load(cls, session: Session, messages: Iterable[Message]) -> "_Known":
        """At most three statements: people, customers, and addresses that asked for no e-mails."""
        waiting = [(one, read_layout(one.layout)) for one in messages]
        ids = {one.person_id for one, _layout in waiting} | {layout.reply_to_id for _one, layout in waiting}
        ids |= {head.whose for _one, layout in waiting for head in layout.heads if isinstance(head.whose, int)}
        orders = {one.order_id for one, layout in waiting if _is_customers(one) or any(head.whose == CUSTOMER for head in layout.heads)}
        known = cls(_people(session, ids - {None}), _customers(session, orders - {None}))
        addresses = {known.address_of(one).address.casefold() for one, _l in waiting if one.kind == "rule" and one.channel == "email"}
        addresses |= {known.of_head(head, one).address.casefold() for one, layout in waiting for head in layout.heads}
        asked = select(Unsubscribed.address).where(Unsubscribed.address.in_(addresses - {""}))
        return replace(known, unsubscribed=frozenset(session.scalars(asked)) if addresses else frozenset())

    def address_of(self, message: Message) -> AddressesNow:
        whose = message.person_id if message.person_id else CUSTOMER if _is_customers(message) else None
        return self._address(Head(message.name, message.address, whose), message, Channel(message.channel), message.queued_for)

    def of_head(self, head: Head, message: Message) -> AddressesNow:
        return self._address(head, message, Channel.EMAIL)

    def _address(self, head: Head, message: Message, channel: Channel, first: str = "") -> AddressesNow:
        """head: as it was when the message was made, and so was `first`, where it has gone to another address since."""
        address, before = head.address, first or head.address
        if isinstance(head.whose, int) and (person := self.people.get(head.whose)) is not None:
            if not person.active:
                return AddressesNow("", Reason.INACTIVE)
            address = address_of(person, channel)
        elif head.whose == CUSTOMER and (customer := self.customers.get(message.order_id or 0)) is not None:
            address = address_of_customer(customer, channel)
            if head.name and fold(customer.name) != fold(head.name) and not _is_same(address, before):
                return AddressesNow("", Reason.OTHER_CUSTOMER)
        if not address:
            return AddressesNow("", no_address_reason(channel))
        if message.kind == "rule" and channel is Channel.EMAIL and address.casefold() in self.unsubscribed:
            return AddressesNow("", Reason.UNSUBSCRIBED)
        return AddressesNow(address)


def _people(session: Session, ids: set[int | None]) -> dict[int, KnownPerson]:
    if not ids:
        return {}
    rows = session.execute(select(Person.id, Person.active, Person.email, Person.phone, Person.chat).where(Person.id.in_(ids)))
    return {row.id: KnownPerson(*row) for row in rows}


def _customers(session: Session, order_ids: set[int | None]) -> dict[int, KnownCustomer]:
    if not order_ids:
        return {}
    of_orders = select(Order.id, Customer.name, Customer.email, Customer.phone).join(Customer, Customer.id == Order.customer_id)
    return {row.id: KnownCustomer(*row) for row in session.execute(of_orders.where(Order.id.in_(order_ids)))}


def _is_customers(message: Message) -> bool:
    """Whether it goes to the customer of its order, so that the order says where that is."""
    chosen = read_layout(message.layout).chosen
    return message.order_id is not None and chosen is not None and chosen.kind is ChosenAs.CUSTOMER


def _is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _to_the_bell(message: Message) -> None:
    """An employee who has asked for no e-mails meanwhile finds the news at the bell, as one who asked before."""
    message.channel, message.account_id, message.note, message.reply_to, message.text = "notice", None, "", "", message.subject


def _drop(message: Message, reason: Reason) -> None:
    message.state, message.dropped = "cancelled", reason.value


def _write_heads(message: Message, known: _Known) -> None:
    """To and Cc with the addresses of now, without those to whom nothing goes; and where answers go."""
    layout = read_layout(message.layout)
    fresh = replace(layout, to=_fresh(layout.to, message, known), cc=_fresh(layout.cc, message, known))
    if fresh != layout:
        message.layout = fresh.to_json()
    answers = known.people.get(layout.reply_to_id or 0)
    if answers is not None:
        message.reply_to = answers.email if answers.active else ""


def _fresh(heads: tuple[Head, ...] | None, message: Message, known: _Known) -> tuple[Head, ...] | None:
    if heads is None:
        return None
    shown: dict[str, Head] = {}
    for head in heads:
        now = known.of_head(head, message)
        if now.reason is None:
            shown.setdefault(now.address.casefold(), head._replace(address=now.address))
    return tuple(shown.values())


def _drop_doubles(session: Session, moved: Sequence[Message]) -> None:
    """Of messages that have a new address: those of which another already goes, or went, there. The one queued first stays.

    A list tells each reader something else, a notice goes by the person, and a copy was asked for by hand: those stay.
    """
    moved = [one for one in moved if one.event_id and one.channel != "notice" and one.kind != "copy"]
    if not moved:
        return
    session.flush()
    events, channels = {one.event_id for one in moved}, {one.channel for one in moved}
    query = select(Message).where(Message.event_id.in_(events), Message.channel.in_(channels), Message.state.in_(GOES))
    others = session.scalars(query.order_by(Message.id).execution_options(populate_existing=True)).all()
    known = _Known.load(session, [one for one in others if one.state == "waiting"])
    new = {one.id for one in moved}
    goes: dict[str, int] = {}  # by what makes a message one, with the address of now: the id of the one that stays
    for one in sorted(others, key=lambda other: (other.id in new, other.id)):
        address = known.address_of(one).address if one.state == "waiting" else one.address
        if address and goes.setdefault(_identity(one, address), one.id) != one.id and one.id in new:
            _drop(one, Reason.SAME_ADDRESS)


def _identity(message: Message, address: str) -> str:
    """The message's key, as it would be with this address."""
    event, channel, rest = message.key.split(":", 2)
    _address, template, copy = rest.rsplit(":", 2)
    return f"{event}:{channel}:{address.casefold()}:{template}:{copy}"
