"""Whether a rule can start itself, by what it changes or by other rules in between. Pure: rules and boards in, a way round out.

What a rule's criteria ask is not looked at: a loop that is named can happen, not must. When it does, rules.running.chain stops it.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.definition.actions import AddComment, Change, MakeProduction, SetStatus
from rules.definition.content import RuleContent
from rules.definition.evaluator import is_alone, trigger_key
from rules.definition.triggers import Entered
from rules.queries.lookup import RuleLookup


@dataclass(frozen=True)
class Node:
    """A rule: the key it starts at, and the keys of what its changes may start."""

    id: int
    name: str
    key: str
    causes: frozenset[str]


def node_of(id_: int, name: str, content: RuleContent, lookup: RuleLookup) -> Node:
    key = "" if is_alone(content.trigger) else trigger_key(content.trigger, id_, content.board_id)
    return Node(id_, name, key, frozenset(cause for change in content.changes for cause in _causes(change, content, lookup)))


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


def _causes(change: Change, content: RuleContent, lookup: RuleLookup) -> Iterator[str]:
    board = content.board_id
    yield from (f"field:{board}:{name}" for name in change.fields)
    if "paid_percent" in change.fields:
        yield f"paid:{board}"
    match change:
        case SetStatus():
            yield from _of_status(change.status_id, content, lookup)
        case AddComment():
            yield f"commented:{board}"
        case MakeProduction():
            yield from _of_production(board, lookup)


def _of_status(status_id: int, content: RuleContent, lookup: RuleLookup) -> Iterator[str]:
    """An order that stands there already is not moved, so a rule that starts at a status doesn't start itself by setting it."""
    status, trigger = lookup.statuses.get(status_id), content.trigger
    if status is None or trigger == Entered(status.id):
        return
    yield from (f"entered:{status.id}", f"changed:{status.board_id}", f"linked:{status.id}")
    yield from (f"all_linked:{board}:{status.phase}" for board in lookup.boards)
    if isinstance(trigger, Entered) and content.board_id == status.board_id:
        yield f"left:{trigger.status_id}"
    else:
        yield from (f"left:{other.id}" for other in lookup.statuses_of(status.board_id) if other.id != status.id)


def _of_production(board_id: int, lookup: RuleLookup) -> Iterator[str]:
    for board in lookup.boards.values():
        first = next(iter(lookup.statuses_of(board.id)), None)
        if board.source_id == board_id and first is not None:
            yield from (f"placed:{board.id}", f"paid:{board.id}", f"entered:{first.id}", f"linked:{first.id}")
            yield f"all_linked:{board_id}:{first.phase}"
