"""The outbox and its worker against a real SMTP server: what arrives, what waits, what is never lost."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import String, delete, select, update
from sqlalchemy import cast as cast_to

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.models import Delivery, MailAccount, Message
from rules.post import outbox
from rules.post.deliveries import next_try
from rules.post.lane import LaneWorker
from rules.post.sign_in_emails import answer_resets
from rules.seal import seal, unseal
from rules.worker import Worker
from tests.bareserver import BareServer
from tests.cast import Cast, Signed
from tests.mailserver import USER, WORD, Certificates, DrippingServer, MailServer, free_port
from tests.messages import put_messages


def smtp(config: Config, port: int, certificates: Certificates, **changed: object) -> Config:
    values: dict[str, object] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "starttls",
        "smtp_user": USER,
        "smtp_password": WORD,
        "smtp_from": USER,
        "smtp_from_name": "Кухни «Мельников»",
        "smtp_ca_file": certificates.ca_file,
        "undo_window_s": 0,
        "smtp_timeout_s": 2,
        "letter_deadline_s": 3,
    }
    return replace(config, **(values | changed))  # type: ignore[arg-type]


@pytest.fixture
def worker(app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast) -> Iterator[Worker]:
    """A worker for the mail server, on the cast's database; step() by hand."""
    yield use(app, smtp(config, mail_server.port, certificates))


def use(app: Flask, config: Config) -> Worker:
    app.config["POTOK"] = config
    return Worker(app)


def hurry(**values: object) -> None:
    """All waiting letters are due now, and no account is left alone any longer."""
    with transaction() as session:
        session.execute(update(MailAccount).values(paused_until=None))
        session.execute(update(Message).where(Message.state == "waiting").values(due_at=clock.now(), **values))


def drain(worker: Worker, rounds: int = 20) -> None:
    hurry()
    for _ in range(rounds):
        if not worker.step():
            return


def states(cast: Cast) -> dict[str, str]:
    return {message.address.split("@")[0]: message.state for message in cast.messages()}


def test_messages_arrive_as_they_should(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    order_id = cast.place().id
    drain(worker)
    assert sorted(mail_server.handler.recipients) == ["designer@melnikov.example", "manager@melnikov.example"]
    message = next(one for one in mail_server.mail if "manager" in one["To"])
    assert message["Subject"] == "К-0001: Разработка проекта, Хасанова Гузель"
    assert message["From"] == "Кухни «Мельников» <potok@melnikov.example>"
    assert message["X-Potok-Event"] == str(cast.messages()[0].event_id)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] in [one.message_id for one in cast.messages()]
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert f"http://127.0.0.1:8000/orders/{order_id}" in text and f"http://127.0.0.1:8000/orders/{order_id}" in html
    assert "Ожидаемая установка" in html and "Менеджер" in text
    assert states(cast) == {"manager": "sent", "designer": "sent"}
    deliveries = db.session.scalars(select(Delivery)).all()
    assert [(one.outcome, one.attempt) for one in deliveries] == [("sent", 1)] * 2


