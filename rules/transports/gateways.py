"""Gateways: stored ones, and one opened with its secrets for a transport."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kanban.config import Config
from rules.definition.channels import Channel
from rules.models import Gateway
from rules.seal import seal, unseal
from rules.transports.reach import NOWHERE_INSIDE, Reach, reach_of
from rules.transports.services import SERVICES, ServiceKey


@dataclass(frozen=True)
class OpenGateway:
    """A gateway with its secrets, for a transport."""

    channel: Channel
    service: ServiceKey
    fields: Mapping[str, str] = field(repr=False)
    ca_file: str = ""
    name_servers: str = ""
    reach: Reach = NOWHERE_INSIDE

    @property
    def secrets(self) -> list[str]:
        """What must not be seen in an answer."""
        return [self.fields[one.name] for one in SERVICES[self.service].fields if one.secret and self.fields.get(one.name)]


def find_gateway(session: Session, channel: Channel) -> Gateway | None:
    return session.get(Gateway, channel)


def open_gateway(stored: Gateway, config: Config) -> OpenGateway:
    return OpenGateway(
        Channel(stored.channel),
        ServiceKey(stored.service),
        fields_of(stored, config),
        config.smtp_ca_file,
        config.dns_servers,
        reach_of(config),
    )


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
