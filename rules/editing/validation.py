"""Whether a rule makes sense as it is to be saved. Whatever wrote it: the editor, the matrix, a file."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from kanban.criteria_checks import MOST_GROUPS, MOST_NESTED, MOST_ROWS, is_too_much, require_sensible
from kanban.db import Base
from kanban.errors import Invalid
from kanban.i18n import _
from kanban.models import Board, Organisation, Person, Role, Status
from kanban.references import Reference, ReferenceKind
from rules.definition.actions import Action
from rules.definition.channels import Channel, TemplateKind
from rules.definition.content import RuleContent
from rules.definition.message_action import ReplyTo, Sender, SendMessage
from rules.definition.recipients import RelatedRecipient, Relation
from rules.definition.triggers import Weekly
from rules.models import MailAccount, Template
from rules.post.addresses import clean

MODELS: dict[ReferenceKind, type[Base]] = {
    ReferenceKind.BOARD: Board,
    ReferenceKind.STATUS: Status,
    ReferenceKind.ROLE: Role,
    ReferenceKind.PERSON: Person,
    ReferenceKind.ORGANISATION: Organisation,
    ReferenceKind.TEMPLATE: Template,
    ReferenceKind.ACCOUNT: MailAccount,
}


@dataclass(frozen=True)
class InDatabase:
    """What rules.definition.known asks, answered by the database."""

    session: Session

    def has(self, reference: Reference) -> bool:
        return self.session.get(MODELS[reference.kind], reference.id) is not None

    def board_of(self, status_id: int) -> int | None:
        status = self.session.get(Status, status_id)
        return status.board_id if status else None

    def template_kind(self, template_id: int) -> TemplateKind | None:
        template = self.session.get(Template, template_id)
        return TemplateKind(template.kind) if template else None

    def is_address(self, channel: Channel, address: str) -> bool:
        try:
            return clean(address, channel) == address
        except Invalid:
            return False


def validate(session: Session, content: RuleContent) -> None:
    """Raises Invalid."""
    if session.get(Board, content.board_id) is None:
        raise Invalid(_("This board no longer exists."), "board_id")
    known = InDatabase(session)
    content.trigger.validate(known, content.board_id)
    require_sensible(content.criteria, known.has)
    if is_too_much(content.criteria) or len(content.actions) > MOST_ROWS:
        words = _(
            "A rule can have at most %(rows)s criteria, %(rows)s actions and %(groups)s groups, nested at most %(deep)s deep.",
            rows=MOST_ROWS,
            groups=MOST_GROUPS,
            deep=MOST_NESTED,
        )
        raise Invalid(words, "criteria")
    is_list = isinstance(content.trigger, Weekly)
    if is_list:
        _validate_list(content)
    for action in content.actions:
        _validate_action(action, known, is_list=is_list)
    if not content.actions:
        raise Invalid(_("Choose what the rule does."), "actions")


def _validate_action(action: Action, known: InDatabase, *, is_list: bool) -> None:
    if action.delay is not None:
        action.delay.validate()
    if isinstance(action, SendMessage):
        action.validate(known, is_list=is_list)
    else:
        action.validate(known)


def _validate_list(content: RuleContent) -> None:
    messages = content.messages
    if len(messages) < len(content.actions) or any(action.delay for action in content.actions):
        raise Invalid(_("A list can only send messages, and only immediately."), "actions")
    if any(action.sender is Sender.RESPONSIBLE or action.reply_to is not ReplyTo.NOBODY for action in messages):
        raise Invalid(_("A list covers many orders: it is sent from the company account or a specific one, and replies go there."), "from")
    nobody = [RelatedRecipient(Relation.MOVER), RelatedRecipient(Relation.PREVIOUS)]
    if any(recipient in nobody for action in messages for recipient, _copy in action.recipients):
        raise Invalid(_("A list has no previous responsible person and nobody who made it: choose other recipients."), "to")
    if any(action.cc or action.bcc for action in messages):
        raise Invalid(_("Each recipient gets their own list, so lists can't have copies."), "actions")
