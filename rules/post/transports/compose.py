"""A letter's headers, by flask-mail's Message. Every field is one line, or flask-mail refuses it (BadHeaderError)."""

from email import policy
from email.charset import BASE64, Charset
from email.utils import formataddr
from typing import Any

from flask_mail import Message

from rules.mail.accounts import Account
from rules.post.transports import Letter

# flask-mail would send UTF-8 bodies bare, with lines longer than SMTP allows (RFC 5321, 4.5.3.1.6).
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = _UTF8.body_encoding = BASE64


class Composed(Message):
    """flask-mail's message; where an address has letters outside ASCII before its @, written for SMTPUTF8 (RFC 6532)."""

    is_utf8 = False
    goes_to = ""

    @property
    def send_to(self) -> set[str | tuple[str, str]]:
        """The envelope: one recipient, whoever stands in the heads, and perhaps a copy to the sender."""
        return {self.goes_to, *(self.bcc or ())}

    def as_bytes(self) -> bytes:
        made: Any = self._message()
        return bytes(made.as_bytes(policy=policy.SMTPUTF8.clone(max_line_length=900)) if self.is_utf8 else made.as_bytes())


def compose(letter: Letter, account: Account) -> Composed:
    goes_to = named(letter.name, letter.address)
    message = Composed(
        subject=letter.subject,
        recipients=[named(*one) for one in letter.to] or [goes_to],
        cc=[named(name, "".join(address.split())) for name, address in letter.cc],
        body=letter.text,
        html=letter.html,
        charset=_UTF8,  # type: ignore[arg-type]
        sender=named(account.sender_name, account.address),
        reply_to=letter.reply_to or None,
        extra_headers=_headers(letter),
    )
    message.goes_to = goes_to
    message.msgId = letter.message_id
    shown = [address for _name, address in (*letter.to, *letter.cc)]
    if any(not one.rpartition("@")[0].isascii() for one in (letter.address, account.address, letter.reply_to, *shown)):
        message.is_utf8 = True
        message.mail_options = ["SMTPUTF8", "BODY=8BITMIME"]
    return message


def _headers(letter: Letter) -> dict[str, str]:
    """Auto-Submitted (RFC 3834), one thread an order (RFC 5322, 3.6.4), one click to get no more (RFC 8058)."""
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": letter.language}
    if letter.event_id:
        headers["X-Potok-Event"] = str(letter.event_id)
    if letter.list_id:
        headers["List-Id"] = letter.list_id
    if letter.thread:
        headers |= {"References": letter.thread, "In-Reply-To": letter.thread}
    if letter.unsubscribe:
        headers |= {"List-Unsubscribe": f"<{letter.unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def named(name: str, address: str) -> str:
    """A name is a name, whatever signs it holds: quoted, so that it never reads as another address or an encoded word."""
    name = " ".join(name.split()).replace("=?", "= ?")
    return formataddr((name, address)) if name else address
