"""Changes that rules make, one out of another: in the rule's name, with their cause, and never without an end.

A chain ends at five links, and where a rule comes to the same order a second time. The stop is a note of the run.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kanban.actor import Actor, Cause
from kanban.errors import Refused
from kanban.models import Event
from kanban.settings import setting
from rules.running import changes
from rules.running.savepoint import savepoint
from rules.running.woken import Woken

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
        one: Event | None = event
        while one is not None and one.cause_event_id is not None and len(links) <= MOST_LINKS:
            if one.cause_rule_id is not None:
                links.append((one.cause_rule_id, one.order_id))
            one = session.get(Event, one.cause_event_id)
        return cls(session, event, tuple(links))

    def change(self, rule: Woken, run: dict[str, Any], values: Mapping[str, str]) -> None:
        """The rule's changes in their order. One that can't be made is a note, and the next goes on."""
        for action in rule.said.changes:
            if (rule.id, self.event.order_id) in self.links or len(self.links) >= MOST_LINKS:
                _note(run, "stopped", "loop" if len(self.links) < MOST_LINKS else "too_deep", action["do"])
                return
            try:
                with savepoint(self.session):
                    changes.apply(changes.Change(self.session, self._actor(rule), self.event.order_id, action, values))
            except Refused as refused:
                _note(run, "failed", "change_refused", str(refused.reason)[:300])
            except Exception as error:
                log.exception("rule %s could not change order %s", rule.id, self.event.order_id)
                _note(run, "failed", "change_failed", type(error).__name__)
            else:
                run["notes"].append({"why": "changed", "name": action["do"]})
                run["outcome"] = "done" if run["outcome"] == "nobody" else run["outcome"]

    def _actor(self, rule: Woken) -> Actor:
        language = setting(self.session, "language")
        return Actor(0, rule.name, "", "admin", language, "slate", (), Cause(self.event.id, rule.id))


def _note(run: dict[str, Any], outcome: str, why: str, name: str) -> None:
    run["outcome"] = outcome
    run["notes"].append({"why": why, "name": name})
