"""A message as it goes on the wire: headers by rules.transports.headers, bodies by the standard library's email package."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.charset import BASE64, Charset
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime

from kanban import clock
from rules.transports import RenderedMessage
from rules.transports.account import Account
from rules.transports.headers import BadValue, exact, mailboxes, unstructured, wire_address, wire_id

# Bare UTF-8 would have lines longer than SMTP allows (RFC 5321, 4.5.3.1.6).
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = _UTF8.body_encoding = BASE64

_ASCII = policy.SMTP.clone(refold_source="none")  # headers are folded already
_WITH_UTF8 = policy.SMTPUTF8.clone(refold_source="none")
_OPTIONS = ("SMTPUTF8", "BODY=8BITMIME")


class Unsendable(Exception):
    """It can't be sent as it is, and never will. by_account: because of the account, not of the message."""

    def __init__(self, reason: str, *, by_account: bool = False) -> None:
        super().__init__(reason)
        self.by_account = by_account


@dataclass(frozen=True)
class Composed:
    """sender, recipient: the envelope, whoever stands in the heads. options: of MAIL FROM."""

    sender: str
    recipient: str
    content: bytes
    options: tuple[str, ...] = ()


def compose(message: RenderedMessage, account: Account, *, smtputf8: bool = False) -> Composed:
    """smtputf8: whether the server takes addresses with letters outside ASCII before the @ (RFC 6531). Raises Unsendable."""
    recipient, sender = _recipient(message, smtputf8), _sender(account, smtputf8)
    try:
        email = _body(message)
        for name, value in _headers(message, sender, recipient, account, smtputf8).items():
            email[name] = value
    except BadValue as error:
        raise Unsendable(str(error)) from error
    is_utf8 = not all(value.isascii() for value in (sender, recipient, *email.values()))
    content = email.as_bytes(policy=_WITH_UTF8 if is_utf8 else _ASCII)
    return Composed(sender, recipient, content, _OPTIONS if is_utf8 else ())


def _recipient(message: RenderedMessage, smtputf8: bool) -> str:
    try:
        address = wire_address(message.address)
    except BadValue as error:
        raise Unsendable(f"the recipient's address is wrong: {error}") from error
    if not smtputf8 and not address.isascii():
        raise Unsendable("the recipient's address needs SMTPUTF8, which the mail server does not offer")
    return address


def _sender(account: Account, smtputf8: bool) -> str:
    try:
        address = wire_address(account.address)
    except BadValue as error:
        raise Unsendable(f"the account's own address is wrong: {error}", by_account=True) from error
    if not smtputf8 and not address.isascii():
        raise Unsendable("the account's own address needs SMTPUTF8, which the mail server does not offer", by_account=True)
    return address


def _body(message: RenderedMessage) -> Message:
    if not message.html:
        return _part(message.text, "plain")
    both = MIMEMultipart("alternative")
    both.attach(_part(message.text, "plain"))
    both.attach(_part(message.html, "html"))
    return both


def _part(text: str, kind: str) -> Message:
    """Lines end in CRLF before they are encoded (RFC 2045, 6.8)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return MIMEText(lines, kind, _UTF8)  # type: ignore[arg-type]


def _headers(message: RenderedMessage, sender: str, recipient: str, account: Account, smtputf8: bool) -> dict[str, str]:
    headers = {
        "From": mailboxes("From", [(account.sender_name, sender)]),
        "To": mailboxes("To", _shown(message.to, smtputf8) or [(message.name, recipient)]),
        "Cc": mailboxes("Cc", _shown(message.cc, smtputf8)),
        "Reply-To": _reply_to(message, smtputf8),
        "Subject": unstructured("Subject", message.subject),
        "Date": format_datetime(clock.now()),
        "Message-ID": wire_id(message.message_id),
        "X-Potok-Event": str(message.event_id or ""),
        "List-Id": exact(message.list_id),
    }
    if message.thread:
        headers["References"] = headers["In-Reply-To"] = wire_id(message.thread)
    return {name: value for name, value in (headers | _automatic(message)).items() if value}


def _automatic(message: RenderedMessage) -> dict[str, str]:
    """Auto-Submitted (RFC 3834): nobody is to answer it by machine. Exchange wants to be told what in its own words; bounces
    (NDR) are wanted. One click to get no more (RFC 8058)."""
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "Content-Language": exact(message.language),
    }
    if message.unsubscribe:
        headers |= {"List-Unsubscribe": exact(f"<{message.unsubscribe}>"), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _shown(people: Sequence[tuple[str, str]], smtputf8: bool) -> list[tuple[str, str]]:
    """Those who stand in a head. An address that can't be written there costs the reader no message: it becomes a part of the name."""
    shown = []
    for name, address in people:
        try:
            wired = wire_address(address)
        except BadValue:
            wired = ""
        shown.append((name, wired) if wired and (smtputf8 or wired.isascii()) else (f"{name} {address}", ""))
    return shown


def _reply_to(message: RenderedMessage, smtputf8: bool) -> str:
    """ "" where it can't be written: then answers go to the sender."""
    return mailboxes("Reply-To", [one for one in _shown([("", message.reply_to)], smtputf8) if one[1]])
