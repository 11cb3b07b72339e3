"""Which rules an event triggers, and whether it is what they wait for. Pure: facts and a trigger in, keys or a yes out."""

from collections.abc import Iterable
from typing import NamedTuple, assert_never

from kanban.facts import Facts
from rules.definition.triggers import (
    AllLinked,
    ByHand,
    Commented,
    DateNears,
    Entered,
    FieldChanged,
    Idle,
    Left,
    LinkedEntered,
    Paid,
    Placed,
    StatusChanged,
    Stays,
    Trigger,
    Weekly,
)


class Happened(NamedTuple):
    """An event, as far as triggers look at it. before_id, after_id: the statuses of a move."""

    kind: str
    board_id: int
    before_id: int | None
    after_id: int | None
    facts: Facts


def trigger_keys(event: Happened) -> list[str]:
    """The keys of the rules an event triggers. «Entered» includes being placed in a status."""
    board, facts, keys = event.board_id, event.facts, []
    match event.kind:
        case "order.placed":
            keys = [f"placed:{board}", f"entered:{event.after_id}", f"paid:{board}"]
        case "order.moved":
            keys = [f"changed:{board}", f"left:{event.before_id}", f"entered:{event.after_id}"]
        case "order.changed" | "order.blocked" | "order.unblocked":
            was = facts.was or {}
            keys = [f"field:{board}:{name}" for name in was] + ([f"paid:{board}"] if {"paid", "total"} & was.keys() else [])
        case "order.linked" if facts.linked_by is not None:
            keys = [f"linked:{facts.linked_by.status_id}", f"all_linked:{board}:{facts.linked_by.phase}"]
        case "order.commented":
            keys = [f"commented:{board}"]
        case "order.due" | "order.asked":
            keys = [f"rule:{facts.rule_id}"]
    return keys


def keys_of_linked(event: Happened, boards: Iterable[int]) -> list[str]:
    """Keys of rules about orders of other boards, which an order that enters a status may trigger."""
    if event.kind not in ("order.placed", "order.moved"):
        return []
    return [f"linked:{event.after_id}", *(f"all_linked:{board}:{event.facts.phase}" for board in boards)]


def trigger_key(trigger: Trigger, rule_id: int, board_id: int) -> str:
    """The key a rule is found by."""
    match trigger:
        case DateNears() | Stays() | Idle() | Weekly() | ByHand():
            return f"rule:{rule_id}"
        case Entered() | Left() | LinkedEntered():
            return f"{trigger.kind}:{trigger.status_id}"
        case FieldChanged():
            return f"{trigger.kind}:{board_id}:{trigger.name}"
        case AllLinked():
            return f"{trigger.kind}:{board_id}:{trigger.phase}"
        case Placed() | StatusChanged() | Paid() | Commented():
            return f"{trigger.kind}:{board_id}"
        case _:
            assert_never(trigger)


def is_alone(trigger: Trigger) -> bool:
    """Whether what triggers it triggers this rule alone: a time, a list, a button."""
    return isinstance(trigger, DateNears | Stays | Idle | Weekly | ByHand)


def starts(trigger: Trigger, facts: Facts) -> bool:
    """Whether an event that a rule was found by is really what it waits for."""
    match trigger:
        case Paid():
            return _crosses(trigger, facts)
        case AllLinked():
            phases = [order.phase for order in facts.linked or () if not order.is_source]
            return bool(phases) and all(phase == trigger.phase for phase in phases)
    return True


class Payment(NamedTuple):
    """What was paid, of what total, in kopecks (or cents)."""

    paid: int
    total: int

    def reaches(self, percent: int) -> bool:
        return self.total > 0 and self.paid * 100 >= percent * self.total


def payments_in(facts: Facts) -> tuple[Payment, Payment] | None:
    """Before and after the event; None where the facts don't say. A new order had nothing paid before."""
    fields, was = facts.fields or {}, facts.was
    if was is None or not {"paid", "total", "status_before"} <= fields.keys():
        return None
    paid, total = fields["paid"], fields["total"]
    is_new = fields["status_before"] is None
    paid_before, total_before = (0, total) if is_new else (was.get("paid", paid), was.get("total", total))
    if not (isinstance(paid, int) and isinstance(total, int) and isinstance(paid_before, int) and isinstance(total_before, int)):
        return None
    return Payment(paid_before, total_before), Payment(paid, total)


def _crosses(trigger: Paid, facts: Facts) -> bool:
    """Whether this event brought the payment over the share or the sum."""
    found = payments_in(facts)
    if found is None:
        return False
    before, after = found
    if trigger.sum is not None:
        return before.paid < trigger.sum <= after.paid
    return after.reaches(trigger.percent or 0) and not before.reaches(trigger.percent or 0)
