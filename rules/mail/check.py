"""A mail account checked really: it connects and signs in, sends a letter to itself, and finds it in its mailbox.

Three stages, so that a page can show each as it ends. None raises for what a server or a network does.
"""

import re
import smtplib
import ssl
import time
from dataclasses import dataclass, replace

from flask_babel import format_decimal
from imapclient.exceptions import LoginError

from kanban.i18n import N_, _
from rules.mail.accounts import Account
from rules.mail.steps import Step
from rules.post.transports import Letter, imap
from rules.post.transports.answers import words_of
from rules.post.transports.smtp import Smtp

STAGES = ("sign-in", "letter", "mailbox")
STAGE_NAMES = {"sign-in": N_("Connection and sign-in"), "letter": N_("A letter to itself"), "mailbox": N_("The letter in the mailbox")}
DEADLINE_S = 25.0
ARRIVES_S = 15.0
TEST_ID = re.compile(r"<potok\.test\.[0-9.]{1,30}@[A-Za-z0-9.-]{1,200}>")


@dataclass(frozen=True)
class Checked:
    """answer: what the server said where it refused. username: the one that was let in, where it isn't the one given."""

    steps: tuple[Step, ...]
    is_good: bool
    answer: str = ""
    username: str = ""


def sign_in(account: Account) -> Checked:
    """Connection, certificate, sign-in; where the whole address is refused as user name, the part before the @ is tried."""
    started = time.monotonic()
    error = _sign_in_error(account)
    took = time.monotonic() - started
    if isinstance(error, smtplib.SMTPAuthenticationError) and _has_local_part(account.username, account):
        local = account.username.partition("@")[0]
        if _sign_in_error(replace(account, username=local)) is None:
            signed_in = Step(_("Sign-in"), "true", _("accepted as “%(name)s”", name=local))
            return Checked((*_reached(account, took), signed_in), True, username=local)
    if error is None:
        last = Step(_("Sign-in"), "true", _("accepted")) if account.username else Step(_("Sign-in"), "later", _("none: no user name"))
        return Checked((*_reached(account, took), last), True)
    return Checked(_failed(account, error, took), False, words_of(error))


def _sign_in_error(account: Account) -> Exception | None:
    try:
        with Smtp(account, DEADLINE_S) as smtp:
            smtp.sign_in()
    except Exception as error:
        return error
    return None


def _has_local_part(username: str, account: Account) -> bool:
    return "@" in username and not account.oauth


def _reached(account: Account, took_s: float) -> tuple[Step, ...]:
    return (_connection(account, "true", _seconds(took_s)), _certificate(account.security))


def _connection(account: Account, verdict: str, seen: str) -> Step:
    return Step(_("Connection, %(server)s", server=f"{account.host}:{account.port}"), verdict, seen)


def _certificate(security: str) -> Step:
    if security == "none":
        return Step(_("Encryption"), "false", _("none: everybody on the way can read along"))
    return Step(_("Certificate"), "true", _("valid"))


def _failed(account: Account, error: Exception, took_s: float) -> tuple[Step, ...]:
    """Each step before the one that failed held; those after it were not reached."""
    not_reached = _("not reached")
    if isinstance(error, ssl.SSLError) or "STARTTLS" in str(error):
        good = _connection(account, "true", _seconds(took_s))
        return good, Step(_("Certificate"), "false", _("not accepted")), Step(_("Sign-in"), "later", not_reached)
    if isinstance(error, smtplib.SMTPException | UnicodeError) and not isinstance(
        error, smtplib.SMTPConnectError | smtplib.SMTPServerDisconnected
    ):
        return *_reached(account, took_s), Step(_("Sign-in"), "false", _("refused"))
    return (
        _connection(account, "false", _("no answer")),
        Step(_("Certificate"), "later", not_reached),
        Step(_("Sign-in"), "later", not_reached),
    )


def send_to_self(account: Account, letter: Letter) -> Checked:
    with Smtp(account, DEADLINE_S) as smtp:
        answer = smtp.send(letter)
    is_good = answer.outcome == "sent"
    seen = _("accepted") if is_good else _("refused")
    step = Step(_(STAGE_NAMES["letter"]), "true" if is_good else "false", seen, account.address)
    return Checked((step,), is_good, "" if is_good else answer.text)


def find_in_mailbox(account: Account, message_id: str) -> Checked:
    """Signs in for receiving, with the part before the @ too, and waits for the letter."""
    given = account.receive_username or account.username or account.address
    names = [given] + ([given.partition("@")[0]] if _has_local_part(given, account) else [])
    for name in names:
        try:
            return replace(_found(replace(account, receive_username=name), message_id), username="" if name == given else name)
        except LoginError as error:
            refused: Exception = error
        except imap.ERRORS as error:
            refused = error
            break
    seen = _("sign-in refused") if isinstance(refused, LoginError) else _("no answer")
    step = Step(_receiving(account), "false", seen)
    return Checked((step, Step(_(STAGE_NAMES["mailbox"]), "later", _("not reached"))), False, imap.words_of(refused))


def _found(account: Account, message_id: str) -> Checked:
    started = time.monotonic()
    with imap.reached(account, ARRIVES_S + DEADLINE_S) as client:
        imap.sign_in(client, account)
        folder = imap.look_for(client, message_id, ARRIVES_S)
    took = _seconds(time.monotonic() - started)
    first = Step(_receiving(account), "true", _("accepted"))
    name = _(STAGE_NAMES["mailbox"])
    if not folder:
        late = _("The letter was accepted but is not in the mailbox yet. Look there in a few minutes; if it never comes, ask the provider.")
        return Checked((first, Step(name, "false", _("not yet"), late)), False)
    if folder != "INBOX":
        spam = _("It lies among spam (%(folder)s). Mark it as no spam there; others may find your letters there too.", folder=folder)
        return Checked((first, Step(name, "true", took, spam)), True)
    return Checked((first, Step(name, "true", took)), True)


def _receiving(account: Account) -> str:
    return _("Receiving, %(server)s", server=f"{account.receive_host}:{account.receive_port}")


def _seconds(took: float) -> str:
    return _("%(seconds)s s", seconds=format_decimal(took, "0.0"))
