"""What a mail server's answer means for the message, and for the account (RFC 5321, 4.2.1; RFC 3463)."""

import re
import smtplib

from rules.transports import Answer, words
from rules.transports.compose import Unsendable

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LIMIT_PAUSE_S = 3600
MOST_PAUSE_S = 86400
_ENHANCED = re.compile(r"^\d{3}[ -]([245])\.(\d{1,3})\.(\d{1,3})\b")
_LIMIT = re.compile(
    r"rate ?-?limit|sending (?:limit|quota)|(?:daily|hourly|user|account|message|sender)\b.{0,40}\b(?:limit|quota)\b"
    r"|limit (?:has been |is )?exceeded|too many (?:messages|messages|mails|e-?mails|connections|recipients)|sent too many"
    r"|try again (?:later )?in \d|превышен",
    re.I,
)
_RELAY = re.compile(r"relay|authenticat|not (?:permitted|allowed) to send|sender .*(?:reject|not owned|denied)", re.I)
_ASKED = re.compile(r"(?:again|retry|wait|after|через)\D{0,20}?(\d{1,6})\s*(s|sec|m|min|h|d|сек|мин|ч)?", re.I)
_RUSSIAN = {"с": "s", "м": "m", "ч": "h"}
BUSY, TOO_LARGE = 421, 552


def judge(error: Exception, stage: str) -> Answer:
    """stage: where it happened: connect, mail, rcpt, data (before the text was out) or text (after it)."""
    text = words_of(error)
    if isinstance(error, Unsendable):
        return Answer("retry" if error.by_account else "failed", text, by_account=error.by_account)
    if stage == "connect":
        return Answer("retry", text, by_account=True, pause_s=_asked(text))
    if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
        return judge_words(text, stage)
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # a bad certificate is both
        return Answer("failed", f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    return Answer("unclear" if stage == "text" else "retry", text)


def judge_words(text: str, stage: str) -> Answer:
    """«550 5.1.1 No such user» at rcpt → failed; «451 4.7.1 Ratelimit exceeded» → the account waits."""
    code = int(text[:3]) if text[:3].isdigit() else 0
    enhanced = _ENHANCED.match(text)
    subject = int(enhanced[2]) if enhanced else -1
    detail = int(enhanced[3]) if enhanced else -1
    final = Answer("failed" if code >= 500 else "retry", text)
    at_account = Answer("retry", text, by_account=True, pause_s=_asked(text))
    if code == BUSY:
        return at_account
    if stage != "mail" and subject in (1, 2):  # a wrong address, a full or closed mailbox
        return final
    if (subject == 3 and detail == 4) or (code == TOO_LARGE and not enhanced):
        return final
    if (subject == 4 and detail == 5) or _LIMIT.search(text):
        return Answer("retry", text, by_account=True, pause_s=_asked(text) or LIMIT_PAUSE_S)
    if stage == "mail" or (code == 530) or (code >= 500 and stage == "rcpt" and _RELAY.search(text)):
        return at_account
    return final


def _asked(text: str) -> int | None:
    """How long the server asks to be left alone, in seconds; None where it doesn't say."""
    found = _ASKED.search(text[4:])
    if not found:
        return None
    unit = (found[2] or "s")[0].lower()
    return max(1, min(int(found[1]) * SECONDS[_RUSSIAN.get(unit, unit)], MOST_PAUSE_S))


def words_of(error: Exception) -> str:
    """The server's own words where there are any. Never the password: an encoding error would quote a message of it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return words(f"{code} {_decoded(said)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return words(f"{error.smtp_code} {_decoded(error.smtp_error)}")
    if isinstance(error, UnicodeEncodeError):
        return "UnicodeEncodeError: letters outside ASCII in the user name or password"
    return words(str(error)) or type(error).__name__


def _decoded(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
