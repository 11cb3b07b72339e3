"""The matrix's cells as a rule's actions, and back. A rule that says more than cells can is no longer the matrix's."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from rules.definition.actions import Action, messages_in, recipients_in
from rules.definition.channels import Channel
from rules.definition.message_action import SendMessage
from rules.definition.recipients import Recipient, RelatedRecipient, Relation, RoleRecipient

WHO = (Relation.RESPONSIBLE, Relation.AUTHOR, Relation.CUSTOMER)


class Column(NamedTuple):
    """Of a role, or of one of WHO."""

    kind: str
    role_id: int | None = None

    def recipient(self, *, everyone: bool = False) -> Recipient:
        return RoleRecipient(self.role_id, everyone) if self.role_id is not None else RelatedRecipient(Relation(self.kind))


def column_of(recipient: Recipient) -> Column:
    return Column(recipient.kind, recipient.role_id if isinstance(recipient, RoleRecipient) else None)


def cells_of(actions: Iterable[Action]) -> dict[Column, int]:
    """{column: template id} of a matrix rule's actions."""
    return {column_of(recipient): action.template_id for action in messages_in(actions) for recipient in action.to}


def told_in_full(actions: Iterable[Action]) -> set[int]:
    """Roles of which everyone is told, however many they are."""
    return {one.role_id for one in recipients_in(actions) if isinstance(one, RoleRecipient) and one.everyone}


def actions_of(cells: dict[Column, int], in_full: Collection[int] = ()) -> tuple[Action, ...]:
    """One action a template, in a fixed order, so that the same cells always make the same rule. in_full: see told_in_full."""
    by_template: dict[int, list[Recipient]] = {}
    for column, template in sorted(cells.items(), key=lambda cell: (_order(cell[0]), cell[1])):
        by_template.setdefault(template, []).append(column.recipient(everyone=column.role_id in in_full))
    return tuple([SendMessage(Channel.EMAIL, template, tuple(to)) for template, to in by_template.items()])


def are_cells(actions: Sequence[Action]) -> bool:
    """Whether cells can say all of it: only columns' recipients, each with one e-mail, and nothing but plain e-mails."""
    if not all(isinstance(action, SendMessage) and action.is_plain for action in actions):
        return False
    told = [column_of(recipient) for recipient in recipients_in(actions)]
    return len(set(told)) == len(told) and all(column.kind in ("role", *WHO) for column in told)


def _order(column: Column) -> tuple[int, int]:
    return (0, column.role_id) if column.role_id is not None else (1 + WHO.index(Relation(column.kind)), 0)
