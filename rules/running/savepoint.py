"""Attempts within the transaction of a change, and the messages made in it so far, so that what rules cause counts for what
caused it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from kanban import transactions
from rules.post.entry import OutboxEntry
from rules.post.told import ToldLine, line_of

_MADE = "messages_made"  # in a session's info, until the transaction ends


def made(session: Session) -> tuple[ToldLine, ...]:
    lines: tuple[ToldLine, ...] = session.info.get(_MADE, ())
    return lines


def count(session: Session, messages: Iterable[OutboxEntry]) -> None:
    session.info[_MADE] = (*made(session), *map(line_of, messages))


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """What fails within is as if it had not been, its messages uncounted."""
    before = made(session)
    try:
        with transactions.savepoint(session):
            yield
    except Exception:
        session.info[_MADE] = before
        raise


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_MADE, None)
