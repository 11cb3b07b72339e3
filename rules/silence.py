"""Who got no message, and why: the notes of an order's runs, in words."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.i18n import N_, _
from kanban.models import Event
from rules.models import Rule, Run

LATEST = 5  # events that are looked at
WORDS = {
    "did_it": N_("made the change, so knows already"),
    "no_address": N_("has no address"),
    "no_phone": N_("has no phone number that an SMS could go to"),
    "no_chat": N_("has no address in the messenger"),
    "not_employee": N_("is no employee, so has no bell"),
    "unsubscribed": N_("asked for no letters"),
    "no_holder": N_("nobody holds this role"),
    "no_responsible": N_("the order has no responsible"),
    "no_author": N_("the order has no author"),
    "no_customer": N_("the customer has no address"),
    "gone": N_("someone the rule names is no longer here"),
    "inactive": N_("may no longer sign in, so gets no letters"),
    "template_failed": N_("the letter could not be made"),
    "action_failed": N_("the letter could not be made"),
    "not_stored": N_("the letter could not be kept"),
    "change_refused": N_("the change was refused"),
    "change_failed": N_("the change could not be made"),
    "loop": N_("stopped: the rule came to this order a second time"),
    "too_deep": N_("stopped: rules had caused five changes one out of another"),
}
FAILURES = ("template_failed", "action_failed", "not_stored", "change_refused", "change_failed", "loop", "too_deep")


@dataclass(frozen=True)
class Silence:
    """One who got no letter of a rule. name: a person, a role, what failed, or "" where there is nobody to name."""

    rule_id: int
    rule: str
    name: str
    reason: str
    failed: bool


def silences_of(session: Session, order_id: int) -> list[Silence]:
    """Of the latest events of an order, newest first."""
    latest = select(Event.id).where(Event.order_id == order_id).order_by(Event.id.desc()).limit(LATEST)
    rows = session.execute(
        select(Rule.id, Rule.name, Run.notes).join(Run, Run.rule_id == Rule.id).where(Run.event_id.in_(latest)).order_by(Run.id.desc())
    )
    return [
        Silence(id_, name, str(note.get("name", "")), _(WORDS[code]), code in FAILURES)
        for id_, name, notes in rows
        for note in notes
        if (code := note.get("why")) in WORDS
    ]
