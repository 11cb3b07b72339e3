"""What a rule says, as its verbs take it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# As much as the editor can show.
MOST_ROWS, MOST_GROUPS, MOST_NESTED, MOST_ADDRESSES = 30, 10, 3, 20
NO_CRITERIA: dict[str, Any] = {"all": []}


@dataclass
class RuleFields:
    """What a rule says, and its mode (see Rule). status_id goes with the triggers entered, left and linked; options: see RuleVersion."""

    name: str
    board_id: int
    trigger: str
    status_id: int | None = None
    criteria: dict[str, Any] = field(default_factory=lambda: dict(NO_CRITERIA))
    actions: list[dict[str, Any]] = field(default_factory=list)
    tell_actor: bool = False
    active: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    log_only: bool = False
    paused_until: datetime | None = None
    is_readable: bool = True  # False: what is stored can't be read, and stands here as a rule that does nothing
