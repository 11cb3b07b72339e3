"""The channels a message may go by. What sets one apart from the others is said here, once."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kanban.translation import N_, _, ngettext


class TemplateKind(StrEnum):
    """email: with a subject. short: a plain text of SMS, messengers and notices, and a line of a list."""

    EMAIL = "letter"  # as databases of all versions have it
    SHORT = "short"


class AddressKind(StrEnum):
    """Which of somebody's addresses a channel needs. chat: of a messenger. bell: none; it rings for employees only."""

    EMAIL = "email"
    PHONE = "phone"
    CHAT = "chat"
    BELL = "bell"


@dataclass(frozen=True)
class ChannelTraits:
    """action: the code of its action in rules. name: as logs and settings call it. noun: one message. verb: as sentences say it.
    counted: so many messages, in words. by_gateway: by a service that is set up beside the mail accounts. not_set_up: said where
    nothing is."""

    action: str
    name: str
    noun: str
    verb: str
    counted: Callable[[int], str]
    icon: str
    address: AddressKind
    template: TemplateKind = TemplateKind.SHORT
    by_gateway: bool = True
    not_set_up: str = ""


class Channel(StrEnum):
    """chat: a messenger. notice: the bell."""

    EMAIL = "email"
    SMS = "sms"
    CHAT = "chat"
    NOTICE = "notice"

    @property
    def traits(self) -> ChannelTraits:
        match self:
            case Channel.EMAIL:
                return _EMAIL
            case Channel.SMS:
                return _SMS
            case Channel.CHAT:
                return _CHAT
            case Channel.NOTICE:
                return _NOTICE
            case _:
                assert_never(self)

    @property
    def place(self) -> int:
        """Among the channels."""
        return list(Channel).index(self)

    @property
    def label(self) -> str:
        return _(self.traits.name)

    @property
    def noun(self) -> str:
        """One message of it."""
        return _(self.traits.noun)

    @property
    def verb(self) -> str:
        """As the editor offers it, and as a sentence says it."""
        return _(self.traits.verb)

    def counted(self, num: int) -> str:
        """So many messages, in words: «2 письма»."""
        return self.traits.counted(num)


_EMAIL = ChannelTraits(
    "send_email",
    N_("E-mail"),
    N_("E-mail message"),
    N_("send the e-mail"),
    lambda num: ngettext("%(num)d e-mail", "%(num)d e-mails", num),
    "mail",
    AddressKind.EMAIL,
    TemplateKind.EMAIL,
    by_gateway=False,
    not_set_up=N_("No mail account is set up yet: e-mails will not be sent."),
)
_SMS = ChannelTraits(
    "send_sms",
    N_("SMS"),
    N_("SMS"),
    N_("send the SMS"),
    lambda num: ngettext("%(num)d SMS", "%(num)d SMS", num),
    "smartphone",
    AddressKind.PHONE,
    not_set_up=N_("No SMS service is set up yet."),
)
_CHAT = ChannelTraits(
    "send_chat",
    N_("Messenger"),
    N_("Messenger message"),
    N_("send the messenger message"),
    lambda num: ngettext("%(num)d messenger message", "%(num)d messenger messages", num),
    "message-square",
    AddressKind.CHAT,
    not_set_up=N_("No messenger is set up yet."),
)
_NOTICE = ChannelTraits(
    "notify",
    N_("Notice in Potok"),
    N_("Notice"),
    N_("show the notice"),
    lambda num: ngettext("%(num)d notice", "%(num)d notices", num),
    "bell",
    AddressKind.BELL,
    by_gateway=False,
)
GATEWAY_CHANNELS = tuple(channel for channel in Channel if channel.traits.by_gateway)


def template_kind(channel: Channel, *, is_list: bool = False) -> TemplateKind:
    """The kind of template a channel takes; a list has a short line for each order."""
    return TemplateKind.SHORT if is_list else channel.traits.template
