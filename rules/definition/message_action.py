"""The action that sends a message, by whatever channel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from kanban.errors import Invalid
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, ReferenceKind
from kanban.translation import _
from rules.definition.channels import Channel, template_kind
from rules.definition.delay import Delay
from rules.definition.known import Known
from rules.definition.recipients import AddressRecipient, Recipient, can_reach, read_recipient

MOST_ADDRESSES = 20  # that are typed, in one place


class ReplyTo(StrEnum):
    NOBODY = ""
    RESPONSIBLE = "responsible"
    MOVER = "mover"


class Sender(StrEnum):
    """Whose account an e-mail goes by; beside these there are accounts by their id."""

    COMPANY = ""
    RESPONSIBLE = "responsible"


class Copy(StrEnum):
    CC = "cc"
    BCC = "bcc"


CHANNEL_OF = {channel.traits.action: channel for channel in Channel}


@dataclass(frozen=True)
class SendMessage:
    """cc, bcc, sender and reply_to are of e-mails only. sender: the id of a mail account, or whose."""

    channel: Channel
    template_id: int
    to: tuple[Recipient, ...]
    cc: tuple[Recipient, ...] = ()
    bcc: tuple[Recipient, ...] = ()
    sender: Sender | int = Sender.COMPANY
    reply_to: ReplyTo = ReplyTo.NOBODY
    delay: Delay | None = None

    @property
    def code(self) -> str:
        return self.channel.traits.action

    @property
    def recipients(self) -> Iterator[tuple[Recipient, Copy | None]]:
        """All of them, in order, with what kind of copy each gets."""
        yield from ((recipient, None) for recipient in self.to)
        yield from ((recipient, Copy.CC) for recipient in self.cc)
        yield from ((recipient, Copy.BCC) for recipient in self.bcc)

    @property
    def is_plain(self) -> bool:
        """An e-mail as usual: at once, from the company's account, without copies."""
        plain = replace(self, cc=(), bcc=(), sender=Sender.COMPANY, reply_to=ReplyTo.NOBODY, delay=None)
        return self.channel is Channel.EMAIL and self == plain

    @classmethod
    def read(cls, value: Value, keys: Keys = STORED) -> "SendMessage":
        """Raises Malformed."""

        def several(place: Value) -> tuple[Recipient, ...]:
            return place.several(lambda one: read_recipient(one, keys))

        return cls(
            CHANNEL_OF[value["do"].one_of(CHANNEL_OF)],
            keys.read(ReferenceKind.TEMPLATE, value["template"]),
            several(value["to"]),
            value["cc"].optional(several) or (),
            value["bcc"].optional(several) or (),
            value["from"].optional(lambda sender: _read_sender(sender, keys)) or Sender.COMPANY,
            value["reply_to"].optional(lambda reply: reply.member(ReplyTo)) or ReplyTo.NOBODY,
        )

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        made: JsonObject = {
            "do": self.code,
            "template": keys.write(ReferenceKind.TEMPLATE, self.template_id),
            "to": [one.to_json(keys) for one in self.to],
        }
        wishes: JsonObject = {
            "from": _write_sender(self.sender, keys),
            "reply_to": self.reply_to.value,
            "cc": [one.to_json(keys) for one in self.cc],
            "bcc": [one.to_json(keys) for one in self.bcc],
        }
        return made | {name: wish for name, wish in wishes.items() if wish}

    def validate(self, known: Known, *, is_list: bool = False) -> None:
        """Raises Invalid."""
        if not self.to:
            raise Invalid(_("Choose who gets the message."), "to")
        if known.template_kind(self.template_id) is not template_kind(self.channel, is_list=is_list):
            raise Invalid(_("Choose a message template."), "template")
        if not all(can_reach(recipient, self.channel) for recipient, _copy in self.recipients):
            raise Invalid(_("Customers can't get notices or messenger messages here: choose employees."), "to")
        if self.channel is not Channel.EMAIL and (self.cc or self.bcc):
            raise Invalid(_("Only e-mails can have copies."), "to")
        for place in (self.to, self.cc, self.bcc):
            self._validate_addresses([one.address for one in place if isinstance(one, AddressRecipient)], known)

    def _validate_addresses(self, typed: list[str], known: Known) -> None:
        if len(typed) > MOST_ADDRESSES:
            raise Invalid(_("At most %(most)s addresses are allowed here.", most=MOST_ADDRESSES), "to")
        for address in typed:
            if not known.is_address(self.channel, address):
                raise Invalid(_("This is not a valid address: %(address)s", address=address[:60]), "to")


def _read_sender(value: Value, keys: Keys) -> Sender | int:
    start, colon, which = value.text().partition(":")
    if start != "account" or not colon:
        return value.member(Sender)
    key = int(which) if which.isascii() and which.isdecimal() and len(which) <= 10 else which
    return keys.read(ReferenceKind.ACCOUNT, Value(key, value.place))


def _write_sender(sender: Sender | int, keys: Keys) -> str:
    return sender.value if isinstance(sender, Sender) else f"account:{keys.write(ReferenceKind.ACCOUNT, sender)}"