def test_nothing_leaves_before_the_window_ends(app: Flask, worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    assert worker.step() is False
    assert mail_server.mail == []


def test_what_was_undone_never_leaves(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event
    cast.undo(order, moved.event.id)
    drain(worker)
    assert {one["X-Potok-Event"] for one in mail_server.mail} == {str(cast.messages()[0].event_id)}


def test_one_refused_address_fails_and_the_others_go(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["designer@melnikov.example"] = "550 5.1.1 No such user"
    cast.place()
    drain(worker)
    assert states(cast) == {"manager": "sent", "designer": "failed"}
    failed = next(message for message in cast.messages() if message.state == "failed")
    assert failed.error == "550 5.1.1 No such user" and failed.attempts == 1


def test_a_passing_refusal_is_tried_again_later(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["designer@melnikov.example"] = "451 4.7.1 Greylisted"
    cast.place()
    drain(worker, rounds=2)
    assert states(cast) == {"manager": "sent", "designer": "waiting"}
    waiting = next(message for message in cast.messages() if message.state == "waiting")
    assert timedelta(seconds=50) < waiting.due_at - clock.now() <= timedelta(seconds=60)
    mail_server.handler.refuse.clear()
    drain(worker)
    assert states(cast) == {"manager": "sent", "designer": "sent"}
    assert len(mail_server.mail) == 2


def test_an_undo_takes_back_no_message_that_was_refused_for_now(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    """The server has seen it: nobody knows whether it got any further, and the way back is an ordinary move."""
    for who in ("manager", "accountant"):
        mail_server.handler.refuse[cast.email(who)] = "451 4.7.1 Greylisted"
    order = cast.place()
    with transaction() as session:
        session.execute(delete(Message))
    moved = cast.move(order, "prepaid")
    drain(worker, rounds=1)
    assert states(cast) == {"manager": "waiting", "accountant": "waiting"} and not mail_server.mail
    assert moved.event and cast.undo(order, moved.event.id).undone.gone.counts == ((Channel.EMAIL, 2),)
    mail_server.handler.refuse.clear()
    drain(worker)
    assert Counter(one["To"].split("<")[-1].split("@")[0] for one in mail_server.mail)["accountant"] == 1
    assert "cancelled" not in states_of(cast)


def test_a_refusal_after_data(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.data_answer = "552 5.2.2 Mailbox size limit exceeded"
    cast.place()
    drain(worker)
    assert set(states(cast).values()) == {"failed"}


def test_a_connection_dropped_after_data_sends_again_with_the_same_message_id(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.drop_after_data = 1
    cast.place()
    drain(worker, rounds=1)
    assert sorted(states(cast).values()) == ["sent", "waiting"], "the next letter got a connection of its own"
    drain(worker)
    assert set(states(cast).values()) == {"sent"}
    ids = [one["Message-ID"] for one in mail_server.mail]
    assert len(ids) == 3 and len(set(ids)) == 2, "the second copy is recognisable"


def test_a_server_that_is_down_delays_and_loses_nothing(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    port = free_port()
    down = use(app, smtp(config, port, certificates))
    cast.place()
    hurry()
    down.step()
    messages = cast.messages()
    assert {message.state for message in messages} == {"waiting"}
    assert ["refused" in message.error for message in messages] == [True, False], "the rest of the batch is not tried, and waits as long"
    assert len({message.due_at for message in messages}) == 1 or messages[1].due_at >= messages[0].due_at - timedelta(seconds=1)
    with MailServer(certificates, port=port) as server:
        drain(down)
        assert len(server.mail) == 2
    assert set(states(cast).values()) == {"sent"}


def test_a_dripping_server_is_cut_off_in_time(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    cast.place()
    hurry()
    with DrippingServer() as server:
        slow = use(app, smtp(config, server.port, certificates, smtp_security="none", smtp_timeout_s=10, letter_deadline_s=1))
        started = time.monotonic()
        slow.step()
        took = time.monotonic() - started
    assert took < 5, "each read succeeds, so only a deadline of the whole letter ends it"
    assert {message.state for message in cast.messages()} == {"waiting"}
    assert "no answer within 1 s" in cast.messages()[0].error


def test_a_wrong_password_is_the_accounts_fault_and_no_messages(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    cast.place()
    hurry()
    use(app, smtp(config, mail_server.port, certificates, smtp_password="wrong")).step()
    messages = cast.messages()
    assert {message.state for message in messages} == {"waiting"} and messages[0].error.startswith("535")


def test_an_account_at_fault_puts_off_none_of_its_messages(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    """Its pause says when they go on; as they stand in line, so they leave."""
    cast.place()
    cast.place()
    hurry()
    due = {message.id: message.due_at for message in cast.messages()}
    use(app, smtp(config, mail_server.port, certificates, smtp_password="wrong")).step()
    messages = cast.messages()
    assert any(message.attempts for message in messages)
    assert {message.id: message.due_at for message in messages} == due


def test_a_certificate_nobody_vouches_for_is_refused(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    cast.place()
    hurry()
    use(app, smtp(config, mail_server.port, certificates, smtp_ca_file="")).step()
    assert mail_server.mail == []
    assert "CERTIFICATE_VERIFY_FAILED" in cast.messages()[0].error


def test_starttls_is_never_silently_skipped(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    cast.place()
    hurry()
    with MailServer(certificates, security="none") as server:
        use(app, smtp(config, server.port, certificates)).step()
        assert server.mail == []
    assert "STARTTLS" in cast.messages()[0].error


def test_tls_from_the_first_byte(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    cast.place()
    with MailServer(certificates, security="tls") as server:
        drain(use(app, smtp(config, server.port, certificates, smtp_security="tls")))
        assert len(server.mail) == 2


def test_without_an_account_messages_go_to_the_tray_and_stay_there(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    cast.place()
    drain(use(app, config))
    assert set(states(cast).values()) == {"tray"}
    drain(use(app, smtp(config, mail_server.port, certificates)))
    assert mail_server.mail == []


def test_send_again_is_a_copy_with_a_message_id_of_its_own(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    drain(worker)
    first = cast.messages()[0]
    with transaction() as session:
        outbox.send_again(session, first.id, "127.0.0.1")
        outbox.send_again(session, first.id, "127.0.0.1")
    drain(worker)
    ids = [one["Message-ID"] for one in mail_server.mail if first.address in one["To"]]
    assert len(ids) == 3 and len(set(ids)) == 3


def test_a_message_whose_lease_is_too_short_goes_back_untried(worker: Worker, app: Flask, config: Config, cast: Cast) -> None:
    cast.place()
    hurry()
    short = replace(app.config["POTOK"], lease_s=1)
    LaneWorker(app, short, outbox.SYSTEM, lambda: False).run()
    assert {(message.state, message.attempts) for message in cast.messages()} == {("waiting", 0)}
    assert db.session.scalars(select(Delivery)).all() == []


def test_a_lease_that_ran_out_frees_the_message(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    hurry()
    with transaction() as session:
        begun, _ = outbox.claim(session, "a worker that died", -1, clock.now())
        assert outbox.begin(session, begun, clock.now(), -60)
    drain(worker)
    assert set(states(cast).values()) == {"sent"}
    tried = [(one.message_id == begun.id, one.attempt, one.outcome) for one in db.session.scalars(select(Delivery).order_by(Delivery.id))]
    assert sorted(tried) == [(False, 1, "sent"), (True, 1, "unknown"), (True, 2, "sent")], "the other had not begun"


def test_a_message_that_somebody_took_anew_does_not_begin(cast: Cast) -> None:
    cast.place()
    hurry()
    with transaction() as session:
        held = outbox.claim(session, "one", -1, clock.now())
    db.session.expunge_all()
    with transaction() as session:
        assert outbox.free_claims(session, clock.now()) == []
    with transaction() as session:
        assert not outbox.begin(session, held[0], clock.now(), 60)
        taken = outbox.claim(session, "two", 120, clock.now())
        assert not outbox.begin(session, held[0], clock.now(), 60) and outbox.begin(session, taken[0], clock.now(), 60)
        assert not outbox.begin(session, taken[0], clock.now(), 60), "once only"


def test_two_workers_never_claim_the_same_message(cast: Cast) -> None:
    for _ in range(10):
        cast.place()
    hurry()
    with transaction() as session:
        session.execute(update(Message).values(address=cast_to(Message.id, String) + "@melnikov.example", person_id=None))
    with transaction() as session:
        first = {one.id for one in outbox.claim(session, "one", 120, clock.now(), most=7)}
    with transaction() as session:
        second = {one.id for one in outbox.claim(session, "two", 120, clock.now())}
    assert len(first) == 7 and len(second) == 13 and not first & second


def test_a_recipients_messages_are_never_in_two_workers_hands(cast: Cast) -> None:
    for _ in range(3):
        cast.place()
    hurry()
    with transaction() as session:
        first = outbox.claim(session, "one", 120, clock.now(), most=1)
    with transaction() as session:
        second = outbox.claim(session, "two", 120, clock.now())
    assert {one.address for one in second}.isdisjoint({one.address for one in first}) and len(second) == 3


def test_a_message_behind_one_that_was_refused_for_now_waits_for_it(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["designer@melnikov.example"] = "451 4.7.1 Greylisted"
    cast.place()
    drain(worker, rounds=2)
    mail_server.handler.refuse.clear()
    cast.place()
    with transaction() as session:
        session.execute(update(Message).where(Message.attempts == 0).values(due_at=clock.now()))
    worker.step()
    assert [one["To"] for one in mail_server.mail if "designer" in one["To"]] == []
    drain(worker)
    subjects = [one["Subject"] for one in mail_server.mail if "designer" in one["To"]]
    assert [subject.split(":")[0] for subject in subjects] == ["К-0001", "К-0002"]


def test_an_accounts_limit_holds_messages_back_and_loses_none(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    for _ in range(3):
        cast.place()
    held = use(app, smtp(config, mail_server.port, certificates, smtp_per_hour=4))
    drain(held)
    assert len(mail_server.mail) == 4 and Counter(states_of(cast)) == {"sent": 4, "waiting": 2}
    assert held.step() is False
    with transaction() as session:
        hour_ago = clock.now() - timedelta(minutes=61)
        session.execute(update(Delivery).values(started_at=hour_ago, ended_at=hour_ago))
    drain(held)
    assert len(mail_server.mail) == 6 and set(states_of(cast)) == {"sent"}


def test_a_copy_to_oneself_counts_against_the_accounts_limit(app: Flask, config: Config) -> None:
    with transaction() as session:
        stored = MailAccount(
            kind="named", address="info@melnikov.example", host="127.0.0.1", port=1, security="none", per_hour=5, copy_to_self=True
        )
        session.add(stored)
    with BareServer() as server:
        with transaction() as session:
            session.execute(update(MailAccount).values(port=server.port))
        expected = put_messages([f"p{n}@melnikov.example" for n in range(4)], account_id=stored.id)
        drain(use(app, config))
        assert {one.message_id for one in server.arrivals} == set(expected[:2])


def test_a_providers_block_pauses_the_account_for_as_long_as_it_asks(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["manager@melnikov.example"] = "451 4.7.1 Ratelimit exceeded, try again in 2 hours"
    cast.place()
    drain(worker)
    account = db.session.scalars(select(MailAccount)).one()
    assert account.paused_until is not None and timedelta(minutes=119) < account.paused_until - clock.now() <= timedelta(hours=2)
    assert worker.step() is False and "failed" not in states_of(cast)


def test_administrators_hear_of_an_account_that_sends_nothing_once(app: Flask, config: Config, cast: Cast) -> None:
    cast.place()
    worker = use(app, replace(config, smtp_host="127.0.0.1", smtp_port=free_port(), smtp_security="none", smtp_from="a@melnikov.example"))
    for _ in range(7):
        drain(worker, rounds=1)
        with transaction() as session:
            session.execute(update(MailAccount).values(paused_until=None))
    assert [one.name for one in cast.messages(kind="account")] == ["Сергей Мельников"]
    with transaction() as session:
        session.execute(update(MailAccount).values(paused_until=clock.now() + timedelta(minutes=5)))
    page = Signed(app.test_client(), cast.email("owner")).get("/settings/messages").text
    assert "сейчас не принимает письма" in page and "Connection refused" in page


def test_an_end_nobody_answered_for_is_repeated_once_and_marked(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.drop_after_data = 4
    cast.place()
    for _ in range(4):
        drain(worker, rounds=1)
    messages = cast.messages(kind="rule", channel="email")
    assert [message.state for message in messages] == ["failed", "failed"] and all("never said" in message.error for message in messages)
    assert [one.name for one in cast.messages(kind="held")] == ["Сергей Мельников"] * 2, "an administrator hears of each"
    assert len(mail_server.mail) == 4 and len({one["Message-ID"] for one in mail_server.mail}) == 2
    tried = select(Delivery.outcome).where(Delivery.message_id.in_([message.id for message in messages]))
    assert list(db.session.scalars(tried)) == ["unclear"] * 4


def test_a_dead_account_never_delays_the_others(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    with DrippingServer() as dripping:
        with transaction() as session:
            dead = MailAccount(
                kind="named", address="dead@melnikov.example", host="127.0.0.1", port=dripping.port, security="none", timeout_s=10
            )
            session.add(dead)
        for _ in range(4):
            cast.place()
        with transaction() as session:
            session.execute(update(Message).where(Message.address.like("designer%")).values(account_id=dead.id))
        worker = use(app, smtp(config, mail_server.port, certificates, letter_deadline_s=5))
        hurry()
        started = time.monotonic()
        worker.look()
        while len(mail_server.mail) < 4 and time.monotonic() - started < 10:
            time.sleep(0.02)
        took = time.monotonic() - started
        assert len(mail_server.mail) == 4 and took < 5, "before the dead account's deadline"
        worker.step()
    messages = cast.messages()
    assert {(one.account_id, one.note) for one in messages if one.address.startswith("designer")} == {(None, "own_account_failed")}


def states_of(cast: Cast) -> list[str]:
    return [message.state for message in cast.messages()]


def test_waits_double_up_to_a_cap_and_end_after_five_days(config: Config) -> None:
    start = datetime(2026, 11, 24, tzinfo=clock.now().tzinfo)
    waits = [(next_try(start, attempt, start, config) or start) - start for attempt in range(1, 11)]
    assert [int(wait.total_seconds() // 60) for wait in waits] == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]
    assert next_try(start, 40, start + timedelta(days=5), config) is None


def test_a_password_message_is_not_kept(worker: Worker, mail_server: MailServer, app: Flask, cast: Cast) -> None:
    client = app.test_client()
    page = client.get("/reset").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/reset", data={"email": cast.email("designer"), "csrf_token": token})
    with transaction() as session:
        answer_resets(session, app.config["POTOK"])
    message = cast.messages(kind="reset")[0]
    assert "/reset/" in message.layout["url"]
    drain(worker)
    sent = mail_server.mail[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "/reset/" in sent
    message = cast.messages(kind="reset")[0]
    assert message.state == "sent" and message.text == "" and message.layout == {}


def test_a_sealed_password_opens_only_with_its_key() -> None:
    sealed = seal("пароль", "one")
    assert "пароль" not in sealed
    assert unseal(sealed, "one") == "пароль" and unseal(sealed, "two") == ""


def test_the_stored_account_is_used_and_its_health_kept(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    with transaction() as session:
        session.add(
            MailAccount(
                address=USER,
                sender_name="",
                host="127.0.0.1",
                port=mail_server.port,
                security="starttls",
                username=USER,
                sealed_password=seal(WORD, config.seal_key),
                timeout_s=2,
            )
        )
    cast.place()
    drain(use(app, replace(config, smtp_ca_file=certificates.ca_file, letter_deadline_s=3)))
    assert len(mail_server.mail) == 2
    account = db.session.scalars(select(MailAccount).execution_options(populate_existing=True)).one()
    assert account.last_sent_at is not None and account.last_error == ""
