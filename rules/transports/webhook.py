"""A web address of the firm's own: each message is posted there as JSON, over a connection that can be cut and leads where it may."""

import base64
import contextlib
import http.client
import json
from types import TracebackType
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from rules.transports import Answer, RenderedMessage, words
from rules.transports.gateway_answers import SEALED, judge
from rules.transports.gateways import OpenGateway
from rules.transports.masked import masked
from rules.transports.services import ServiceKey
from rules.transports.wire import Bounded, Wire, trusting

SOCKET_S = 10
MOST_READ, MOST_SHOWN = 64_000, 200


class Webhook:
    """A Transport. {"version", "to", "name", "message", "id"}: an id that was seen before is a second copy. Redirects are not followed."""

    def __init__(self, gateway: OpenGateway, deadline_s: float) -> None:
        self._gateway, self._deadline_s = gateway, deadline_s

    def __enter__(self) -> "Webhook":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def send(self, message: RenderedMessage) -> Answer:
        if not self._gateway.fields:
            return SEALED
        url, wire, is_asked = urlsplit(self._gateway.fields.get("url", "")), Wire(), False
        try:
            with wire.deadline(self._deadline_s), contextlib.closing(self._connected(url, wire)) as connection:
                is_asked = True
                status, said = _post(connection, url, self._gateway.fields.get("token", ""), message)
        except (OSError, http.client.HTTPException, ValueError) as error:
            told = masked(str(error) or type(error).__name__, self._gateway)
            return judge(ServiceKey.WEBHOOK, False, f"{told} (closed in the middle)" if is_asked else told)
        finally:
            wire.cut()
            wire.let_go()
        is_taken = 200 <= status < 300
        told = masked(f"{status} {said}" if is_taken else f"error={status} {said}", self._gateway)
        return judge(ServiceKey.WEBHOOK, is_taken, told[:MOST_SHOWN])

    def _connected(self, url: SplitResult, wire: Wire) -> http.client.HTTPConnection:
        is_tls = url.scheme == "https"
        host, port = url.hostname or "", url.port or (443 if is_tls else 80)
        bare = wire.open(host, port, SOCKET_S, self._gateway.name_servers, self._gateway.reach)
        connection = http.client.HTTPConnection(host, port, timeout=SOCKET_S)
        connection.sock = trusting(self._gateway.ca_file).wrap_socket(bare, server_hostname=host) if is_tls else bare
        return connection


def _post(connection: http.client.HTTPConnection, url: SplitResult, token: str, message: RenderedMessage) -> tuple[int, str]:
    """(status, what was said)"""
    body = {"version": "1.0", "to": message.address, "name": message.name, "message": message.text, "id": message.message_id}
    headers = {"Content-Type": "application/json", "User-Agent": "Potok", "Connection": "close"}
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection.request("POST", path, json.dumps(body).encode(), headers)
    answer: Any = connection.getresponse()
    answer.fp = Bounded(answer.fp, 2 * MOST_READ)
    return int(answer.status), words(answer.read(MOST_READ))
