"""SMS and messengers by Apprise: one message a call, within a deadline, and what the service said about it."""

import ast
import html
import logging
import re
import threading
from types import TracebackType
from urllib.parse import parse_qsl, quote, urlsplit

from apprise import Apprise, AppriseAsset, AppriseResult, NotifyBase, NotifyFormat
from apprise.exception import AppriseException
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.smsc import NotifySMSC
from apprise.plugins.telegram import NotifyTelegram

from rules.post.gateways import OpenGateway
from rules.post.transports import Answer, Letter
from rules.post.transports.gateway_answers import SEALED, judge

SOCKET_S = 10  # connecting, and between two pieces of an answer
MOST_WORDS = 1000

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

    def send(self, letter: Letter) -> Answer:
        """A thread of its own may be left behind: the libraries below count each read, not the whole."""
        if not self._gateway.fields:
            return SEALED
        try:
            service = service_of(self._gateway, letter)
        except AppriseException as error:
            return Answer("retry", _masked(str(error), self._gateway), by_account=True)
        caller = Apprise(asset=service.asset)
        caller.add(service)
        found: list[AppriseResult] = []
        thread = threading.Thread(target=lambda: found.append(_notify(caller, letter.text)), name="apprise", daemon=True)
        thread.start()
        thread.join(self._deadline_s)
        if not found:
            return Answer("unclear", f"no answer within {self._deadline_s:g} s", by_account=True)
        return judge(self._gateway.service, bool(found[0]), _masked(_words(found[0]), self._gateway))


def service_of(gateway: OpenGateway, letter: Letter) -> NotifyBase:
    """Apprise's own object for a gateway and one recipient. Raises AppriseException where the fields make no sense."""
    fields = gateway.fields
    asset = AppriseAsset(app_id="Potok", http_redirects=False, async_mode=False)
    shared = {"asset": asset, "rto": SOCKET_S, "cto": SOCKET_S}
    if gateway.service == "smsc":
        return NotifySMSC(
            user=quote(fields.get("login", ""), safe=""), password=quote(fields.get("password", ""), safe=""),
            sender=fields.get("sender") or None, targets=[letter.address], **shared,
        )  # fmt: skip
    if gateway.service == "telegram":
        return NotifyTelegram(bot_token=fields.get("token", ""), targets=[letter.address], detect_owner=False, **shared)
    return _webhook(fields.get("url", ""), fields.get("token", ""), letter, shared)


def _webhook(address: str, token: str, letter: Letter, shared: dict[str, object]) -> NotifyJSON:
    """{"to", "name", "message", "id", "version"}: an id that was seen before is a second copy."""
    url = urlsplit(address)
    return NotifyJSON(
        secure=url.scheme == "https", host=f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname, port=url.port,
        user=url.username, password=url.password, fullpath=url.path + (f"?{url.query}" if url.query else ""),
        headers={"Authorization": f"Bearer {token}"} if token else None,
        payload={"to": letter.address, "name": letter.name, "id": letter.message_id, "title": "", "attachments": "", "type": ""},
        **shared,
    )  # fmt: skip


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


def _masked(words: str, gateway: OpenGateway) -> str:
    """Without what must not be seen: a token stands in the address that a connection error names."""
    hidden = {part for secret in gateway.secrets for part in _parts_of(secret)}
    forms = {form for one in hidden for form in (one, quote(one), quote(one, safe=""), html.escape(one))}
    for form in sorted(forms, key=len, reverse=True):
        words = words.replace(form, "•••")
    return words[:MOST_WORDS]


def _parts_of(secret: str) -> list[str]:
    """Of an address all but the host is secret; its short words, such as “api”, give nothing away."""
    if "://" not in secret:
        return [secret]
    url = urlsplit(secret)
    parts = [url.path.strip("/"), url.query, *url.path.split("/"), *(value for _name, value in parse_qsl(url.query)), url.password or ""]
    return [part for part in parts if len(part) > 4]
