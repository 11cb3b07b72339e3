"""Gateways as they are used: the services there are, their fields, a gateway opened for sending, held to its limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.i18n import N_
from rules.mail.accounts import Used, seal, unseal, used_by
from rules.mail.ends import End, end_of
from rules.mail.reach import NOWHERE_INSIDE, Reach, reach_of
from rules.models import Delivery, Gateway, Message

GATEWAY_CHANNELS = ("sms", "chat")


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


@dataclass(frozen=True)
class Service:
    key: str
    name: str
    channels: tuple[str, ...]
    fields: tuple[GatewayField, ...]
    hint: str = ""


_LOGIN = GatewayField("login", N_("Login"))
_PASSWORD = GatewayField("password", N_("Password"), secret=True)
_SENDER = GatewayField("sender", N_("Sender's name"), required=False, hint=N_("As agreed with the operator; empty: the service's own."))

SERVICES = {
    one.key: one
    for one in (
        Service("smsc", "SMSC.ru", ("sms",), (_LOGIN, _PASSWORD, _SENDER)),
        Service(
            "smpp", "SMPP", ("sms",),
            (
                GatewayField(
                    "host", N_("Server"), pattern=r"[A-Za-z0-9._:-]{1,254}",
                    wrong=N_("Write the server's name only, such as smpp.operator.ru."),
                ),
                GatewayField("port", N_("Port"), "port", default="2775"), _LOGIN, _PASSWORD,
                GatewayField(
                    "sender", N_("Sender"), hint=N_("A number, or a name of up to 11 Latin letters as agreed with the operator."),
                    pattern=r"\+?[0-9]{3,15}|[ -~]{1,11}", wrong=N_("Write a number, or a name of up to 11 Latin letters."),
                ),
                GatewayField("tls", N_("Encrypted connection (TLS)"), "yes", required=False),
            ),
            N_("The protocol of mobile operators themselves; they give server, login and sender."),
        ),
        Service(
            "telegram", "Telegram", ("chat",),
            (
                GatewayField(
                    "token", N_("Token of the bot"), secret=True, pattern=r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}",
                    wrong=N_("This is no token of a bot: it looks like 123456789:AAE…"),
                ),
            ),
            N_("@BotFather makes a bot and gives its token. A person has to write to the bot first: it may only answer."),
        ),
        Service(
            "webhook", "Webhook", ("sms", "chat"),
            (
                GatewayField("url", N_("Address"), "url", secret=True, hint="https://…"),
                GatewayField("token", N_("Key"), secret=True, required=False, hint=N_("Sent as “Authorization: Bearer …”.")),
            ),
            N_("A web address of your own: each message is posted there as JSON with to, name, message and id."),
        ),
    )
}  # fmt: skip


def services_of(channel: str) -> list[Service]:
    return [one for one in SERVICES.values() if channel in one.channels]


@dataclass(frozen=True)
class OpenGateway:
    """A gateway with its secrets, for a transport."""

    channel: str
    service: str
    fields: Mapping[str, str] = field(repr=False)
    ca_file: str = ""
    name_servers: str = ""
    reach: Reach = NOWHERE_INSIDE

    @property
    def secrets(self) -> list[str]:
        """What must not be seen in an answer."""
        return [self.fields[one.name] for one in SERVICES[self.service].fields if one.secret and self.fields.get(one.name)]


def end_of_gateway(service: Service, values: Mapping[str, str]) -> End | None:
    """Where its secrets go; None where the service is always the same one."""
    if service.key == "smpp":
        return end_of(values.get("host", ""), int(values.get("port") or 0), is_verified=bool(values.get("tls")))
    if service.key == "webhook":
        url = urlsplit(values.get("url", ""))
        return end_of(url.hostname or "", url.port or 0, is_verified=url.scheme == "https")
    return None


def find_gateway(session: Session, channel: str) -> Gateway | None:
    return session.get(Gateway, channel)


def open_gateway(stored: Gateway, config: Config) -> OpenGateway:
    return OpenGateway(stored.channel, stored.service, fields_of(stored, config), config.smtp_ca_file, config.dns_servers, reach_of(config))


def fields_of(stored: Gateway, config: Config) -> dict[str, str]:
    """What was saved; {} where it was sealed with another key."""
    opened = unseal(stored.sealed_fields, config.seal_key)
    values: dict[str, Any] = json.loads(opened) if opened else {}
    return {name: str(value) for name, value in values.items()}


def sealed(values: Mapping[str, str], config: Config) -> str:
    return seal(json.dumps(dict(values)), config.seal_key)


def sender_of(stored: Gateway) -> str:
    """What a delivery calls it, in any language."""
    return SERVICES[stored.service].name


def gateway_used(session: Session, stored: Gateway, now: datetime) -> Used:
    """Deliveries name no gateway: they are those of no account, of its name and of its channel."""
    of_channel = select(Message.id).where(Message.id == Delivery.message_id, Message.channel == stored.channel).exists()
    return used_by(session, now, Delivery.account_id.is_(None), Delivery.sender == sender_of(stored), of_channel)
