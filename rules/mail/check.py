"""A mail account checked really: it connects and signs in, sends a message to itself, and finds it in its mailbox.

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
from rules.mail.steps import DiscoveryStep
from rules.transports import RenderedMessage, imap
from rules.transports.account import Account
from rules.transports.answers import words_of
from rules.transports.smtp import Smtp

STAGES = ("sign-in", "email", "mailbox")
STAGE_NAMES = {"sign-in": N_("Connection and sign-in"), "email": N_("Test e-mail to itself"), "mailbox": N_("The e-mail in the mailbox")}
DEADLINE_S = 25.0
ARRIVES_S = 15.0
TEST_ID = re.compile(r"<potok\.test\.[0-9.]{1,30}@[A-Za-z0-9.-]{1,200}>")


@dataclass(frozen=True)
class Checked:
    """answer: what the server said where it refused. username: the one that was let in, where it isn't the one given."""

    steps: tuple[DiscoveryStep, ...]
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
            signed_in = DiscoveryStep(_("Sign-in"), "true", _("accepted as “%(name)s”", name=local))
            return Checked((*_reached(account, took), signed_in), True, username=local)
    if error is None:
        has_name = bool(account.username)
        last = DiscoveryStep(_("Sign-in"), "true" if has_name else "later", _("accepted") if has_name else _("none: no user name"))
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


def _reached(account: Account, took_s: float) -> tuple[DiscoveryStep, ...]:
    return (_connection(account, "true", _seconds(took_s)), _certificate(account.security))


def _connection(account: Account, verdict: str, seen: str) -> DiscoveryStep:
    return DiscoveryStep(_("Connection, %(server)s", server=f"{account.host}:{account.port}"), verdict, seen)


def _certificate(security: str) -> DiscoveryStep:
    if security == "none":
        return DiscoveryStep(_("Encryption"), "false", _("none: anyone along the way can read it"))
    return DiscoveryStep(_("Certificate"), "true", _("valid"))


def _failed(account: Account, error: Exception, took_s: float) -> tuple[DiscoveryStep, ...]:
    """Each step before the one that failed held; those after it were not reached."""
    not_reached = _("not reached")
    if isinstance(error, ssl.SSLError) or "STARTTLS" in str(error):
        good = _connection(account, "true", _seconds(took_s))
        return good, DiscoveryStep(_("Certificate"), "false", _("not accepted")), DiscoveryStep(_("Sign-in"), "later", not_reached)
    if isinstance(error, smtplib.SMTPException | UnicodeError) and not isinstance(
        error, smtplib.SMTPConnectError | smtplib.SMTPServerDisconnected
    ):
        return *_reached(account, took_s), DiscoveryStep(_("Sign-in"), "false", _("refused"))
    return (
        _connection(account, "false", _("no response")),
        DiscoveryStep(_("Certificate"), "later", not_reached),
        DiscoveryStep(_("Sign-in"), "later", not_reached),
    )


def send_to_self(account: Account, message: RenderedMessage) -> Checked:
    with Smtp(account, DEADLINE_S) as smtp:
        answer = smtp.send(message)
    is_good = answer.outcome == "sent"
    seen = _("accepted") if is_good else _("refused")
    name = STAGE_NAMES["email"]
    step = DiscoveryStep(_(name), "true" if is_good else "false", seen, account.address)
    return Checked((step,), is_good, "" if is_good else answer.text)


def find_in_mailbox(account: Account, message_id: str) -> Checked:
    """Signs in for receiving, with the part before the @ too, and waits for the message."""
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
    seen = _("sign-in refused") if isinstance(refused, LoginError) else _("no response")
    step = DiscoveryStep(_receiving(account), "false", seen)
    return Checked((step, DiscoveryStep(_(STAGE_NAMES["mailbox"]), "later", _("not reached"))), False, imap.words_of(refused))


def _found(account: Account, message_id: str) -> Checked:
    started = time.monotonic()
    with imap.reached(account, ARRIVES_S + DEADLINE_S) as client:
        imap.sign_in(client, account)
        folder = imap.look_for(client, message_id, ARRIVES_S)
    took = _seconds(time.monotonic() - started)
    first = DiscoveryStep(_receiving(account), "true", _("accepted"))
    name = _(STAGE_NAMES["mailbox"])
    if not folder:
        late = _(
            "The e-mail was accepted but is not in the mailbox yet. Check again in a few minutes; if it does not arrive, ask the provider."
        )
        return Checked((first, DiscoveryStep(name, "false", _("not yet"), late)), False)
    if folder != "INBOX":
        spam = _(
            "It is in the spam folder (%(folder)s). Mark it as not spam there; your e-mails may be landing in other people's spam too.",
            folder=folder,
        )
        return Checked((first, DiscoveryStep(name, "true", took, spam)), True)
    return Checked((first, DiscoveryStep(name, "true", took)), True)


def _receiving(account: Account) -> str:
    return _("Receiving, %(server)s", server=f"{account.receive_host}:{account.receive_port}")


def _seconds(took: float) -> str:
    return _("%(seconds)s s", seconds=format_decimal(took, "0.0"))
