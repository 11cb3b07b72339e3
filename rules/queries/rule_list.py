"""The list of rules, and what each did."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from rules.models import Message, Rule


def all_rules(session: Session) -> list[Rule]:
    """By board, with their versions."""
    return list(session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.board_id, Rule.id)))


@dataclass(frozen=True)
class MessageCounts:
    """By rule. sent: what lies in the tray counts too."""

    sent: Counter[int] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)


def message_counts(session: Session, since: datetime) -> MessageCounts:
    counts = MessageCounts()
    rows = session.execute(
        select(Message.rule_id, Message.state, func.count())
        .where(Message.created_at > since, Message.rule_id.is_not(None))
        .group_by(Message.rule_id, Message.state)
    )
    for rule_id, state, count in rows:
        if rule_id is None:
            continue
        if state in ("sent", "tray"):
            counts.sent[rule_id] += count
        elif state == "failed":
            counts.failed[rule_id] += count
    return counts
