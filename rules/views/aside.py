"""What stands beside the rule editor: what is imagined for a trial, and the rule's versions with what changed in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.db import db
from kanban.facts import find_field
from kanban.models import Customer, Order, Person
from rules.forms.editor import EditorState
from rules.forms.trial import read_trial
from rules.lookup import Lookup
from rules.models import Rule, RuleVersion
from rules.rules import fields_of, said_in
from rules.words.differences import differences

MOST_ORDERS = 30
MOST_VERSIONS = 20


@dataclass(frozen=True)
class Line:
    """A version. changed: since the one before, as sentences; who: "" where Potok itself wrote it."""

    number: int
    at: datetime
    who: str
    changed: Sequence[str]
    is_first: bool


def aside_values(state: EditorState, rule: Rule | None, lookup: Lookup) -> dict[str, Any]:
    session = db.session()
    field = find_field(state.options.get("field", ""), lookup.role_names) if state.trigger == "field" else None
    return {
        "imagined": read_trial(request.form), "trial_orders": _orders(session, state.board_id), "trial_field": field,
        "versions": versions_of(session, rule, lookup) if rule else [],
    }  # fmt: skip


def _orders(session: Session, board_id: int) -> list[tuple[str, str]]:
    """(number, customer) of the newest."""
    query = select(Order.number, Customer.name).join(Customer, Customer.id == Order.customer_id).where(Order.board_id == board_id)
    return [(number, name) for number, name in session.execute(query.order_by(Order.id.desc()).limit(MOST_ORDERS))]


def versions_of(session: Session, rule: Rule, lookup: Lookup) -> list[Line]:
    """Newest first; one statement."""
    rows = session.execute(
        select(RuleVersion, Person.name)
        .outerjoin(Person, Person.id == RuleVersion.author_id)
        .where(RuleVersion.rule_id == rule.id)
        .order_by(RuleVersion.number.desc())
        .limit(MOST_VERSIONS + 1)
    ).all()
    now = fields_of(rule)
    lines = [
        Line(version.number, version.created_at, name or "", differences(said_in(before, now), said_in(version, now), lookup), False)
        for (version, name), (before, _name) in pairwise(rows)
    ]
    if rows and len(rows) <= MOST_VERSIONS:
        first, name = rows[-1]
        lines.append(Line(first.number, first.created_at, name or "", (), True))
    return lines
