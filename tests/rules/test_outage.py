"""An outage of ten minutes with many letters waiting: all arrive, in order for each recipient, within the account's limits.
The server is real; only the waits are on a clock of the test's own."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from kanban import clock
from kanban.config import Config
from kanban.db import db
from rules.models import Delivery, MailAccount, Message
from rules.post.limits import DAY, HOUR, goes_on_at, used
from rules.worker import Worker
from tests.bareserver import BareServer, End
from tests.messages import put_messages
from tests.soak import size

MESSAGES = size(100, 1_000, 10_000)
RECIPIENTS, PER_HOUR, PER_DAY = MESSAGES // 10, MESSAGES * 3 // 20, MESSAGES * 3 // 4
BEFORE = PER_HOUR // 2  # messages that arrive before the outage
OUTAGE = timedelta(minutes=10)
A_MESSAGE_TAKES = timedelta(seconds=0.5)


class JumpingClock:
    """Goes on as the real one does, and jumps over waits."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def jump(self, by: timedelta) -> None:
        self._ahead += by


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> JumpingClock:
    made = JumpingClock()
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.mark.soak
def test_an_outage_of_ten_minutes_loses_nothing_and_keeps_order_and_limits(app: Flask, config: Config, jumping: JumpingClock) -> None:
    server = BareServer()

    def on_text(_message_id: str, _address: str) -> End:
        jumping.jump(A_MESSAGE_TAKES)
        return End()

    def on_mail() -> str:
        if len(server.arrivals) < BEFORE:
            return "250 OK"
        server.stop()
        return ""

    server.on_text, server.on_mail = on_text, on_mail
    app.config["POTOK"] = replace(
        config,
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_security="none",
        smtp_from="potok@melnikov.example",
        smtp_per_hour=PER_HOUR,
        smtp_per_day=PER_DAY,
    )
    expected = put_messages([f"p{n % RECIPIENTS}@melnikov.example" for n in range(MESSAGES)])
    began = clock.now()
    worker = Worker(app)
    with server:
        worker.step()
    assert len(server.arrivals) == BEFORE
    up_at = clock.now() + OUTAGE
    while clock.now() < up_at:
        worker.step()
        jumping.jump(min(_next_moment(), up_at) - clock.now())
    tries = db.session.scalar(select(func.count()).where(Delivery.outcome == "retry"))
    arrivals = server.arrivals
    with BareServer(server.port) as server:
        server.on_text = on_text
        while _waiting() and clock.now() < began + 3 * DAY:
            before = len(server.arrivals)
            worker.step()
            if len(server.arrivals) == before:
                jumping.jump(_next_moment() - clock.now())
    arrivals += server.arrivals
    most_hour, most_day = _most_within(HOUR, [one.at for one in arrivals]), _most_within(DAY, [one.at for one in arrivals])
    print(f"\n{len(arrivals)} letters in {clock.now() - began}, {tries} tries in the outage; at most {most_hour} an hour, {most_day} a day")
    assert sorted(one.message_id for one in arrivals) == sorted(expected)
    by_address: dict[str, list[int]] = defaultdict(list)
    for one in arrivals:
        by_address[one.address].append(expected.index(one.message_id))
    assert len(by_address) == RECIPIENTS and all(numbers == sorted(numbers) for numbers in by_address.values())
    assert most_hour <= PER_HOUR and most_day <= PER_DAY
    assert set(db.session.scalars(select(Message.state))) == {"sent"}
    assert tries is not None and tries < 20, "a server that is down is not beleaguered"


def _waiting() -> int:
    found = db.session.scalar(select(func.count()).where(Message.state.in_(("waiting", "sending")))) or 0
    db.session.rollback()
    return found


def _next_moment() -> datetime:
    """When something may go on: the account's pause or limit ends, or a letter is due."""
    now = clock.now()
    account = db.session.scalars(select(MailAccount).execution_options(populate_existing=True)).one()
    due_at = db.session.scalar(select(func.min(Message.due_at)).where(Message.state == "waiting", Message.due_at > now))
    moments = [account.paused_until, goes_on_at(account, used(db.session(), account, now)), due_at]
    db.session.rollback()
    return min((one for one in moments if one is not None and one > now), default=now + timedelta(minutes=1))


def _most_within(window: timedelta, moments: Sequence[datetime]) -> int:
    """The most that came in any such stretch of time."""
    in_order = sorted(moments)
    return max(place + 1 - bisect_right(in_order, moment - window) for place, moment in enumerate(in_order))
