"""From which account an e-mail goes, and who gets the answers to it: what an action wishes, on one order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, assert_never

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Event, Order, Person
from rules.definition.message_action import ReplyTo, Sender, SendMessage
from rules.models import MailAccount
from rules.post.entry import SenderNote

_A = table(MailAccount).c
FIRMS = ("system", "environment")
_ACCOUNTS = (
    select(_A.id, _A.kind, _A.person_id, _A.fall_back, _A.failures, _A.paused_until, table(Person).c.active)
    .outerjoin(table(Person), table(Person).c.id == _A.person_id)
    .where(or_(_A.id.in_(bindparam("ids", expanding=True)), _A.person_id == bindparam("responsible"), _A.kind.in_(FIRMS)))
)


class SenderRow(NamedTuple):
    """An account. is_active: its employee, where it is one's own."""

    id: int
    kind: str
    person_id: int | None
    fall_back: bool
    failures: int
    paused_until: datetime | None
    is_active: bool | None


@dataclass(frozen=True)
class Senders:
    """Accounts that a set of actions may send by."""

    responsible_id: int | None = None
    rows: Sequence[SenderRow] = ()

    def account_of(self, sender: Sender | int, now: datetime) -> tuple[int | None, SenderNote]:
        """(account id, why it isn't the one wished for). None: the company's own."""
        if sender is Sender.COMPANY:
            return None, SenderNote.NONE
        is_own = sender is Sender.RESPONSIBLE
        found = next((row for row in self.rows if (self._is_responsibles(row) if is_own else row.id == sender)), None)
        if found is None or (found.kind == "person" and not found.is_active):  # who left writes no more e-mails
            return None, SenderNote.NO_OWN_ACCOUNT if is_own else SenderNote.ACCOUNT_GONE
        if found.kind in FIRMS:
            return None, SenderNote.NONE
        is_failing = found.failures and found.paused_until is not None and found.paused_until > now
        has_firms = any(row.kind in FIRMS for row in self.rows)
        if is_failing and found.fall_back and has_firms:
            return None, SenderNote.OWN_ACCOUNT_FAILED
        return found.id, SenderNote.NONE

    def _is_responsibles(self, row: SenderRow) -> bool:
        return row.person_id is not None and row.person_id == self.responsible_id


def load_senders(session: Session, actions: Iterable[SendMessage], responsible_id: int | None) -> Senders:
    """One SELECT, where any action wishes for an account; none otherwise."""
    wishes = {action.sender for action in actions if action.sender is not Sender.COMPANY}
    if not wishes:
        return Senders()
    ids = [wish for wish in wishes if isinstance(wish, int)]
    rows = session.connection().execute(_ACCOUNTS, {"ids": ids, "responsible": responsible_id}).all()
    return Senders(responsible_id, [SenderRow(*row) for row in rows])


def reply_to_id(action: SendMessage, order: Order, event: Event) -> int | None:
    """The person who gets the answers; None: nobody in particular."""
    match action.reply_to:
        case ReplyTo.RESPONSIBLE:
            return order.responsible_id
        case ReplyTo.MOVER:
            return event.actor_id
        case ReplyTo.NOBODY:
            return None
        case _:
            assert_never(action.reply_to)
