"""From which account a letter goes, and who gets the answers to it: what a send action wishes, on one order.

An action may carry "from": "responsible", or "account:7"; without it the letter goes by the firm's account. "reply_to":
"responsible" or "mover".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.i18n import N_
from kanban.ids import read_id
from kanban.models import Event, Order, Person
from rules.models import MailAccount

REPLY_TO = {"": N_("nobody in particular"), "responsible": N_("the responsible"), "mover": N_("who did it")}
_A = table(MailAccount).c
FIRMS = ("system", "environment")
_ACCOUNTS = (
    select(_A.id, _A.kind, _A.person_id, _A.fall_back, _A.failures, _A.paused_until, table(Person).c.active)
    .outerjoin(table(Person), table(Person).c.id == _A.person_id)
    .where(or_(_A.id.in_(bindparam("ids", expanding=True)), _A.person_id == bindparam("responsible"), _A.kind.in_(FIRMS)))
)


@dataclass(frozen=True)
class Senders:
    """Accounts that a set of actions may send by."""

    responsible_id: int | None = None
    rows: list[Any] = field(default_factory=list)

    def account_of(self, action: Mapping[str, Any], now: datetime) -> tuple[int | None, str]:
        """(account id, note); None: the firm's own. note: "", or why it isn't the one wished for, as Message.note keeps it."""
        wish = action.get("from", "")
        if not wish:
            return None, ""
        own = wish == "responsible"
        is_wished = self._is_responsibles if own else lambda row: row.id == account_id(wish)
        found = next((row for row in self.rows if is_wished(row)), None)
        if found is None or (found.kind == "person" and not found.active):  # who left writes no more letters
            return None, "no_own_account" if own else "account_gone"
        if found.kind in FIRMS:
            return None, ""
        is_failing = found.failures and found.paused_until is not None and found.paused_until > now
        has_firms = any(row.kind in FIRMS for row in self.rows)
        return (None, "own_account_failed") if is_failing and found.fall_back and has_firms else (found.id, "")

    def _is_responsibles(self, row: Any) -> bool:
        return row.person_id is not None and row.person_id == self.responsible_id


def account_id(wish: str) -> int | None:
    """«account:7» → 7."""
    kind, _colon, number = wish.partition(":")
    return read_id(number) if kind == "account" else None


def load_senders(session: Session, actions: Iterable[Mapping[str, Any]], responsible_id: int | None) -> Senders:
    """One SELECT, where any action wishes for an account; none otherwise."""
    wishes = {action["from"] for action in actions if action.get("from")}
    if not wishes:
        return Senders()
    ids = [id_ for wish in wishes if (id_ := account_id(wish)) is not None]
    rows = session.connection().execute(_ACCOUNTS, {"ids": ids, "responsible": responsible_id}).all()
    return Senders(responsible_id, list(rows))


def reply_to_id(action: Mapping[str, Any], order: Order, event: Event) -> int:
    """The person who gets the answers; 0: nobody in particular."""
    return {"responsible": order.responsible_id, "mover": event.actor_id}.get(action.get("reply_to", "")) or 0
