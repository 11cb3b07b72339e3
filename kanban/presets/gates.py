"""The gates of a process file: read when all its statuses are there, since they may name any of them."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.boards import change_gate, require_sensible_gate
from kanban.criteria import read_criteria
from kanban.errors import Invalid
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.json_reader import Malformed, Value
from kanban.lookup import Lookup, load_lookup
from kanban.models import Status
from kanban.orders import read_gate
from kanban.orders.gates import words_of_gate
from kanban.presets.keys import FileKeys, file_keys
from kanban.presets.loaded import Content, ImportedThing, Loaded


def load_gates(session: Session, actor: Actor | None, content: Content, loaded: Loaded) -> None:
    """Writes the gates that differ; one that makes no sense here is skipped, and says why. A status without one keeps what it has."""
    named = [status for board in content.get("boards") or [] for status in board["statuses"] if "gate" in status]
    if not named:
        return
    keys, lookup = file_keys(session, loaded), load_lookup(session)
    for status in named:
        _load_gate(session, actor, loaded.statuses[status["key"]], status["gate"], loaded, keys, lookup)


def _load_gate(
    session: Session, actor: Actor | None, status: Status, raw: Mapping[str, object], loaded: Loaded, keys: FileKeys, lookup: Lookup
) -> None:
    board = lookup.boards[status.board_id]
    name = f"{board.name}: {status.name}"
    before = words_of_gate(read_gate(status.gate, board.id).criteria, board.id, lookup)
    try:
        gate = read_criteria(Value(raw), catalogue_of(board.id), keys)
        require_sensible_gate(session, gate)
        after = words_of_gate(gate, board.id, lookup)
        if loaded.note("gate", name, {_("gate"): before} if before else None, {_("gate"): after}):
            change_gate(session, actor, status.id, gate)
    except Malformed as malformed:
        loaded.found.append(ImportedThing("gate", name, "skipped", (malformed.words,)))
    except Invalid as refused:
        loaded.found.append(ImportedThing("gate", name, "skipped", (str(refused.reason),)))
