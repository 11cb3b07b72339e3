"""SMPP 3.4, the operators' own protocol, by smpplib: one connection, many messages, each with the operator's answer.

Apprise can do SMPP too, but it never reads what the operator answers to a message, so that a refused one would count as sent.
"""

import contextlib
import ssl
from types import TracebackType
from typing import Any

from smpplib import consts, exceptions, gsm
from smpplib.client import Client

from rules.transports import Answer, RenderedMessage
from rules.transports.gateway_answers import SEALED, judge
from rules.transports.gateways import OpenGateway
from rules.transports.services import ServiceKey
from rules.transports.wire import Wire, trusting

SOCKET_S = 10


class _Client(Client):  # type: ignore[misc]
    """smpplib's client on a connection that can be cut."""

    wire: Wire
    gateway: OpenGateway

    def connect(self) -> None:
        bare = self.wire.open(self.host, self.port, self.timeout, self.gateway.name_servers, self.gateway.reach)
        self._socket = _tls(self.gateway).wrap_socket(bare, server_hostname=self.host) if self.gateway.fields.get("tls") else bare
        self.state = consts.SMPP_CLIENT_STATE_OPEN


class Smpp:
    """A Transport."""

    def __init__(self, gateway: OpenGateway, deadline_s: float) -> None:
        self._gateway, self._deadline_s = gateway, deadline_s
        self._wire = Wire()
        self._client: Any = None

    def __enter__(self) -> "Smpp":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception), self._wire.deadline(2):
                self._client.unbind()
        self._drop()

    def send(self, message: RenderedMessage) -> Answer:
        asked = False
        if not self._gateway.fields:
            return SEALED
        try:
            with self._wire.deadline(self._deadline_s):
                client = self._bound()
                asked = True
                return judge(ServiceKey.SMPP, True, self._submit(client, message))
        except Exception as error:  # smpplib raises what a broken answer makes it fail at
            answered = isinstance(error, exceptions.PDUError)
            if not (answered and asked):
                self._drop()
            words = str(error.args[0] if answered else error) or "the server closed the connection"
            return judge(ServiceKey.SMPP, False, words if answered or not asked else f"{words} (closed in the middle)")

    def _submit(self, client: Any, message: RenderedMessage) -> str:
        """Each part waits for its answer, so the parts arrive in order. Raises PDUError where one is refused."""
        parts, coding, kind = gsm.make_parts(message.text)
        ids = []
        for part in parts:
            asked = client.send_message(
                **_sender(self._gateway.fields.get("sender", "")),
                dest_addr_ton=consts.SMPP_TON_INTL,
                dest_addr_npi=consts.SMPP_NPI_ISDN,
                destination_addr=message.address.lstrip("+"),
                short_message=part,
                data_coding=coding,
                esm_class=kind,
            )
            ids.append(_answer_to(client, asked.sequence))
        return f"ESME_ROK {' '.join(ids)}"

    def _bound(self) -> Any:
        if self._client is None:
            fields = self._gateway.fields
            client = _Client(fields["host"], int(fields["port"]), SOCKET_S, allow_unknown_opt_params=True)
            client.wire, client.gateway = self._wire, self._gateway
            client.connect()
            self._client = client
            client.bind_transmitter(system_id=fields["login"], password=fields["password"])
        return self._client

    def _drop(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.disconnect()
        self._wire.let_go()
        self._client = None


def _answer_to(client: Any, sequence: int) -> str:
    """The operator's id of a part. What else the server asks meanwhile is answered."""
    while True:
        pdu = client.read_pdu()
        if pdu.command == "enquire_link":
            client._enquire_link_received(pdu)
        elif pdu.sequence == sequence or pdu.command == "generic_nack":
            if pdu.is_error():
                raise exceptions.PDUError(f"({pdu.status}) {consts.DESCRIPTIONS.get(pdu.status, pdu.command)}")
            return (pdu.message_id or b"").decode("ascii", "replace")


def _sender(name: str) -> dict[str, object]:
    """A number, or a name as the operator agreed to it (3GPP TS 23.040: up to eleven signs)."""
    if name.lstrip("+").isdigit():
        return {"source_addr": name.lstrip("+"), "source_addr_ton": consts.SMPP_TON_INTL, "source_addr_npi": consts.SMPP_NPI_ISDN}
    return {"source_addr": name, "source_addr_ton": consts.SMPP_TON_ALNUM, "source_addr_npi": consts.SMPP_NPI_UNK}


def _tls(gateway: OpenGateway) -> ssl.SSLContext:
    return trusting(gateway.ca_file)
