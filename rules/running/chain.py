"""Changes that rules make, one out of another: in the rule's name, with their cause, and never without an end.

A chain ends at five links, and where a rule comes to the same order a second time. The stop is a note of the run.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kanban.actor import Actor, Cause
from kanban.errors import Refused
from kanban.models import Event
from kanban.settings import setting
from rules.definition.outcomes import Reason
from rules.running import changes
from rules.running.run_draft import RunDraft
from rules.running.savepoint import savepoint
from rules.running.triggered import TriggeredRule

log = logging.getLogger(__name__)

MOST_LINKS = 5


@dataclass(frozen=True)
class Chain:
    """links: (rule, order) of the changes that led to this event, the last one first."""

    session: Session
    event: Event
    links: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, session: Session, event: Event) -> "Chain":
        """By the events' causes: one look-up a link, and none for what a person did."""
        links: list[tuple[int, int]] = []
        cause: Event | None = event
        while cause is not None and cause.cause_event_id is not None and len(links) <= MOST_LINKS:
            if cause.cause_rule_id is not None:
                links.append((cause.cause_rule_id, cause.order_id))
            cause = session.get(Event, cause.cause_event_id)
        return cls(session, event, tuple(links))

    def change(self, rule: TriggeredRule, run: RunDraft, values: Mapping[str, str]) -> None:
        """The rule's changes in their order. One that can't be made is a note, and the next goes on."""
        for action in rule.version.changes:
            if (rule.id, self.event.order_id) in self.links or len(self.links) >= MOST_LINKS:
                run.note(Reason.LOOP if len(self.links) < MOST_LINKS else Reason.TOO_DEEP, action.code)
                return
            try:
                with savepoint(self.session):
                    changes.apply(changes.ChangeContext(self.session, self._actor(rule), self.event.order_id, values), action)
            except Refused as refused:
                run.note(Reason.CHANGE_REFUSED, str(refused.reason)[:300])
            except Exception as error:
                log.exception("rule %s could not change order %s", rule.id, self.event.order_id)
                run.note(Reason.CHANGE_FAILED, type(error).__name__)
            else:
                run.note(Reason.CHANGED, action.code)

    def _actor(self, rule: TriggeredRule) -> Actor:
        language = setting(self.session, "language")
        return Actor(0, rule.name, "", "admin", language, "slate", (), Cause(self.event.id, rule.id))
