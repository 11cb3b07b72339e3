"""The route out of a lane: a mail account, a gateway, the bell, or the tray where none is set; what may leave by it now,
and how it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.settings import setting
from rules.mail import accounts
from rules.mail.by_token import ByToken
from rules.models import Gateway, MailAccount
from rules.post import admin_notices, outbox, pause
from rules.post.admin_notices import AdminNotice
from rules.post.entry import SenderNote
from rules.post.health import is_awake, note_error, note_sent, pause_until
from rules.post.in_flight import Tried
from rules.post.limits import allowance
from rules.post.outbox import Lane
from rules.transports import Transport
from rules.transports.account import Account
from rules.transports.copies import KeepsCopies
from rules.transports.gateways import OpenGateway, find_gateway, open_gateway, sender_of
from rules.transports.notice import Notice
from rules.transports.services import ServiceKey
from rules.transports.smpp import Smpp
from rules.transports.smtp import Smtp
from rules.transports.tray import Tray
from rules.transports.webhook import Webhook

Stored = MailAccount | Gateway
TOLD_AFTER = 4  # refusals in a row: by then it is no hiccup


@dataclass(frozen=True)
class Route:
    """stored: whose limits and health count; None: the bell or the tray. sender: what deliveries say it went by."""

    stored: Stored | None
    sender: str
    open: Callable[[], Transport]

    @property
    def account_id(self) -> int | None:
        return self.stored.id if isinstance(self.stored, MailAccount) else None


def stored_of(session: Session, lane: Lane, config: Config) -> Stored | None:
    if lane.channel != "email":
        return find_gateway(session, lane.channel)
    return session.get(MailAccount, lane.account_id) if lane.account_id else accounts.system_account(session, config)


def route_of(stored: Stored | None, lane: Lane, config: Config) -> Route:
    """Opened for use: with its secrets."""
    deadline_s = config.letter_deadline_s
    if isinstance(stored, MailAccount):
        account = accounts.as_account(stored, config)
        return Route(stored, stored.address, lambda: mail_transport(account, config))
    if stored is not None:
        gateway = open_gateway(stored, config)
        return Route(stored, sender_of(stored), lambda: gateway_transport(gateway, deadline_s))
    return Route(None, "", Notice if lane.channel == "notice" else Tray)


def gateway_transport(gateway: OpenGateway, deadline_s: float) -> Transport:
    match gateway.service:
        case ServiceKey.SMPP:
            return Smpp(gateway, deadline_s)
        case ServiceKey.WEBHOOK:
            return Webhook(gateway, deadline_s)
        case ServiceKey.SMSC | ServiceKey.TELEGRAM:
            from rules.transports.by_apprise import ByApprise  # noqa: PLC0415, 10 MB that few installations need

            return ByApprise(gateway, deadline_s)
        case service:
            assert_never(service)


def mail_transport(account: Account, config: Config) -> Transport:
    """SMTP; where the account wishes so with copies in its Sent folder, and with a token instead of a password."""

    def plain(account: Account) -> Transport:
        kind: type[KeepsCopies] | type[Smtp] = KeepsCopies if account.keep_sent and account.receive_host else Smtp
        return kind(account, config.letter_deadline_s)

    return ByToken(account, config, plain) if account.oauth else plain(account)


def may_leave(session: Session, stored: Stored | None, now: datetime, most: int) -> int:
    """How many messages may leave now, at most `most`: none while the other side asked to be left alone."""
    if stored is None:
        return most
    return allowance(session, stored, now, most) if is_awake(stored, now) else 0


def note_health(session: Session, stored: Stored, lane: Lane, tried: Sequence[Tried], config: Config) -> None:
    """When it last worked; or what it said, until when it is left alone, and who sends in its stead."""
    sent = [one.ended_at for one in tried if one.answer is not None and one.answer.outcome == "sent"]
    if sent:
        note_sent(session, stored, sent[-1])
    bad = next((one for one in reversed(tried) if one.answer is not None and one.answer.by_account), None)
    fresh: Stored | None = session.scalar(_fresh(stored)) if bad else None
    if bad is None or bad.answer is None or fresh is None:
        return
    until = pause_until(fresh.failures, bad.answer.pause_s, bad.ended_at, config.retry_first_s, config.retry_cap_s)
    note_error(session, stored, bad.answer.text, bad.ended_at, until)
    if fresh.failures + 1 == TOLD_AFTER:
        _tell(session, stored, bad.answer.text, bad.ended_at, config)
    before = bad.ended_at - timedelta(seconds=config.retry_for_s)
    if pause.age_from(session, before) == before and pause.pause_of(session) is None:
        outbox.expire(session, lane, before, bad.answer.text)
    has_firms = accounts.system_account(session, config) is not None  # else they would end in the tray
    if lane.account_id is not None and isinstance(fresh, MailAccount) and fresh.fall_back and has_firms:
        outbox.reroute(session, lane.account_id, SenderNote.OWN_ACCOUNT_FAILED)


def _fresh(stored: Stored) -> Select[Any]:
    """Its row, locked: of two workers that fail at once one counts after the other."""
    return select(type(stored)).where(stored.is_row).with_for_update(key_share=True).execution_options(populate_existing=True)


def _tell(session: Session, stored: Stored, error: str, at: datetime, config: Config) -> None:
    """Every administrator, once each time that it falls silent."""
    which, name = (stored.id, stored.address) if isinstance(stored, MailAccount) else (stored.channel, sender_of(stored))
    with force_locale(setting(session, "language")):
        said = _("%(name)s can't send right now: %(error)s. Messages wait and will be retried.", name=name, error=error[:200])
    admin_notices.tell(session, [AdminNotice("account", f"account-{which}-{at.isoformat()}", said)], at, config)
