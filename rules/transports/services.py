"""The services of SMS and of messengers there are, what each wants to know, and where its secrets go."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from urllib.parse import urlsplit

from kanban.i18n import N_
from rules.definition.channels import GATEWAY_CHANNELS, Channel
from rules.transports.ends import End, end_of


@dataclass(frozen=True)
class GatewayField:
    """What a service wants to know. kind: text, port, url or yes. A secret is never shown again. pattern, wrong: what it has to
    look like, and what is said where it doesn't."""

    name: str
    label: str
    kind: str = "text"
    secret: bool = False
    required: bool = True
    default: str = ""
    hint: str = ""
    pattern: str = ""
    wrong: str = ""


class ServiceKey(StrEnum):
    """As it is stored."""

    SMSC = "smsc"
    SMPP = "smpp"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class GatewayService:
    key: ServiceKey
    name: str
    channels: tuple[Channel, ...]
    fields: tuple[GatewayField, ...]
    hint: str = ""


_LOGIN = GatewayField("login", N_("Login"))
_PASSWORD = GatewayField("password", N_("Password"), secret=True)
_SENDER = GatewayField(
    "sender", N_("Sender name"), required=False, hint=N_("As agreed with the operator. Leave empty to use the service's own.")
)

SERVICES: dict[str, GatewayService] = {
    one.key: one
    for one in (
        GatewayService(ServiceKey.SMSC, "SMSC.ru", (Channel.SMS,), (_LOGIN, _PASSWORD, _SENDER)),
        GatewayService(
            ServiceKey.SMPP,
            "SMPP",
            (Channel.SMS,),
            (
                GatewayField(
                    "host",
                    N_("Server"),
                    pattern=r"[A-Za-z0-9._:-]{1,254}",
                    wrong=N_("Enter only the server name, such as smpp.operator.ru."),
                ),
                GatewayField("port", N_("Port"), "port", default="2775"),
                _LOGIN,
                _PASSWORD,
                GatewayField(
                    "sender",
                    N_("Sender"),
                    hint=N_("A number, or a name of up to 11 Latin characters, as agreed with the operator."),
                    pattern=r"\+?[0-9]{3,15}|[ -~]{1,11}",
                    wrong=N_("Enter a number, or a name of up to 11 Latin characters."),
                ),
                GatewayField("tls", N_("Encrypted connection (TLS)"), "yes", required=False),
            ),
            N_("The protocol mobile operators use themselves; they provide the server, login and sender."),
        ),
        GatewayService(
            ServiceKey.TELEGRAM,
            "Telegram",
            (Channel.CHAT,),
            (
                GatewayField(
                    "token",
                    N_("Bot token"),
                    secret=True,
                    pattern=r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}",
                    wrong=N_("This is not a bot token: it should look like 123456789:AAE…"),
                ),
            ),
            N_("Create a bot with @BotFather, which gives you its token. People have to message the bot first: it can only reply."),
        ),
        GatewayService(
            ServiceKey.WEBHOOK,
            "Webhook",
            GATEWAY_CHANNELS,
            (
                GatewayField("url", N_("Address"), "url", secret=True, hint="https://…"),
                GatewayField("token", N_("Key"), secret=True, required=False, hint=N_("Sent as “Authorization: Bearer …”.")),
            ),
            N_("Your own web address: each message is posted there as JSON with to, name, message and id."),
        ),
    )
}


def services_of(channel: Channel) -> list[GatewayService]:
    return [one for one in SERVICES.values() if channel in one.channels]


def end_of_gateway(service: GatewayService, values: Mapping[str, str]) -> End | None:
    """Where its secrets go; None where the service is always the same one."""
    match service.key:
        case ServiceKey.SMPP:
            return end_of(values.get("host", ""), int(values.get("port") or 0), is_verified=bool(values.get("tls")))
        case ServiceKey.WEBHOOK:
            url = urlsplit(values.get("url", ""))
            return end_of(url.hostname or "", url.port or 0, is_verified=url.scheme == "https")
        case ServiceKey.SMSC | ServiceKey.TELEGRAM:
            return None
        case key:
            assert_never(key)
