"""The outbox: messages are put in with the change that caused them, and taken out by workers. The table is the queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Integer, Select, and_, bindparam, column, delete, func, insert, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import Query, Record, insert_new, row_count, table
from kanban.events import NOBODY, Told
from kanban.models import Event
from kanban.wakeups import Topic, wake
from rules.definition.channels import Channel
from rules.definition.outcomes import Note, Outcome
from rules.models import SECRET_KINDS, SIGN_IN_KINDS, Delivery, MailAccount, Message, Run
from rules.post.addressees import look_again
from rules.post.entry import OutboxEntry, SenderNote, message_id
from rules.post.layout import read_layout
from rules.post.told import ToldLine, line, told_of

BATCH = 50
_TOLD = (Message.channel, Message.name, Message.address, Message.layout)
KEEPS_ORDER = 3  # attempts of a message that those behind it wait for
CLAIM_LOCK = 7203  # an arbitrary number, the same in every process


def _insert_runs(insert_: Any, each: Any) -> Any:
    """All runs of an event as one value, taken apart in SQL: a row of parameters for each would take longer than the rows.

    «WHERE true» tells SQLite that the conflict which follows is not one of a join.
    """
    columns, run = table(Run).c, each(bindparam("runs", type_=JSON)).table_valued(column("value", JSON)).c.value
    rows = select(
        bindparam("event_id", type_=Integer),
        run[0].as_integer(),
        run[1].as_integer(),
        run[2].as_string(),
        run[3],
        bindparam("at", type_=columns.at.type),
    ).where(true())
    names = ["event_id", "rule_id", "version_id", "outcome", "notes", "at"]
    return insert_(table(Run)).from_select(names, rows).on_conflict_do_nothing()


_INSERT_RUNS = {
    "sqlite": _insert_runs(sqlite.insert, func.json_each),
    "postgresql": _insert_runs(postgresql.insert, func.json_array_elements),
}


@dataclass(frozen=True)
class RunRow:
    """What came of one rule that matched an event; without one, of a list."""

    event_id: int | None
    rule_id: int
    version_id: int
    outcome: Outcome
    notes: Sequence[Note]
    at: datetime


def enqueue(session: Session, runs: Sequence[RunRow], entries: Iterable[OutboxEntry]) -> None:
    """Inserts runs, all of one event or of none, and messages; what is there already stays as it is."""
    if runs:
        values = [(run.rule_id, run.version_id, run.outcome.value, [note.to_json() for note in run.notes]) for run in runs]
        of_all = {"event_id": runs[0].event_id, "at": runs[0].at, "runs": values}
        session.connection().execute(_INSERT_RUNS[session.get_bind().dialect.name], of_all)
    rows = [entry.to_row() for entry in entries]
    if rows:
        wake(session, Topic.OUTBOX)
        insert_new(session, Message, rows)


@dataclass(frozen=True)
class Lane:
    """Messages that leave one way: a channel, and for e-mail the account (None: the firm's own, or the tray)."""

    channel: Channel = Channel.EMAIL
    account_id: int | None = None

    @property
    def messages(self) -> ColumnElement[bool]:
        account = Message.account_id.is_(None) if self.account_id is None else Message.account_id == self.account_id
        return and_(Message.channel == self.channel, account)


SYSTEM = Lane()


def take_turn(session: Session, lane: Lane) -> None:
    """On PostgreSQL workers take turns at a lane, until the transaction ends: to be called before its limits are looked at."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK, _number(lane))))


def claim(
    session: Session,
    worker: str,
    lease_s: int,
    now: datetime,
    most: int = BATCH,
    lane: Lane = SYSTEM,
    *,
    only_asked_for: bool = False,
    account_id: int | None = None,
    sender: str = "",
    dropped: list[Message] | None = None,
) -> list[Message]:
    """Takes due messages of a lane for this worker and writes a delivery for each, which has not begun yet.

    In order of due time, and one after another for each recipient: what waits behind a message that is being sent, or that
    was refused for now, is not taken (until that has failed KEEPS_ORDER times: one bad message holds nobody up for days).
    Whom each goes to is looked at again (see addressees); dropped: gets those that are cancelled for it.
    only_asked_for: no messages of rules, while an admin has paused them; they don't hold up what was asked for either. Notices
    go on.
    """
    take_turn(session, lane)
    only_asked_for = only_asked_for and lane.channel != "notice"
    due = session.scalars(_claimable(lane, only_asked_for), {"now": now, "most": most}).all()
    moved = look_again(session, due) if due else []
    if dropped is not None:
        dropped += [one for one in due if one.state == "cancelled"]
    taken = [one.id for one in due if one.state == "waiting" and one.channel == lane.channel]
    if moved:  # at the new address something else may have to go first
        taken = list(session.scalars(select(Message.id).where(Message.id.in_(taken), ~_is_behind(lane, only_asked_for))))
    if not taken:
        return []
    connection = session.connection()
    connection.execute(_TAKE, {"taken": taken, "until": now + timedelta(seconds=lease_s), "worker": worker})
    messages = list(session.scalars(_TAKEN, {"taken": taken}))
    attempts = [
        {
            "message_id": one.id,
            "attempt": one.attempts,
            "started_at": now,
            "account_id": account_id,
            "sender": sender,
            "address": one.address,
            "outcome": "claimed",
            "answer": "",
        }
        for one in messages
    ]
    connection.execute(_NEW_DELIVERIES, attempts)
    return messages


_M, _D, _A = table(Message).c, table(Delivery).c, table(MailAccount).c
_TAKE = (
    update(table(Message))
    .where(_M.id.in_(bindparam("taken", expanding=True)))
    .values(state="sending", lease_until=bindparam("until"), claimed_by=bindparam("worker"), attempts=_M.attempts + 1)
)
_TAKEN = (
    select(Message)
    .where(Message.id.in_(bindparam("taken", expanding=True)))
    .order_by(Message.due_at, Message.id)
    .execution_options(populate_existing=True)
)
_NEW_DELIVERIES = insert(table(Delivery))


@lru_cache(maxsize=256)
def _claimable(lane: Lane, only_asked_for: bool) -> Select[Message]:
    """Built once for each lane: it costs more than running it."""
    kinds = [Message.kind != "rule"] if only_asked_for else []
    return (
        select(Message)
        .where(
            lane.messages,
            Message.state == "waiting",
            Message.due_at <= bindparam("now"),
            *kinds,
            ~_is_behind(lane, only_asked_for),
        )
        .order_by(Message.due_at, Message.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _is_behind(lane: Lane, only_asked_for: bool) -> ColumnElement[bool]:
    """Whether another message to the same address, on the same lane, has to go first. only_asked_for: none of a rule has.

    Each subquery stands alone, so it is run once a claim. One that looks at the row outside would be run once a message by
    PostgreSQL with the statistics of a quiet hour: seconds for each claim where thousands wait.
    """
    in_hand = select(Message.address).where(lane.messages, Message.state == "sending").correlate(None)
    refused = [lane.messages, Message.state == "waiting", Message.attempts.between(1, KEEPS_ORDER - 1)]
    if only_asked_for:
        refused.append(Message.kind != "rule")
    behind = select(Message.address).where(*refused).correlate(None)
    first = select(func.min(Message.id)).where(*refused).group_by(Message.address).correlate(None)
    return or_(Message.address.in_(in_hand), and_(Message.address.in_(behind), Message.id.not_in(first)))


def _number(lane: Lane) -> int:
    return lane.account_id or -1 - lane.channel.place


def lanes_due(session: Session, now: datetime, *, only_asked_for: bool = False) -> list[Lane]:
    """Lanes with something due, by a look at the index for each. Accounts that are to be left alone are not among them, nor,
    with only_asked_for, lanes that hold messages of rules alone."""
    connection, asked = session.connection(), {"now": now}
    accounts = connection.scalars(_ACCOUNTS_DUE[only_asked_for], asked).all()
    channels = connection.execute(_CHANNELS_DUE[only_asked_for], asked).one()
    return [Lane(Channel.EMAIL, id_) for id_ in accounts] + [Lane(one) for one, is_due in zip(Channel, channels, strict=True) if is_due]


def has_due(session: Session, lane: Lane, now: datetime) -> bool:
    """Whether anything of a lane is due, though perhaps behind another message."""
    return session.connection().scalar(_due_in(lane), {"now": now}) is not None


def _due(only_asked_for: bool = False) -> ColumnElement[bool]:
    due = and_(_M.state == "waiting", _M.due_at <= bindparam("now", type_=_M.due_at.type))
    return and_(due, or_(_M.kind != "rule", _M.channel == "notice")) if only_asked_for else due


@lru_cache(maxsize=256)
def _due_in(lane: Lane) -> Query:
    return select(_M.id).where(lane.messages, _due()).limit(1)


def _accounts_due(only_asked_for: bool) -> Query:
    awake = or_(_A.paused_until.is_(None), _A.paused_until <= bindparam("now", type_=_A.paused_until.type))
    waiting = select(_M.id).where(_M.channel == "email", _M.account_id == _A.id, _due(only_asked_for)).exists()
    return select(_A.id).where(awake, waiting)


def _channels_due(only_asked_for: bool) -> Query:
    """One column for each channel."""
    return select(*(select(_M.id).where(Lane(one).messages, _due(only_asked_for)).exists().label(one.value) for one in Channel))


_ACCOUNTS_DUE = {whether: _accounts_due(whether) for whether in (False, True)}
_CHANNELS_DUE = {whether: _channels_due(whether) for whether in (False, True)}


def begin(session: Session, message: Message, now: datetime, deadline_s: int) -> bool:
    """Says that a message that was claimed is on its way from now on, before any network is touched. False where it is somebody
    else's by now, or its lease would end within deadline_s."""
    begun = session.connection().execute(
        _BEGIN,
        {
            "of_message": message.id,
            "of_attempt": message.attempts,
            "worker": message.claimed_by,
            "ends": now + timedelta(seconds=deadline_s),
            "begins": now,
        },
    )
    return begun.rowcount > 0


_IS_HELD = select(_M.id).where(
    _M.id == bindparam("of_message"),
    _M.state == "sending",
    _M.claimed_by == bindparam("worker"),
    _M.attempts == bindparam("of_attempt"),
    _M.lease_until >= bindparam("ends"),
)
_BEGIN = (
    update(table(Delivery))
    .where(_D.message_id == bindparam("of_message"), _D.attempt == bindparam("of_attempt"), _D.outcome == "claimed", _IS_HELD.exists())
    .values(outcome="started", started_at=bindparam("begins"))
)


def has_run_out(session: Session, now: datetime) -> bool:
    """Whether the lease of any message has."""
    return session.scalar(select(Message.id).where(Message.state == "sending", Message.lease_until < now).limit(1)) is not None


def free_claims(session: Session, now: datetime, *, worker: str | None = None) -> list[int]:
    """Messages whose lease ran out, or with `worker` all that its predecessor of the same name held, wait again. Returns the ids of
    those that had begun.

    What became of these attempts is unknown: they are marked so, and the messages go once more with the same Message-ID.
    """
    held = [Message.state == "sending"]
    held.append(Message.claimed_by == worker if worker else Message.lease_until < now)
    ids = session.scalars(select(Message.id).where(*held).with_for_update(skip_locked=True)).all()
    if not ids:
        return []
    begun = session.scalars(
        update(Delivery)
        .where(Delivery.message_id.in_(ids), Delivery.outcome == "started")
        .values(outcome="unknown", ended_at=now)
        .returning(Delivery.message_id)
        .execution_options(synchronize_session=False)
    ).all()
    _unclaim(session, [id_ for id_ in ids if id_ not in set(begun)])
    session.execute(update(Message).where(Message.id.in_(begun)).values(state="waiting", lease_until=None, claimed_by=None))
    return list(begun)


def give_back(session: Session, messages: Iterable[Message]) -> None:
    """Messages that were claimed but not begun go back, as if they had never been taken."""
    taken = list(messages)
    if taken:
        is_ours = (Message.id.in_([one.id for one in taken]), Message.state == "sending", Message.claimed_by == taken[0].claimed_by)
        unbegun = select(Delivery.id).where(
            Delivery.message_id == Message.id, Delivery.attempt == Message.attempts, Delivery.outcome == "claimed"
        )
        _unclaim(session, session.scalars(select(Message.id).where(*is_ours, unbegun.exists()).with_for_update()).all())


def _unclaim(session: Session, ids: Sequence[int]) -> None:
    if not ids:
        return
    session.execute(
        update(Message)
        .where(Message.id.in_(ids))
        .values(state="waiting", lease_until=None, claimed_by=None, attempts=Message.attempts - 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Delivery).where(Delivery.message_id.in_(ids), Delivery.outcome == "claimed"))


def reroute(session: Session, account_id: int, note: SenderNote) -> int:
    """What waits for an employee's own account goes by the firm's. Returns how many messages that were."""
    return row_count(
        session,
        update(Message)
        .where(Lane(Channel.EMAIL, account_id).messages, Message.state == "waiting")
        .values(account_id=None, note=note.value)
        .execution_options(synchronize_session=False),
    )


def expire(session: Session, lane: Lane, before: datetime, error: str) -> None:
    """Messages older than `before` that still wait are given up, with what their account last said."""
    session.execute(
        update(Message)
        .where(lane.messages, Message.state == "waiting", Message.created_at < before)
        .values(state="failed", error=error)
        .execution_options(synchronize_session=False)
    )


def cancel_one(session: Session, message_id_: int) -> bool:
    """Takes a message out of the queue. False where it no longer waits."""
    done = row_count(
        session,
        update(Message)
        .where(Message.id == message_id_, Message.state == "waiting")
        .values(state="cancelled")
        .execution_options(synchronize_session=False),
    )
    session.execute(
        update(Message)
        .where(Message.id == message_id_, Message.state == "cancelled", Message.kind.in_(SECRET_KINDS))
        .values(text="", layout={})  # a link that opens an account is not kept
        .execution_options(synchronize_session=False)
    )
    return done > 0


def cancel(session: Session, event_id: int) -> tuple[Told, Told]:
    """Cancels what an event still has waiting, unless some of it has gone. Returns (cancelled, gone).

    The rows are locked before they are counted: a worker that is claiming them is waited for, and then they have gone.
    """
    columns = (Message.id, Message.state, Message.attempts, *_TOLD)
    rows = session.execute(select(*columns).where(Message.event_id == event_id).order_by(Message.id).with_for_update()).all()
    gone = [row for row in rows if row.state in ("sending", "sent", "tray", "failed") or row.attempts > 0]
    if gone:
        return NOBODY, told_of(map(_line, gone))
    waiting = [row for row in rows if row.state == "waiting"]
    if waiting:
        ids = [row.id for row in waiting]
        session.execute(update(Message).where(Message.id.in_(ids)).values(state="cancelled").execution_options(synchronize_session=False))
    return told_of(map(_line, waiting)), NOBODY


def cancel_of_order(session: Session, order_id: int) -> None:
    """What rules and mentions still have waiting about an order that was removed."""
    waiting = (Message.order_id == order_id, Message.state == "waiting", Message.kind.in_(("rule", "mention")))
    session.execute(update(Message).where(*waiting).values(state="cancelled").execution_options(synchronize_session=False))


def told_by(session: Session, event_id: int) -> tuple[Told, datetime | None]:
    """Messages that an event caused, with the events that rules made of it, as they were counted at once; and when the first
    leaves that still waits. What was cancelled since, put off, or sent again by hand does not count."""
    caused = select(Event.id).where(Event.id == event_id).cte(recursive=True)
    caused = caused.union_all(select(Event.id).join(caused, Event.cause_event_id == caused.c.id))
    rows = session.execute(
        select(Message.state, Message.due_at, *_TOLD)
        .join(Event, Event.id == Message.event_id)
        .where(Event.id.in_(select(caused.c.id)), Message.kind.in_(("rule", "mention")), Message.created_at == Event.at)
        .where(Message.state != "cancelled")
        .order_by(Message.id)
    ).all()
    waiting = [row.due_at for row in rows if row.state == "waiting"]
    return told_of(map(_line, rows)), min(waiting, default=None)


def _line(row: Record) -> ToldLine:
    return line(Channel(row.channel), row.name, row.address, read_layout(row.layout))


def send_again(session: Session, message_id_: int, host: str) -> Message | None:
    """A new copy of a message, due at once, with a Message-ID of its own; not a rule's any more, since somebody asked for it.
    None where there is no such message, or its text is no longer kept."""
    message = session.get(Message, message_id_)
    if message is None or message.kind in SIGN_IN_KINDS or not message.text_kept:
        return None
    stem, _, _copy = message.key.rpartition(":")
    copies = session.scalar(select(func.count()).select_from(Message).where(Message.key.startswith(stem + ":", autoescape=True))) or 1
    key = f"{stem}:{copies}"
    copied = {
        column: getattr(message, column)
        for column in (
            "channel",
            "event_id",
            "order_id",
            "rule_id",
            "template_id",
            "person_id",
            "account_id",
            "note",
            "reply_to",
            "name",
            "address",
            "subject",
            "text",
            "layout",
            "language",
        )
    }
    kind = "copy" if message.kind == "rule" else message.kind
    again = Message(**copied, kind=kind, key=key, message_id=message_id(key, host), due_at=clock.now())
    session.add(again)
    session.flush()
    wake(session, Topic.OUTBOX)
    return again


def oldest_waiting(session: Session, now: datetime) -> datetime | None:
    """When the message that has been due for longest was due; None where nothing is due."""
    return session.scalar(select(func.min(Message.due_at)).where(Message.state == "waiting", Message.due_at <= now))


def waiting_count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Message).where(Message.state == "waiting")) or 0
