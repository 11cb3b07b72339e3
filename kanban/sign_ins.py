"""The verbs of the doors: coming in, going out, links that work once. Tokens are kept as hashes only."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from kanban import clock, journal
from kanban.db import OFF_BOARDS, row_count
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.journal import Kind
from kanban.live import end_streams
from kanban.models import OneTimeLink, Person, ResetRequest, SignIn
from kanban.wakeups import Topic, wake

SEEN = timedelta(minutes=10)  # how old `seen_at` may be
RESET_LIFE, INVITATION_LIFE = timedelta(hours=1), timedelta(days=7)
MOST_RESETS = 5  # an hour, a person
ANSWERED_AT_ONCE = 20


class Purpose(StrEnum):
    RESET = "reset"
    INVITATION = "invitation"


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(session: Session, person: Person, user_agent: str, address: str) -> str:
    """A new sign-in; the token that its cookie is to hold."""
    token, now = secrets.token_urlsafe(32), clock.now()
    session.add(
        SignIn(
            token_hash=hash_of(token),
            person_id=person.id,
            user_agent=user_agent[:200],
            address=address[:45],
            created_at=now,
            seen_at=now,
            confirmed_at=now,
        )
    )
    session.execute(update(Person).where(Person.id == person.id).values(seen_at=now).execution_options(**{OFF_BOARDS: True}))
    journal.note(session, Kind.SIGNED_IN, person)
    return token


def sign_ins_of(session: Session, person_id: int, idle: timedelta, life: timedelta) -> list[SignIn]:
    """Where the person is signed in, the last used first."""
    now = clock.now()
    query = select(SignIn).where(SignIn.person_id == person_id, SignIn.seen_at > now - idle, SignIn.created_at > now - life)
    return list(session.scalars(query.order_by(SignIn.seen_at.desc(), SignIn.token_hash)))


def confirm(session: Session, token: str) -> None:
    """The password was typed once more."""
    session.execute(update(SignIn).where(SignIn.token_hash == hash_of(token)).values(confirmed_at=clock.now()))


def forget(session: Session, token: str) -> None:
    """What this browser was signed in with before: a copy of that cookie opens nothing any more."""
    person_id = session.scalar(delete(SignIn).where(SignIn.token_hash == hash_of(token)).returning(SignIn.person_id))
    if person_id is not None:
        journal.note(session, Kind.SIGNED_OUT, session.get_one(Person, person_id))
        end_streams(session, person_id)


def end(session: Session, person: Person, token: str) -> None:
    """This one, by the person's own wish."""
    session.execute(delete(SignIn).where(SignIn.token_hash == hash_of(token)))
    journal.note(session, Kind.SIGNED_OUT, person)
    end_streams(session, person.id)


def end_one(session: Session, by: Person, person_id: int, token_hash: str) -> None:
    """One of a person's sign-ins, by that person or an administrator. Raises NotFound."""
    ended = row_count(session, delete(SignIn).where(SignIn.token_hash == token_hash, SignIn.person_id == person_id))
    if not ended:
        raise NotFound(_("This session has already ended."))
    journal.note(session, Kind.SIGN_INS_ENDED, by, about=session.get_one(Person, person_id).name, count=1)
    end_streams(session, person_id)


def end_all(session: Session, person: Person, but: str = "") -> int:
    """All of a person's sign-ins, but the one of this token: a cookie of any other opens nothing any more. How many."""
    kept = hash_of(but) if but else ""
    if not but:
        person.fs_uniquifier = uuid.uuid4().hex
    ended = row_count(session, delete(SignIn).where(SignIn.person_id == person.id, SignIn.token_hash != kept))
    end_streams(session, person.id)
    return ended


def prune(session: Session, now: datetime, idle: timedelta, life: timedelta) -> None:
    session.execute(delete(SignIn).where((SignIn.created_at < now - life) | (SignIn.seen_at < now - idle)))
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < now - timedelta(days=1)))
    session.execute(delete(ResetRequest).where(ResetRequest.created_at < now - RESET_LIFE))


