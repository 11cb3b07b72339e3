"""What stands beside the rule editor: what is imagined for a trial, and the rule's versions with what changed in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from flask import request
from sqlalchemy.orm import Session

from kanban.db import db
from rules.definition.triggers import TriggerKind
from rules.forms.editor import EditorState
from rules.forms.trial import read_trial
from rules.models import Rule
from rules.queries.lookup import RuleLookup
from rules.queries.versions import fields_in, fields_of, newest_versions
from rules.trying.imagined import newest_orders
from rules.words.differences import differences

MOST_VERSIONS = 20


@dataclass(frozen=True)
class VersionLine:
    """A version. changed: since the one before, as sentences; who: "" where Potok itself wrote it."""

    number: int
    at: datetime
    who: str
    changed: Sequence[str]
    is_first: bool


def aside_values(state: EditorState, rule: Rule | None, lookup: RuleLookup) -> dict[str, object]:
    session = db.session()
    is_field = state.trigger is TriggerKind.FIELD_CHANGED
    field = lookup.field(state.options.get("field", ""), state.board_id) if is_field else None
    return {
        "imagined": read_trial(request.form),
        "trial_orders": newest_orders(session, state.board_id),
        "trial_field": field,
        "versions": versions_of(session, rule, lookup) if rule else [],
    }


def versions_of(session: Session, rule: Rule, lookup: RuleLookup) -> list[VersionLine]:
    """Newest first; one statement."""
    rows = newest_versions(session, rule.id, MOST_VERSIONS + 1)
    now = fields_of(rule)
    lines = [
        VersionLine(version.number, version.created_at, name, differences(fields_in(before, now), fields_in(version, now), lookup), False)
        for (version, name), (before, _name) in pairwise(rows)
    ]
    if rows and len(rows) <= MOST_VERSIONS:
        first, name = rows[-1]
        lines.append(VersionLine(first.number, first.created_at, name, (), True))
    return lines
