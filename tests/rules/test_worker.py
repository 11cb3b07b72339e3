"""The outbox and its worker against a real SMTP server: what arrives, what waits, what is never lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from rules import outbox
from rules.accounts import current_account, seal, unseal
from rules.deliveries import next_try
from rules.models import Delivery, MailAccount, Message
from rules.worker import Worker
from tests.cast import Cast
from tests.mailserver import USER, WORD, Certificates, DrippingServer, MailServer, free_port

ROOT = Path(__file__).parent.parent.parent


def smtp(config: Config, port: int, certificates: Certificates, **changed: object) -> Config:
    values: dict[str, object] = {
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "starttls", "smtp_user": USER, "smtp_password": WORD,
        "smtp_from": USER, "smtp_from_name": "Кухни «Мельников»", "smtp_ca_file": certificates.ca_file, "undo_window_s": 0,
        "smtp_timeout_s": 2, "letter_deadline_s": 3,
    }  # fmt: skip
    return replace(config, **(values | changed))  # type: ignore[arg-type]


@pytest.fixture
def worker(app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast) -> Iterator[Worker]:
    """A worker for the mail server, on the cast's database; step() by hand."""
    yield use(app, smtp(config, mail_server.port, certificates))


def use(app: Flask, config: Config) -> Worker:
    app.config["POTOK"] = config
    return Worker(app)


def hurry(**values: object) -> None:
    """All waiting letters are due now."""
    with transaction() as session:
        session.execute(update(Message).where(Message.state == "waiting").values(due_at=clock.now(), **values))


def drain(worker: Worker, rounds: int = 20) -> None:
    hurry()
    for _ in range(rounds):
        if not worker.step():
            return


def states(cast: Cast) -> dict[str, str]:
    return {letter.address.split("@")[0]: letter.state for letter in cast.letters()}