def make_link(session: Session, person_id: int, purpose: Purpose, author: int | None = None) -> str:
    """A new link's token. An invitation takes the place of those before it."""
    now, token = clock.now(), secrets.token_urlsafe(32)
    if purpose is Purpose.INVITATION:
        session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person_id, OneTimeLink.purpose == purpose))
    life = INVITATION_LIFE if purpose is Purpose.INVITATION else RESET_LIFE
    session.add(
        OneTimeLink(
            token_hash=hash_of(token), person_id=person_id, purpose=purpose, author_id=author, created_at=now, expires_at=now + life
        )
    )
    return token


def find_link(session: Session, token: str) -> tuple[OneTimeLink, Person] | None:
    """The link and whom it is for, if it still works."""
    row = session.execute(
        select(OneTimeLink, Person)
        .join(Person, Person.id == OneTimeLink.person_id)
        .where(OneTimeLink.token_hash == hash_of(token), OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > clock.now(), Person.active)
        .execution_options(populate_existing=True)
    ).first()
    return (row[0], row[1]) if row else None


def use_link(session: Session, token: str, password_hash: str) -> Person:
    """The password is the new one, and every link and sign-in of the person ends. Raises NotFound where it works no more."""
    found = find_link(session, token)
    if found is None:
        raise NotFound(_("This link no longer works. Ask for a new one."))
    link, person = found
    set_password(session, person, password_hash)
    journal.note(session, Kind.PASSWORD_SET, person, by=link.purpose)
    return person


def set_password(session: Session, person: Person, password_hash: str, *, must_change: bool = False) -> None:
    """The hash was made before the transaction: it is slow. Ends all sign-ins."""
    person.password, person.must_change_password = password_hash, must_change
    end_links(session, person.id)
    end_all(session, person)


def end_links(session: Session, person_id: int) -> None:
    """What was given out for a password, an address or somebody who worked here opens nothing once that is another."""
    session.execute(
        update(OneTimeLink).where(OneTimeLink.person_id == person_id, OneTimeLink.used_at.is_(None)).values(used_at=clock.now())
    )


def find_by_email(session: Session, email: str, *, only_active: bool = True) -> Person | None:
    """Whoever has this address, however it is written in capitals and small letters."""
    folded = email.casefold() if session.get_bind().dialect.name == "sqlite" else email.lower()  # as the database's lower() does
    query = select(Person).where(func.lower(Person.email) == folded).order_by(Person.id).limit(1)
    return session.scalar(query.where(Person.active) if only_active else query)


def ask_for_reset(session: Session, email: str, language: str) -> None:
    """Puts the wish down, whoever's address it is, so that an answer takes as long for everybody."""
    session.add(ResetRequest(email=email, language=language))
    wake(session, Topic.OUTBOX)
    journal.note(session, Kind.RESET_ASKED, typed=email)


def answer_requests(session: Session) -> list[tuple[Person, str, str]]:
    """Takes the oldest wishes: (person, token, language) for each that is somebody's who has not asked too often."""
    wishes = session.scalars(select(ResetRequest).order_by(ResetRequest.id).limit(ANSWERED_AT_ONCE).with_for_update(skip_locked=True)).all()
    found = []
    for wish in wishes:
        session.delete(wish)
        person = find_by_email(session, wish.email)
        if person is not None and _resets_of_last_hour(session, person.id) < MOST_RESETS:
            found.append((person, make_link(session, person.id, Purpose.RESET), wish.language))
            session.flush()
    return found


def _resets_of_last_hour(session: Session, person_id: int) -> int:
    since = clock.now() - timedelta(hours=1)
    query = select(func.count()).select_from(OneTimeLink)
    return (
        session.scalar(
            query.where(OneTimeLink.person_id == person_id, OneTimeLink.purpose == Purpose.RESET, OneTimeLink.created_at > since)
        )
        or 0
    )


def renew_hash(session: Session, person_id: int, kept: str, password_hash: str) -> None:
    """The same password, hashed by the rules of now; where somebody has changed it meanwhile it stays as it is."""
    session.execute(update(Person).where(Person.id == person_id, Person.password == kept).values(password=password_hash))
