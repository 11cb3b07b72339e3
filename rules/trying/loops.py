"""Whether a rule can start itself, by what it changes or by other rules in between. Pure: rules and boards in, a way round out.

What a rule's criteria ask is not looked at: a loop that is named can happen, not must. When it does, rules.running.chain stops it.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.evaluator import BY_ID, trigger_key
from rules.lookup import Lookup

MONEY = ("paid", "total")


@dataclass(frozen=True)
class Node:
    """A rule: the key it starts at, and the keys of what its changes may start."""

    id: int
    name: str
    key: str
    causes: frozenset[str]


def node_of(id_: int, fields: Any, lookup: Lookup) -> Node:
    """fields: rules.fields.RuleFields."""
    key = trigger_key(fields.trigger, id_, fields.board_id, fields.status_id, fields.options)
    causes = {cause for action in fields.actions for cause in _causes(action, fields, lookup)}
    return Node(id_, fields.name, "" if fields.trigger in BY_ID else key, frozenset(causes))


def find_loop(start: Node, others: Sequence[Node]) -> list[Node]:
    """The shortest way from a rule back to itself: [start, …, start]; empty where there is none."""
    nodes = [start, *(one for one in others if one.id != start.id)]
    came: dict[int, Node] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in nodes:
            if other.key not in node.causes:
                continue
            if other.id == start.id:
                return _way(start, node, came)
            if other.id not in came:
                came[other.id] = node
                queue.append(other)
    return []


def _way(start: Node, last: Node, came: Mapping[int, Node]) -> list[Node]:
    way = [start]
    while last.id != start.id:
        way.append(last)
        last = came[last.id]
    return [start, *reversed(way[1:]), start]


def _causes(action: Mapping[str, Any], fields: Any, lookup: Lookup) -> Iterator[str]:
    do, board = action["do"], fields.board_id
    if do == "set_status":
        yield from _of_status(action.get("status"), fields, lookup)
    elif do == "set_field":
        yield f"field:{board}:{action.get('field')}"
        yield from (f"paid:{board}", f"field:{board}:paid_percent") if action.get("field") in MONEY else ()
    elif do in ("tag", "untag"):
        yield f"field:{board}:tags"
    elif do == "assign":
        yield f"field:{board}:role:{action['role']}" if action.get("role") else f"field:{board}:responsible"
    elif do == "comment":
        yield f"commented:{board}"
    elif do == "make_production":
        yield from _of_production(board, lookup)


def _of_status(status_id: int | None, fields: Any, lookup: Lookup) -> Iterator[str]:
    """An order that stands there already is not moved, so a rule that starts at a status doesn't start itself by setting it."""
    status = lookup.statuses.get(status_id or 0)
    if status is None or (fields.trigger == "entered" and fields.status_id == status.id):
        return
    yield from (f"entered:{status.id}", f"changed:{status.board_id}", f"linked:{status.id}")
    yield from (f"all_linked:{board}:{status.phase}" for board in lookup.boards)
    starts_here = fields.trigger == "entered" and fields.board_id == status.board_id
    left = [fields.status_id] if starts_here else [one.id for one in lookup.statuses_of(status.board_id) if one.id != status.id]
    yield from (f"left:{id_}" for id_ in left)


def _of_production(board_id: int, lookup: Lookup) -> Iterator[str]:
    for board in lookup.boards.values():
        first = next(iter(lookup.statuses_of(board.id)), None)
        if board.source_id == board_id and first is not None:
            yield from (f"placed:{board.id}", f"paid:{board.id}", f"entered:{first.id}", f"linked:{first.id}")
            yield f"all_linked:{board_id}:{first.phase}"
