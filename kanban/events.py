"""History is written here, and only here; who else wants to know is told by `listeners`, which app.py sets."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from sqlalchemy import CursorResult, insert
from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.db import table
from kanban.facts import Facts
from kanban.live import publish
from kanban.models import Event, Order, Status
from kanban.transactions import after_commit


class Countable(Protocol):
    """A channel, as far as it is known here. place: among the channels."""

    @property
    def place(self) -> int: ...

    def counted(self, num: int, /) -> str:
        """So many messages, in words."""


@dataclass(frozen=True)
class Told:
    """Messages by channel, and the names of those they go to, each once. A hidden copy is counted, and not named."""

    counts: tuple[tuple[Countable, int], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return sum(num for _channel, num in self.counts)

    def __add__(self, other: "Told") -> "Told":
        counts = Counter(dict(self.counts))
        counts.update(dict(other.counts))
        by_channel = sorted(counts.items(), key=lambda one: one[0].place)
        return Told(tuple(by_channel), tuple(dict.fromkeys(self.names + other.names)))


NOBODY = Told()


@dataclass(frozen=True)
class Outcome:
    """What a listener answers to an event: the messages it caused, and for how many seconds they wait; 0: they may have gone."""

    told: Told = NOBODY
    window_s: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.told + other.told, max(self.window_s, other.window_s))

    @property
    def messages(self) -> int:
        """How many messages, by whatever channel."""
        return self.told.count


@dataclass(frozen=True)
class Undone:
    """What a listener answers to an undo: messages that were cancelled, or those that had gone already."""

    cancelled: Told = NOBODY
    gone: Told = NOBODY


@dataclass
class Listeners:
    """What else happens with an order's events; app.py sets it. Each runs inside the transaction of the change and must not raise.

    topics_of_turn: what is out of date where orders end or begin anew. after_undo: what these events had caused goes with them.
    on_removal: what is still to be sent about the order, or done with it, is not. foresee: what a move into a status would send.
    """

    on_event: Callable[[Session, Event, Order], Outcome] = field(default=lambda session, event, order: Outcome())
    on_undo: Callable[[Session, Event], Undone] = field(default=lambda session, event: Undone())
    outcome_of: Callable[[Session, Event], Outcome] = field(default=lambda session, event: Outcome())
    topics_of_turn: Callable[[Session, Collection[int]], tuple[str, ...]] = field(default=lambda session, order_ids: ())
    after_undo: Callable[[Session, Collection[int]], None] = field(default=lambda session, event_ids: None)
    on_removal: Callable[[Session, int], None] = field(default=lambda session, order_id: None)
    foresee: Callable[[Session, Actor, Order, Status], Outcome] = field(default=lambda session, actor, order, status: Outcome())


listeners = Listeners()
log = logging.getLogger("potok.events")
_RECORD = insert(table(Event))


@dataclass(frozen=True)
class Recorded:
    event: Event
    outcome: Outcome


def record(
    session: Session,
    order: Order,
    kind: str,
    actor: Actor | None,
    *,
    facts: Facts,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    key: str | None = None,
    undoes: Event | None = None,
    quiet: bool = False,
    topics: tuple[str, ...] = (),
) -> Recorded:
    """Writes the event and the change, and tells the listeners, unless `quiet` (a clean undo fires no rules)."""
    cause = actor.cause if actor else None
    values = {
        "kind": kind,
        "board_id": order.board_id,
        "order_id": order.id,
        "actor_id": actor.id or None if actor else None,
        "actor_name": actor.name if actor else "",
        "before": before or {},
        "after": after or {},
        "facts": facts.to_json(),
        "key": key or None,
        "undoes_id": undoes.id if undoes else None,
        "at": clock.now(),
        "cause_event_id": cause.event_id if cause else None,
        "cause_rule_id": cause.rule_id if cause else None,
    }
    session.flush()
    made = session.connection().execute(_RECORD, values)
    event = Event(**values, id=_new_id(made))  # a plain object: it was written here, and never changes
    publish(session, f"card-{order.id}", f"order-{order.id}", *topics)
    after_commit(session, partial(_log, event))
    return Recorded(event, Outcome() if quiet else listeners.on_event(session, event, order))


def _log(event: Event) -> None:
    log.info(
        "%s",
        event.kind,
        extra={
            "event": event.id,
            "order": event.order_id,
            "board": event.board_id,
            "person": event.actor_id,
            "rule": event.cause_rule_id,
        },
    )


def _new_id(made: CursorResult[Any]) -> int:
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])
