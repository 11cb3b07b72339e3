"""All letters paused: what rules wrote stays, what somebody asked for goes, and afterwards all leave in order."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parseaddr

import pytest
from flask import Flask
from sqlalchemy import update

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Forbidden
from kanban.models import Person
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.models import Message
from rules.post import outbox, pause, sign_in_emails
from rules.post.lane import LaneWorker
from rules.worker import Worker
from tests.cast import Cast
from tests.mailserver import Certificates, MailServer
from tests.rules.test_worker import drain, hurry, smtp, states, use


@pytest.fixture
def worker(app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast) -> Iterator[Worker]:
    yield use(app, smtp(config, mail_server.port, certificates))


def begin(cast: Cast) -> None:
    with transaction() as session:
        pause.begin(session, cast.owner)


def end(cast: Cast) -> None:
    with transaction() as session:
        pause.end(session, cast.owner)


def reset(cast: Cast, who: str) -> None:
    with transaction() as session:
        person = session.get_one(Person, cast.people[who])
        sign_in_emails.put(session, Config(public_url="http://potok"), "reset", person, "Новый пароль", "Ссылка", "/reset/x", "ru")


def test_messages_of_rules_stay_and_the_worker_rests(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    begin(cast)
    hurry()
    assert worker.step() is False, "nothing is due, so no lane is started again and again"
    assert mail_server.mail == [] and set(states(cast).values()) == {"waiting"}
    assert all(message.attempts == 0 for message in cast.messages())


def test_a_new_password_and_a_copy_sent_again_go(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    begin(cast)
    reset(cast, "accountant")
    with transaction() as session:
        again = outbox.send_again(session, cast.messages()[0].id, "potok")
        assert again is not None and again.kind == "copy"
        copied = again.message_id
    drain(worker)
    assert sorted(one["Message-ID"] for one in mail_server.mail) == sorted(
        [copied, *(message.message_id for message in cast.messages(kind="reset"))]
    )
    assert {message.state for message in cast.messages(kind="rule")} == {"waiting"}


def test_what_was_asked_for_does_not_wait_behind_a_paused_message(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse[cast.email("designer")] = "451 4.7.1 Greylisted"
    cast.place()
    drain(worker, rounds=2)
    mail_server.handler.refuse.clear()
    mail_server.mail.clear()
    begin(cast)
    reset(cast, "designer")
    drain(worker)
    assert [parseaddr(one["To"])[1] for one in mail_server.mail] == [cast.email("designer")]
    assert [message.state for message in cast.messages(kind="rule", address=cast.email("designer"))] == ["waiting"]


def test_a_pause_in_the_middle_of_a_lane_stops_what_has_not_begun(app: Flask, worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    worker.step()
    for _ in range(40):
        cast.place()
    hurry()
    looks = 0

    def pause_at_the_second_look() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            begin(cast)
        return False

    run = LaneWorker(app, app.config["POTOK"], outbox.SYSTEM, pause_at_the_second_look)
    run.run()
    sent, kept = len(mail_server.mail), cast.messages(state="waiting")
    assert 0 < sent < outbox.BATCH and sent + len(kept) == 80
    assert all(message.attempts == 0 for message in kept), "what was given back was not tried"
    assert worker.step() is False
    end(cast)
    drain(worker)
    assert len(mail_server.mail) == 80 and set(states(cast).values()) == {"sent"}


def test_on_resume_all_leave_in_order(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    begin(cast)
    for _ in range(6):
        cast.place()
    hurry()
    worker.step()
    end(cast)
    drain(worker)
    of_designer = [one["Message-ID"] for one in mail_server.mail if cast.email("designer") in one["To"]]
    assert of_designer == [message.message_id for message in cast.messages(address=cast.email("designer"))]
    assert len(of_designer) == 6 and set(states(cast).values()) == {"sent"}


def test_a_pause_longer_than_messages_are_tried_takes_nothing_from_them(
    worker: Worker, mail_server: MailServer, cast: Cast, config: Config
) -> None:
    mail_server.handler.refuse[cast.email("designer")] = "451 4.7.1 Greylisted"
    cast.place()
    begin(cast)
    with transaction() as session:
        session.execute(update(Message).values(created_at=clock.now() - timedelta(seconds=config.retry_for_s + 60)))
    end(cast)
    drain(worker, rounds=2)
    assert states(cast) == {"manager": "sent", "designer": "waiting"}


def test_notices_in_the_application_go_on(cast: Cast, app: Flask) -> None:
    cast.place()
    with transaction() as session:
        session.execute(update(Message).values(channel="notice"))
    hurry()
    lane = outbox.Lane(Channel.NOTICE)
    assert outbox.lanes_due(db.session(), clock.now(), only_asked_for=True) == [lane]
    with transaction() as session:
        assert len(outbox.claim(session, "w", 60, clock.now(), lane=lane, only_asked_for=True)) == 2


def test_an_undo_still_cancels_what_is_paused(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    order = cast.place()
    drain(worker)
    mail_server.mail.clear()
    begin(cast)
    moved = cast.move(order, "prepaid")
    assert moved.event
    cast.undo(order, moved.event.id)
    end(cast)
    drain(worker)
    assert mail_server.mail == []


def test_only_admins_pause_and_resume(cast: Cast) -> None:
    for verb in (pause.begin, pause.end):
        with pytest.raises(Forbidden), transaction() as session:
            verb(session, cast.manager)
