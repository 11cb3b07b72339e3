"""Whom a message goes to, looked at again when it is claimed. Who left gets nothing that still waits; who has a new address
gets it there. A fixed number of statements, however many messages there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.fold import fold
from kanban.models import Customer, Order, Person
from kanban.phones import e164
from kanban.settings import country
from rules.models import Message, Unsubscribed

Head = list[Any]  # name, address, and the person's id, or the kind of another recipient: who stands in To or Cc
NO_ADDRESS = {"email": "no_address", "sms": "no_phone", "chat": "no_chat", "notice": "not_employee"}  # why, by channel
DROPPED = ("inactive", "no_address", "no_phone", "no_chat", "unsubscribed", "same_address", "other_customer")
GOES = ("waiting", "sending", "sent", "tray")


def address_of(person: Any, channel: str) -> str:
    """person: anything with email, phone and chat. The bell goes by the person; the e-mail address is what the log calls them by."""
    if channel == "sms":
        return e164(person.phone, country())
    return str(person.chat if channel == "chat" else person.email)


def address_of_customer(customer: Any, channel: str) -> str:
    return e164(customer.phone, country()) if channel == "sms" else str(customer.email) if channel == "email" else ""


def look_again(session: Session, messages: Sequence[Message]) -> list[Message]:
    """Cancels those that are not to go any more, and gives the others the address of now. Returns those whose address changed.

    dropped says why one was cancelled: inactive, no_address, no_phone, no_chat, unsubscribed; same_address where another message
    of the same event, channel and template goes, or went, to the new address; other_customer where name and address of the
    order's customer are others now, so that the text is about somebody else.
    """
    known = _Known.load(session, messages)
    moved = []
    for message in messages:
        address, reason = known.address_of(message)
        if reason == "unsubscribed" and message.person_id:
            _to_the_bell(message)
            continue
        if reason:
            _drop(message, reason)
            continue
        if not _is_same(address, message.address):
            message.queued_for = message.queued_for or message.address
            message.address = address
            moved.append(message)
        _write_heads(message, known)
    if moved:
        _drop_doubles(session, moved)
    session.flush()
    return moved


@dataclass(frozen=True)
class _Known:
    """What is known now. customers: by order."""

    people: Mapping[int, Any] = field(default_factory=dict)
    customers: Mapping[int, Any] = field(default_factory=dict)
    unsubscribed: frozenset[str] = frozenset()

    @classmethod
    def load(cls, session: Session, messages: Iterable[Message]) -> "_Known":
        """At most three statements: people, customers, and addresses that asked for no e-mails."""
        waiting = list(messages)
        ids = {one.person_id for one in waiting} | {head[2] for one in waiting for head in _heads(one) if isinstance(head[2], int)}
        ids |= {one.layout.get("reply_to_id") for one in waiting}
        orders = {one.order_id for one in waiting if _is_customers(one) or any(head[2] == "customer" for head in _heads(one))}
        people = _by_id(session, select(Person.id, Person.active, Person.email, Person.phone, Person.chat), Person.id, ids)
        of_orders = select(Order.id, Customer.name, Customer.email, Customer.phone).join(Customer, Customer.id == Order.customer_id)
        known = cls(people, _by_id(session, of_orders, Order.id, orders))
        addresses = {known.address_of(one)[0].casefold() for one in waiting if one.kind == "rule" and one.channel == "email"}
        addresses |= {known.of_head(head, one)[0].casefold() for one in waiting for head in _heads(one)}
        asked = select(Unsubscribed.address).where(Unsubscribed.address.in_(addresses - {""}))
        return cls(known.people, known.customers, frozenset(session.scalars(asked)) if addresses else frozenset())

    def address_of(self, message: Message) -> tuple[str, str]:
        """(address, ""), or ("", why it does not go)."""
        whose = message.person_id if message.person_id else "customer" if _is_customers(message) else "address"
        return self._address(whose, message.name, message.address, message, message.channel, message.queued_for)

    def of_head(self, head: Head, message: Message) -> tuple[str, str]:
        return self._address(head[2], head[0], head[1], message, "email")

    def _address(self, whose: Any, name: str, address: str, message: Message, channel: str, first: str = "") -> tuple[str, str]:
        """name: as it was when the message was made, and so was `first`, where it has gone to another address since."""
        found, before = None, first or address
        if isinstance(whose, int):
            found = self.people.get(whose)
            address = address_of(found, channel) if found is not None else address
        elif whose == "customer":
            found = self.customers.get(message.order_id or 0)
            address = address_of_customer(found, channel) if found is not None else address
        if isinstance(whose, int) and found is not None and not found.active:
            return "", "inactive"
        if whose == "customer" and found is not None and name and fold(found.name) != fold(name) and not _is_same(address, before):
            return "", "other_customer"
        if not address:
            return "", NO_ADDRESS[channel]
        if message.kind == "rule" and channel == "email" and address.casefold() in self.unsubscribed:
            return "", "unsubscribed"
        return address, ""


def _by_id(session: Session, query: Any, column: Any, ids: set[Any]) -> dict[int, Any]:
    wanted = ids - {None}
    return {row.id: row for row in session.execute(query.where(column.in_(wanted)))} if wanted else {}


def _is_customers(message: Message) -> bool:
    """Whether it goes to the customer of its order, so that the order says where that is."""
    return message.order_id is not None and (message.layout.get("why") or {}).get("kind") == "customer"


def _is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _to_the_bell(message: Message) -> None:
    """An employee who has asked for no e-mails meanwhile finds the news at the bell, as one who asked before."""
    message.channel, message.account_id, message.note, message.reply_to, message.text = "notice", None, "", "", message.subject


def _drop(message: Message, reason: str) -> None:
    message.state, message.dropped = "cancelled", reason


def _heads(message: Message) -> list[Head]:
    """Who stands in To and Cc; rows of earlier versions name nobody's id."""
    return [[*head, None][:3] for place in ("to", "cc") for head in message.layout.get(place) or ()]


def _write_heads(message: Message, known: _Known) -> None:
    """To and Cc with the addresses of now, without those to whom nothing goes; and where answers go."""
    layout = dict(message.layout)
    for place in ("to", "cc"):
        shown: dict[str, Head] = {}
        for name, address, whose in ([*head, None][:3] for head in layout.get(place) or ()):
            now, reason = known.of_head([name, address, whose], message)
            if not reason:
                shown.setdefault(now.casefold(), [name, now, whose])
        if layout.get(place) is not None:
            layout[place] = list(shown.values())
    if layout != message.layout:
        message.layout = layout
    answers = known.people.get(layout.get("reply_to_id") or 0)
    if answers is not None:
        message.reply_to = answers.email if answers.active else ""


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
        address = known.address_of(one)[0] if one.state == "waiting" else one.address
        if address and goes.setdefault(_identity(one, address), one.id) != one.id and one.id in new:
            _drop(one, "same_address")


def _identity(message: Message, address: str) -> str:
    """The message's key, as it would be with this address."""
    event, channel, rest = message.key.split(":", 2)
    _address, template, copy = rest.rsplit(":", 2)
    return f"{event}:{channel}:{address.casefold()}:{template}:{copy}"
