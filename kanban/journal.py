"""The security journal: who came in or failed to, whose rights changed, what was taken out, and from where."""

import logging
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import has_request_context, request
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kanban.models import Person, SecurityEvent

log = logging.getLogger("potok.security")
AT_ONCE = 5_000


class Kind(StrEnum):
    """What happened. Their words are in kanban.views.settings.journal."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    UNLOCKED = "unlocked"
    SIGNED_OUT = "signed_out"
    SIGN_INS_ENDED = "sign_ins_ended"
    CONFIRM_FAILED = "confirm_failed"
    RESET_ASKED = "reset_asked"
    PASSWORD_SET = "password_set"
    INVITED = "invited"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    ROLES_CHANGED = "roles_changed"
    EXPORTED = "exported"
    SETTING_CHANGED = "setting_changed"
    ACCOUNT_CHANGED = "account_changed"
    GATEWAY_CHANGED = "gateway_changed"
    BACKUP_ASKED = "backup_asked"
    RESTORED = "restored"


def note(session: Session, kind: Kind, who: Person | Any = None, *, typed: str = "", about: str = "", **details: object) -> None:
    """A line of the journal, with the change it tells of; and one of the log.

    who: a person or an actor; None where it is nobody known, or was done on the server. typed: the address that was typed then.
    """
    name, id_ = (who.name, who.id) if who is not None else (typed, None)
    address = (request.remote_addr or "")[:45] if has_request_context() else ""
    session.add(SecurityEvent(kind=kind, person_id=id_, who=name[:254], about=about[:254], details=dict(details), address=address))
    log.info("%s who=%r about=%r %s", kind, name, about, details or "", extra={"person": id_, "address": address})


def prune(session: Session, before: datetime) -> bool:
    """Forgets some of the oldest lines; whether there may be more."""
    old = select(SecurityEvent.id).where(SecurityEvent.at < before).order_by(SecurityEvent.id).limit(AT_ONCE)
    found = session.scalars(old).all()
    if found:
        session.execute(delete(SecurityEvent).where(SecurityEvent.id <= found[-1], SecurityEvent.at < before))
    return len(found) == AT_ONCE
