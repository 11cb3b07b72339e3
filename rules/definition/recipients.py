"""Who gets a message, as a rule names them. Resolved on an order by rules.running.recipients."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, ReferenceKind
from rules.definition.channels import AddressKind, Channel


class Relation(StrEnum):
    """What somebody is to the order. previous: who was responsible before the event. mover: who did it."""

    RESPONSIBLE = "responsible"
    PREVIOUS = "previous"
    AUTHOR = "author"
    MOVER = "mover"
    CUSTOMER = "customer"


@dataclass(frozen=True)
class RoleRecipient:
    """Who stands for the role on the order. everyone: all who hold it, however many they are, where nobody on the order does."""

    role_id: int
    everyone: bool = False
    kind = "role"

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"kind": self.kind, "id": keys.write(ReferenceKind.ROLE, self.role_id)} | ({"many": True} if self.everyone else {})


@dataclass(frozen=True)
class PersonRecipient:
    person_id: int
    kind = "person"

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"kind": self.kind, "id": keys.write(ReferenceKind.PERSON, self.person_id)}


@dataclass(frozen=True)
class AddressRecipient:
    """address: of the action's channel."""

    address: str
    kind = "address"

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"kind": self.kind, "address": self.address}


@dataclass(frozen=True)
class RelatedRecipient:
    relation: Relation

    @property
    def kind(self) -> str:
        return self.relation.value

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"kind": self.kind}


Recipient = RoleRecipient | PersonRecipient | AddressRecipient | RelatedRecipient
RECIPIENT_KINDS = ("role", "person", *Relation, "address")


def read_recipient(value: Value, keys: Keys = STORED) -> Recipient:
    """Raises Malformed."""
    match value["kind"].one_of(RECIPIENT_KINDS):
        case "role":
            return RoleRecipient(keys.read(ReferenceKind.ROLE, value["id"]), value["many"].flag())
        case "person":
            return PersonRecipient(keys.read(ReferenceKind.PERSON, value["id"]))
        case "address":
            return AddressRecipient(value["address"].text())
        case relation:
            return RelatedRecipient(Relation(relation))


def takes_addresses(channel: Channel) -> bool:
    """Whether one can be typed."""
    return can_reach(AddressRecipient(""), channel)


def can_reach(recipient: Recipient, channel: Channel) -> bool:
    """Nobody knows a customer's messenger, and the bell rings for employees only."""
    is_customer = recipient == RelatedRecipient(Relation.CUSTOMER)
    match channel.traits.address:
        case AddressKind.EMAIL | AddressKind.PHONE:
            return True
        case AddressKind.CHAT:
            return not is_customer
        case AddressKind.BELL:
            return not (is_customer or isinstance(recipient, AddressRecipient))
        case kind:
            assert_never(kind)
