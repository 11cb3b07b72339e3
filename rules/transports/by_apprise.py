"""SMS and messengers by Apprise: one message a call, within a deadline, and what the service said about it."""

import ast
import logging
import re
import threading
from types import TracebackType
from typing import assert_never
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, AppriseResult, NotifyBase, NotifyFormat
from apprise.exception import AppriseException
from apprise.plugins.smsc import NotifySMSC
from apprise.plugins.telegram import NotifyTelegram

from rules.transports import Answer, RenderedMessage
from rules.transports.gateway_answers import SEALED, judge
from rules.transports.gateways import OpenGateway
from rules.transports.masked import masked
from rules.transports.services import ServiceKey

SOCKET_S = 10  # connecting, and between two pieces of an answer

# What Apprise logs becomes the answer. It goes no further: at this level it tells passwords.
_logger = logging.getLogger("apprise")
_logger.setLevel(logging.DEBUG)
_logger.propagate = False

_TOLD = re.compile(r"(Socket Exception|Response Details):\s*(.*)", re.S)


class ByApprise:
    """A Transport. It keeps no connection: each service is asked anew for each message."""

    def __init__(self, gateway: OpenGateway, deadline_s: float) -> None:
        self._gateway, self._deadline_s = gateway, deadline_s

    def __enter__(self) -> "ByApprise":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def send(self, message: RenderedMessage) -> Answer:
        """A thread of its own may be left behind: the libraries below count each read, not the whole."""
        if not self._gateway.fields:
            return SEALED
        try:
            service = service_of(self._gateway, message)
        except AppriseException as error:
            return Answer("retry", masked(str(error), self._gateway), by_account=True)
        caller = Apprise(asset=service.asset)
        caller.add(service)
        found: list[AppriseResult] = []
        thread = threading.Thread(target=lambda: found.append(_notify(caller, message.text)), name="apprise", daemon=True)
        thread.start()
        thread.join(self._deadline_s)
        if not found:
            return Answer("unclear", f"no answer within {self._deadline_s:g} s", by_account=True)
        return judge(self._gateway.service, bool(found[0]), masked(_words(found[0]), self._gateway))


def service_of(gateway: OpenGateway, message: RenderedMessage) -> NotifyBase:
    """Apprise's own object for a gateway and one recipient. Raises AppriseException where the fields make no sense."""
    fields = gateway.fields
    asset = AppriseAsset(app_id="Potok", http_redirects=False, async_mode=False)
    shared = {"asset": asset, "rto": SOCKET_S, "cto": SOCKET_S}
    match gateway.service:
        case ServiceKey.SMSC:
            return NotifySMSC(
                user=quote(fields.get("login", ""), safe=""),
                password=quote(fields.get("password", ""), safe=""),
                sender=fields.get("sender") or None,
                targets=[message.address],
                **shared,
            )
        case ServiceKey.TELEGRAM:
            return NotifyTelegram(bot_token=fields.get("token", ""), targets=[message.address], detect_owner=False, **shared)
        case ServiceKey.SMPP | ServiceKey.WEBHOOK:
            raise AppriseException(f"{gateway.service} does not go by Apprise")
        case service:
            assert_never(service)


def _notify(caller: Apprise, text: str) -> AppriseResult:
    return caller.notify(text, body_format=NotifyFormat.TEXT, log_level=logging.DEBUG)


def _words(result: AppriseResult) -> str:
    """The last line that says how it ended, and what stood behind it."""
    entries = [entry for service in result for attempt in service.attempts for entry in attempt.logs]
    ends = [entry.message for entry in entries if entry.level != "DEBUG"]
    behind = [_plain(told[2]) for entry in entries if entry.level == "DEBUG" and (told := _TOLD.match(entry.message))]
    return " ".join(" ".join([*ends[-1:], *behind[-1:]]).split())


def _plain(told: str) -> str:
    """Apprise logs a body as Python writes bytes."""
    if not told.startswith(("b'", 'b"')):
        return told
    return bytes(ast.literal_eval(told)).decode("utf-8", "replace")
