"""The first steps that rules know of: mail, and who is told."""

from sqlalchemy import exists, literal, select

from kanban.config import Config
from kanban.first_steps import FirstStep
from kanban.i18n import N_
from rules.models import MailAccount, Rule


def steps(config: Config) -> tuple[FirstStep, ...]:
    """Mail may also be set by the environment."""
    has_account = exists(select(MailAccount.id).where(MailAccount.kind == "system"))
    return (
        FirstStep(
            "told",
            N_("Who is notified"),
            N_("Choose who gets an e-mail when an order enters a status."),
            N_("Choose"),
            "matrix.show",
            exists(select(Rule.id).where(Rule.active)),
        ),
        FirstStep(
            "mail",
            N_("Mail account"),
            N_("Without one, no e-mails are sent."),
            N_("Set up mail"),
            "mail.show",
            literal(True) if config.smtp_host else has_account,
        ),
    )