def test_letters_arrive_as_they_should(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    order_id = cast.place().id
    drain(worker)
    assert sorted(mail_server.handler.recipients) == ["designer@melnikov.example", "manager@melnikov.example"]
    letter = next(one for one in mail_server.mail if "manager" in one["To"])
    assert letter["Subject"] == "К-0001: Разработка проекта, Хасанова Гузель"
    assert letter["From"] == "Кухни «Мельников» <potok@melnikov.example>"
    assert letter["X-Potok-Event"] == str(cast.letters()[0].event_id)
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"] in [one.message_id for one in cast.letters()]
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = letter.get_body(("html",)).get_content()  # type: ignore[union-attr]
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
    assert {one["X-Potok-Event"] for one in mail_server.mail} == {str(cast.letters()[0].event_id)}


def test_one_refused_address_fails_and_the_others_go(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["designer@melnikov.example"] = "550 5.1.1 No such user"
    cast.place()
    drain(worker)
    assert states(cast) == {"manager": "sent", "designer": "failed"}
    failed = next(letter for letter in cast.letters() if letter.state == "failed")
    assert failed.error == "550 5.1.1 No such user" and failed.attempts == 1


def test_a_passing_refusal_is_tried_again_later(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    mail_server.handler.refuse["designer@melnikov.example"] = "451 4.7.1 Greylisted"
    cast.place()
    drain(worker, rounds=2)
    assert states(cast) == {"manager": "sent", "designer": "waiting"}
    waiting = next(letter for letter in cast.letters() if letter.state == "waiting")
    assert timedelta(seconds=50) < waiting.due_at - clock.now() <= timedelta(seconds=60)
    mail_server.handler.refuse.clear()
    drain(worker)
    assert states(cast) == {"manager": "sent", "designer": "sent"}
    assert len(mail_server.mail) == 2


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
    letters = cast.letters()
    assert {letter.state for letter in letters} == {"waiting"}
    assert ["refused" in letter.error for letter in letters] == [True, False], "the rest of the batch is not tried, and waits as long"
    assert len({letter.due_at for letter in letters}) == 1 or letters[1].due_at >= letters[0].due_at - timedelta(seconds=1)
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
    assert {letter.state for letter in cast.letters()} == {"waiting"}
    assert "no answer within 1 s" in cast.letters()[0].error


def test_a_wrong_password_is_the_accounts_fault_and_no_letters(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    cast.place()
    hurry()
    use(app, smtp(config, mail_server.port, certificates, smtp_password="wrong")).step()
    letters = cast.letters()
    assert {letter.state for letter in letters} == {"waiting"} and letters[0].error.startswith("535")


def test_a_certificate_nobody_vouches_for_is_refused(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast
) -> None:
    cast.place()
    hurry()
    use(app, smtp(config, mail_server.port, certificates, smtp_ca_file="")).step()
    assert mail_server.mail == []
    assert "CERTIFICATE_VERIFY_FAILED" in cast.letters()[0].error


def test_starttls_is_never_silently_skipped(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    cast.place()
    hurry()
    with MailServer(certificates, security="none") as server:
        use(app, smtp(config, server.port, certificates)).step()
        assert server.mail == []
    assert "STARTTLS" in cast.letters()[0].error


def test_tls_from_the_first_byte(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    cast.place()
    with MailServer(certificates, security="tls") as server:
        drain(use(app, smtp(config, server.port, certificates, smtp_security="tls")))
        assert len(server.mail) == 2


def test_without_an_account_letters_go_to_the_tray_and_stay_there(
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
    first = cast.letters()[0]
    with transaction() as session:
        outbox.send_again(session, first.id, "127.0.0.1")
        outbox.send_again(session, first.id, "127.0.0.1")
    drain(worker)
    ids = [one["Message-ID"] for one in mail_server.mail if first.address in one["To"]]
    assert len(ids) == 3 and len(set(ids)) == 3


def test_the_rest_of_a_batch_goes_back_before_the_lease_runs_out(worker: Worker, app: Flask, config: Config, cast: Cast) -> None:
    cast.place()
    hurry()
    with transaction() as session:
        claimed = outbox.claim(session, "worker", 1, clock.now())
    db.session.expunge_all()
    from rules.deliveries import deliver

    deliver(claimed, current_account(db.session(), app.config["POTOK"]), app.config["POTOK"])
    letters = cast.letters()
    assert {(letter.state, letter.attempts) for letter in letters} == {("waiting", 0)}


def test_a_lease_that_ran_out_frees_the_letter(worker: Worker, mail_server: MailServer, cast: Cast) -> None:
    cast.place()
    hurry()
    with transaction() as session:
        outbox.claim(session, "a worker that died", -1, clock.now())
    drain(worker)
    assert set(states(cast).values()) == {"sent"}
    outcomes = sorted(one.outcome for one in db.session.scalars(select(Delivery)))
    assert outcomes == ["sent", "sent", "unknown", "unknown"]


def test_two_workers_never_claim_the_same_letter(cast: Cast) -> None:
    for _ in range(10):
        cast.place()
    hurry()
    with transaction() as session:
        first = {one.id for one in outbox.claim(session, "one", 120, clock.now(), most=7)}
    with transaction() as session:
        second = {one.id for one in outbox.claim(session, "two", 120, clock.now())}
    assert len(first) == 7 and len(second) == 13 and not first & second


def test_waits_double_up_to_a_cap_and_end_after_five_days(config: Config) -> None:
    start = datetime(2026, 11, 24, tzinfo=clock.now().tzinfo)
    waits = [(next_try(start, attempt, start, config) or start) - start for attempt in range(1, 11)]
    assert [int(wait.total_seconds() // 60) for wait in waits] == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]
    assert next_try(start, 40, start + timedelta(days=5), config) is None


def test_a_password_letter_is_not_kept(worker: Worker, mail_server: MailServer, app: Flask, cast: Cast) -> None:
    client = app.test_client()
    page = client.get("/reset").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/reset", data={"email": cast.email("designer"), "csrf_token": token})
    letter = cast.letters(kind="reset")[0]
    assert "/reset/" in letter.layout["url"]
    drain(worker)
    sent = mail_server.mail[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "/reset/" in sent
    letter = cast.letters(kind="reset")[0]
    assert letter.state == "sent" and letter.text == "" and letter.layout == {}


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
                address=USER, sender_name="", host="127.0.0.1", port=mail_server.port, security="starttls", username=USER,
                sealed_password=seal(WORD, config.seal_key), timeout_s=2,
            )
        )  # fmt: skip
    cast.place()
    drain(use(app, replace(config, smtp_ca_file=certificates.ca_file, letter_deadline_s=3)))
    assert len(mail_server.mail) == 2
    account = db.session.scalars(select(MailAccount).execution_options(populate_existing=True)).one()
    assert account.last_sent_at is not None and account.last_error == ""


def test_a_worker_killed_in_the_middle_of_a_send_loses_no_letter(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast, database_url: str, tmp_path: Path
) -> None:
    """kill -9 while the server has a letter in its hands; the next worker sends what is left. Nothing is lost, and a
    second copy carries the Message-ID of the first."""
    for _ in range(6):
        cast.place()
    hurry()
    expected = {letter.message_id for letter in cast.letters()}
    environment = os.environ | {
        "DATABASE_URL": database_url, "SECRET_KEY": "x", "SEAL_KEY": "y", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mail_server.port),
        "SMTP_SECURITY": "starttls", "SMTP_USER": USER, "SMTP_PASSWORD": WORD, "SMTP_FROM": USER, "SMTP_CA_FILE": certificates.ca_file,
        "POLL_S": "0.05", "LEASE_S": "60", "WORKER_NAME": "worker",
    }  # fmt: skip
    hit: list[bool] = []
    mail_server.handler.on_data = lambda: (hit.append(True), time.sleep(0.15))  # type: ignore[assignment, return-value]
    for kills in range(3):
        process = subprocess.Popen([sys.executable, "app.py", "worker"], cwd=ROOT, env=environment)
        before = len(hit)
        end = time.monotonic() + 20
        while len(hit) <= before + kills and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    mail_server.handler.on_data = None
    last = use(app, smtp(config, mail_server.port, certificates))
    with transaction() as session:
        freed = outbox.free_claims(session, clock.now(), worker="worker")
    drain(last)
    arrived = [one["Message-ID"] for one in mail_server.mail]
    print(f"\n12 letters, 3 kills, {freed} freed after the last, {len(arrived)} arrived, {len(arrived) - len(set(arrived))} second copies")
    assert set(arrived) == expected
    assert {letter.state for letter in cast.letters()} == {"sent"}
