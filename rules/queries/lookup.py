"""Names of what rules point at, loaded once for a page of rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.lookup import Lookup, by_id, load_lookup
from kanban.references import ReferenceKind
from kanban.snapshot import Named
from rules.definition.channels import TemplateKind
from rules.models import MailAccount, Template

CHOSEN = ("named", "person")  # kinds of accounts that a rule may send by beside the firm's own


@dataclass(frozen=True)
class RuleLookup(Lookup):
    """With message templates, and mail accounts but the firm's own."""

    templates: dict[int, Template]
    accounts: dict[int, MailAccount]

    def templates_of(self, kind: TemplateKind) -> list[Template]:
        return [template for template in self.templates.values() if template.kind == kind]

    def named(self, kind: ReferenceKind) -> Mapping[int, Named]:
        """Accounts have no name."""
        return self.templates if kind is ReferenceKind.TEMPLATE else super().named(kind)


def load_rule_lookup(session: Session) -> RuleLookup:
    """Seven statements."""
    return RuleLookup(
        **vars(load_lookup(session)),
        templates=by_id(session, select(Template).order_by(Template.position, Template.id)),
        accounts=by_id(session, select(MailAccount).where(MailAccount.kind.in_(CHOSEN)).order_by(MailAccount.kind, MailAccount.address)),
    )
