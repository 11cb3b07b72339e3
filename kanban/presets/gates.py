"""The gates of a process file: read when all its statuses are there, since they may name any of them."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.boards import change_gate, find_board, require_sensible_gate
from kanban.criteria import read_criteria
from kanban.errors import Invalid
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.json_reader import Malformed, Value
from kanban.lookup import load_lookup
from kanban.models import Status
from kanban.orders import read_gate
from kanban.orders.gates import words_of_gate
from kanban.presets.keys import file_keys
from kanban.presets.loaded import ImportedThing, Loaded


def load_gate(session: Session, actor: Actor | None, status: Status, raw: Mapping[str, object], loaded: Loaded) -> None:
    """Writes the gate where it differs; one that makes no sense here is skipped, and says why."""
    board = find_board(session, status.board_id)
    name, lookup = f"{board.name}: {status.name}", load_lookup(session)
    before = words_of_gate(read_gate(status.gate, board.id).criteria, board.id, lookup)
    try:
        gate = read_criteria(Value(raw), catalogue_of(board.id), file_keys(session, loaded))
        require_sensible_gate(session, gate)
        after = words_of_gate(gate, board.id, lookup)
        if loaded.note("gate", name, {_("gate"): before} if before else None, {_("gate"): after}):
            change_gate(session, actor, status.id, gate)
    except Malformed as malformed:
        loaded.found.append(ImportedThing("gate", name, "skipped", (malformed.words,)))
    except Invalid as refused:
        loaded.found.append(ImportedThing("gate", name, "skipped", (str(refused.reason),)))
