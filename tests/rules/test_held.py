"""Letters that the worker dies of, a clock that jumps, and a key that is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.models import Beat
from kanban.transactions import transaction
from rules.models import Delivery, MailAccount, Message
from rules.post.held import HELD
from rules.worker import Worker
from tests.bareserver import BareServer
from tests.cast import Cast, Signed
from tests.mailserver import Certificates, MailServer
from tests.rules.test_worker import drain, smtp, use


def die_in_the_middle(message: Message) -> None:
    """What a kill in the middle of a letter leaves behind."""
    with transaction() as session:
        session.execute(
            update(Message)
            .where(Message.id == message.id)
            .values(state="sending", claimed_by="test", attempts=Message.attempts + 1, lease_until=clock.now() - timedelta(seconds=1))
        )
        attempt = session.scalars(select(Message.attempts).where(Message.id == message.id)).one()
        session.add(Delivery(message_id=message.id, attempt=attempt, started_at=clock.now(), outcome="started", answer=""))


def test_a_message_that_ends_unknown_three_times_is_held_and_told(app: Flask, cast: Cast, config: Config) -> None:
    """One went out 19 times in 200 kills."""
    cast.place()
    message = cast.messages()[0]
    worker = Worker(app)
    for times in (1, 2, 3):
        die_in_the_middle(message)
        worker._free()
        assert cast.messages(id=message.id)[0].state == ("failed" if times == 3 else "waiting"), times
    assert cast.messages(id=message.id)[0].error == HELD
    notices = cast.messages(kind="held")
    assert [one.name for one in notices] == ["Сергей Мельников"] and message.address in notices[0].text
    owner = Signed(app.test_client(), cast.email("owner"))
    assert "не знает никто" in owner.get(f"/settings/messages/{message.id}").text
    assert owner.post(f"/settings/messages/{message.id}/send-again").status_code == 303, "a person who has looked sends it again"


def test_a_clock_that_went_forward_and_back_stops_no_housekeeping(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, ahead = Worker(app), timedelta(0)
    real = datetime.now

    monkeypatch.setattr(clock, "now", lambda: real(UTC) + ahead)
    worker.step()
    ahead = timedelta(days=3)
    worker.step()
    client = app.test_client()
    ahead = timedelta(0)
    answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.json["worker"] == "silent", "a beat of the future is no sign of life"
    worker.step()
    db.session.rollback()
    beat = db.session.scalars(select(Beat.at)).one()
    assert abs(clock.now() - beat) < timedelta(seconds=10) and client.get("/healthz").status_code == 200


def test_with_a_lost_key_nobody_signs_in_with_an_empty_password(
    app: Flask, config: Config, certificates: Certificates, cast: Cast, mail_server: MailServer
) -> None:
    tried: list[Any] = []
    with BareServer() as server:
        server.on_mail = lambda: tried.append(1) or "250 OK"  # type: ignore[func-returns-value]
        with transaction() as session:
            session.add(
                MailAccount(
                    kind="system",
                    address="a@melnikov.example",
                    host="127.0.0.1",
                    port=server.port,
                    security="none",
                    username="a",
                    sealed_password="gAAAA-of-another-key",
                )
            )
        cast.place()
        drain(use(app, config))
        assert tried == []
    messages = cast.messages()
    assert {one.state for one in messages} == {"waiting"}
    db.session.rollback()
    assert "sealed with another key" in db.session.scalars(select(MailAccount.last_error)).one()
    page = Signed(app.test_client(), cast.email("owner")).get("/settings/mail").text
    assert "Введите пароль ещё раз" in page
    drain(use(app, smtp(config, mail_server.port, certificates)))
