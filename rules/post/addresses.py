"""Where a channel reaches somebody: an employee, a customer, or an address that was typed."""

from typing import Protocol, assert_never

from kanban.emails import clean_email
from kanban.errors import Invalid
from kanban.i18n import _
from kanban.people import clean_chat, clean_phone
from kanban.phones import e164
from kanban.settings import country
from rules.definition.channels import AddressKind, Channel
from rules.definition.outcomes import Reason


class Contact(Protocol):
    @property
    def email(self) -> str: ...

    @property
    def phone(self) -> str: ...


class PersonContact(Contact, Protocol):
    @property
    def chat(self) -> str: ...


def address_of(person: PersonContact, channel: Channel) -> str:
    """As the network wants it; "" where there is none, or none that can be dialled."""
    return as_sent(kept_address(person, channel), channel)


def kept_address(person: PersonContact, channel: Channel) -> str:
    """As it was typed. The bell goes by the person; the e-mail address is what the log calls them by."""
    match channel.traits.address:
        case AddressKind.EMAIL | AddressKind.BELL:
            return person.email
        case AddressKind.PHONE:
            return person.phone
        case AddressKind.CHAT:
            return person.chat
        case kind:
            assert_never(kind)


def address_of_customer(customer: Contact, channel: Channel) -> str:
    match channel.traits.address:
        case AddressKind.EMAIL:
            return customer.email
        case AddressKind.PHONE:
            return as_sent(customer.phone, channel)
        case AddressKind.CHAT | AddressKind.BELL:
            return ""
        case kind:
            assert_never(kind)


def as_sent(address: str, channel: Channel) -> str:
    """A kept address as the network wants it."""
    match channel.traits.address:
        case AddressKind.EMAIL | AddressKind.CHAT | AddressKind.BELL:
            return address
        case AddressKind.PHONE:
            return e164(address, country())
        case kind:
            assert_never(kind)


def clean(address: str, channel: Channel) -> str:
    """One that is typed, as it is kept. Raises Invalid."""
    match channel.traits.address:
        case AddressKind.EMAIL:
            return clean_email(address)
        case AddressKind.PHONE:
            return clean_phone(address)
        case AddressKind.CHAT:
            return clean_chat(address)
        case AddressKind.BELL:
            raise Invalid(_("Customers can't get notices or messenger messages here: choose employees."))
        case kind:
            assert_never(kind)


def no_address_reason(channel: Channel) -> Reason:
    """Why somebody without an address of the channel gets nothing."""
    match channel.traits.address:
        case AddressKind.EMAIL:
            return Reason.NO_ADDRESS
        case AddressKind.PHONE:
            return Reason.NO_PHONE
        case AddressKind.CHAT:
            return Reason.NO_CHAT
        case AddressKind.BELL:
            return Reason.NOT_EMPLOYEE
        case kind:
            assert_never(kind)
