"""How much may leave by an account or a gateway in an hour and a day, and how much has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from rules.models import Delivery, Gateway, MailAccount, Message, Outlet
from rules.transports.gateways import sender_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTED = ("claimed", "started", "sent", "unclear", "unknown")


@dataclass(frozen=True)
class Used:
    """Messages of the last hour and day, and the oldest of each, which frees its place first."""

    hour: int
    day: int
    oldest_of_hour: datetime | None
    oldest_of_day: datetime | None


def used(session: Session, stored: MailAccount | Gateway, now: datetime) -> Used:
    return Used(*session.execute(usage(now).where(*_deliveries_of(stored))).one())


def _deliveries_of(stored: MailAccount | Gateway) -> list[ColumnElement[bool]]:
    """Deliveries name no gateway: they are those of no account, of its name and of its channel."""
    if isinstance(stored, MailAccount):
        return [Delivery.account_id == stored.id]
    of_channel = select(Message.id).where(Message.id == Delivery.message_id, Message.channel == stored.channel).exists()
    return [Delivery.account_id.is_(None), Delivery.sender == sender_of(stored), of_channel]


def usage(now: datetime) -> Select[int, int, datetime, datetime]:
    """The columns of Used. A message counts from when it had left, as the other side counts it: it may have lain claimed before."""
    left_at = func.coalesce(Delivery.ended_at, Delivery.started_at)
    hour_old = left_at > now - HOUR
    return select(func.count().filter(hour_old), func.count(), func.min(left_at).filter(hour_old), func.min(left_at)).where(
        Delivery.started_at > now - DAY - HOUR, left_at > now - DAY, Delivery.outcome.in_(COUNTED)
    )


def allowance(session: Session, stored: MailAccount | Gateway, now: datetime, most: int) -> int:
    """How many messages may leave now, at most `most`. A copy to oneself counts as a message."""
    if not stored.per_hour and not stored.per_day:
        return most
    return within_limits(stored, used(session, stored, now), most)


def within_limits(stored: Outlet, so_far: Used, most: int) -> int:
    """How many messages may leave, at most `most`."""
    limits = ((stored.per_hour, so_far.hour), (stored.per_day, so_far.day))
    return max(0, min([most, *(limit // stored.weight - count for limit, count in limits if limit)]))


def goes_on_at(stored: Outlet, so_far: Used) -> datetime | None:
    """When the next message may leave where a limit is reached; None where none is."""
    ends = []
    if stored.per_hour and so_far.hour >= stored.per_hour // stored.weight and so_far.oldest_of_hour:
        ends.append(so_far.oldest_of_hour + HOUR)
    if stored.per_day and so_far.day >= stored.per_day // stored.weight and so_far.oldest_of_day:
        ends.append(so_far.oldest_of_day + DAY)
    return max(ends, default=None)
