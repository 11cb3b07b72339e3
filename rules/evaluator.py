"""The evaluator. Pure: an event's facts and a rule in, a verdict with its reasons out."""

from collections.abc import Mapping
from typing import Any

from kanban.criteria import Verdict, judge


def trigger_keys(kind: str, board_id: int, before_id: int | None, after_id: int | None) -> list[str]:
    """What rules an event wakes, as their trigger keys. «Entered» includes being placed in a status."""
    if kind == "order.placed":
        return [f"placed:{board_id}", f"entered:{after_id}"]
    if kind == "order.moved":
        return [f"changed:{board_id}", f"left:{before_id}", f"entered:{after_id}"]
    return []


def trigger_key(trigger: str, board_id: int, status_id: int | None) -> str:
    """The key a rule is found by."""
    return f"{trigger}:{status_id}" if trigger in ("entered", "left") else f"{trigger}:{board_id}"


def evaluate(criteria: Mapping[str, Any], facts: Mapping[str, Any], kinds: Mapping[str, str]) -> Verdict:
    """A rule matches where its verdict's truth is True; False and None (unknown) don't."""
    return judge(criteria, facts, kinds)
