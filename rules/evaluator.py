"""The evaluator. Pure: an event's facts and a rule in, a verdict with its reasons out."""

from collections.abc import Iterable, Mapping
from typing import Any

from kanban.criteria import Verdict, judge

OF_TIME = ("date", "stay", "idle")
LIST = "weekdays"  # a list of orders at a time, without an event
BY_ID = (*OF_TIME, LIST, "hand")  # triggers that wake one rule alone
WITH_STATUS = ("entered", "left", "linked")  # triggers that name a status


def trigger_keys(kind: str, board_id: int, before_id: int | None, after_id: int | None, facts: Mapping[str, Any]) -> list[str]:
    """What rules an event wakes, as their trigger keys. «Entered» includes being placed in a status."""
    if kind == "order.placed":
        return [f"placed:{board_id}", f"entered:{after_id}", f"paid:{board_id}"]
    if kind == "order.moved":
        return [f"changed:{board_id}", f"left:{before_id}", f"entered:{after_id}"]
    if kind == "order.changed":
        was = _mapping(facts.get("was"))
        keys = [f"field:{board_id}:{name}" for name in was]
        return keys + ([f"paid:{board_id}"] if {"paid", "total"} & was.keys() else [])
    if kind == "order.linked":
        linked = _mapping(facts.get("linked_by"))
        return [f"linked:{linked.get('status')}", f"all_linked:{board_id}:{linked.get('phase')}"]
    alone = f"rule:{facts.get('rule')}"
    return {"order.commented": [f"commented:{board_id}"], "order.due": [alone], "order.asked": [alone]}.get(kind, [])


def passes_on(kind: str, after_id: int | None, phase: str, boards: Iterable[int]) -> list[str]:
    """Keys of rules about orders of other boards, which an order that enters a status may wake."""
    if kind not in ("order.placed", "order.moved"):
        return []
    return [f"linked:{after_id}", *(f"all_linked:{board}:{phase}" for board in boards)]


def trigger_key(trigger: str, rule_id: int, board_id: int, status_id: int | None, options: Mapping[str, Any]) -> str:
    """The key a rule is found by."""
    if trigger in BY_ID:
        return f"rule:{rule_id}"
    if trigger in WITH_STATUS:
        return f"{trigger}:{status_id}"
    ends = {"field": options.get("field"), "all_linked": options.get("phase")}
    return f"{trigger}:{board_id}:{ends[trigger]}" if trigger in ends else f"{trigger}:{board_id}"


def starts(trigger: str, options: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether an event that woke a rule is really what it waits for. Never raises on stored data."""
    try:
        if trigger == "paid":
            return _crosses(options, facts)
        if trigger == "all_linked":
            phases = [one["status"]["phase"] for one in facts["linked"] if not one.get("is_source")]
            return bool(phases) and all(phase == options["phase"] for phase in phases)
    except (KeyError, TypeError, AttributeError):
        return False
    return True


def _crosses(options: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether this event brought the payment over a share (percent) or a sum. A new order had nothing paid before."""
    fields, was = facts["fields"], facts["was"]
    is_new = fields["status_before"] is None
    paid, total = fields["paid"], fields["total"]
    paid_before, total_before = (0, total) if is_new else (was.get("paid", paid), was.get("total", total))
    if "sum" in options:
        return bool(paid_before < options["sum"] <= paid)
    share = options["percent"]
    return total > 0 and paid * 100 >= share * total and not (total_before > 0 and paid_before * 100 >= share * total_before)


def evaluate(criteria: Mapping[str, Any], facts: Mapping[str, Any], kinds: Mapping[str, str]) -> Verdict:
    """A rule matches where its verdict's truth is True; False and None (unknown) don't."""
    return judge(criteria, facts, kinds)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
