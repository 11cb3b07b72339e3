"""From which account a letter goes, who gets the answers, and who asked for no letters: from the event to the mail server."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer
from sqlalchemy import select

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.models import Person
from kanban.transactions import transaction
from rules.definition.cells import are_cells
from rules.definition.channels import Channel
from rules.editing import verbs
from rules.models import Delivery, MailAccount, Message, Rule, RuleVersion, Run, Unsubscribed
from rules.post.lane import LaneWorker
from rules.post.outbox import Lane
from rules.post.unsubscribe import address_of, token_of
from rules.seal import seal
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.mailserver import USER, WORD, Certificates, MailServer, free_port
from tests.messages import put_messages
from tests.rule_json import read_actions, recipient, rule_fields, send, send_email
from tests.rules.test_worker import drain, hurry, smtp, use


@pytest.fixture
def worker(app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast) -> Worker:
    """The firm's account is that of the environment; employees' accounts are rows."""
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False
    return use(app, smtp(config, mail_server.port, certificates))


def add_account(port: int, config: Config, **values: Any) -> int:
    with transaction() as session:
        account = MailAccount(
            **{
                "kind": "person",
                "address": "manager@melnikov.example",
                "sender_name": "Ольга Белова",
                "host": "127.0.0.1",
                "port": port,
                "security": "starttls",
                "username": USER,
                "sealed_password": seal(WORD, config.seal_key),
                "timeout_s": 2,
            }
            | values
        )
        session.add(account)
        session.flush()
        return account.id


def add_rule(cast: Cast, *actions: dict[str, Any]) -> int:
    fields = rule_fields("Проверка", cast.boards["orders"], "entered", cast.statuses["prepaid"], {"all": []}, list(actions), False, True)
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def message(cast: Cast, to: dict[str, Any] | None = None, from_: str = "", reply_to: str = "") -> dict[str, Any]:
    return send("email", cast.templates["manager"], [to or recipient("role", cast.roles["accountant"])], from_, reply_to)


def move(cast: Cast, who: str = "owner", responsible: str | None = "manager") -> int:
    order = cast.place(responsible_id=cast.people[responsible] if responsible else None)
    moved = cast.move(order, "prepaid", actor=cast.actors[who])
    assert moved.event
    return moved.event.id


def test_a_message_goes_by_the_responsibles_own_account_with_answers_to_the_mover(
    worker: Worker, cast: Cast, mail_server: MailServer, app: Flask
) -> None:
    account = add_account(mail_server.port, app.config["POTOK"], person_id=cast.people["manager"])
    add_rule(cast, message(cast, from_="responsible", reply_to="mover"))
    move(cast)
    drain(worker)
    got = mail_server.mail[0]
    assert got["From"] == "Ольга Белова <manager@melnikov.example>" and got["Reply-To"] == "owner@melnikov.example"
    delivery = db.session.scalars(select(Delivery)).one()
    assert (delivery.account_id, delivery.sender, delivery.outcome) == (account, "manager@melnikov.example", "sent")


def test_without_an_own_account_it_goes_by_the_firms_and_says_so(worker: Worker, cast: Cast, mail_server: MailServer) -> None:
    add_rule(cast, message(cast, from_="responsible", reply_to="responsible"))
    move(cast)
    drain(worker)
    assert USER in mail_server.mail[0]["From"] and mail_server.mail[0]["Reply-To"] == "manager@melnikov.example"
    assert db.session.scalars(select(Message.note)).one() == "no_own_account"


def test_an_own_account_that_fails_hands_over_and_is_not_asked_again_meanwhile(
    worker: Worker, cast: Cast, mail_server: MailServer, app: Flask
) -> None:
    add_account(mail_server.port, app.config["POTOK"], person_id=cast.people["manager"], sealed_password=seal("wrong", "seal"))
    add_rule(cast, message(cast, from_="responsible"))
    move(cast)
    drain(worker)
    assert USER in mail_server.mail[0]["From"]
    with transaction() as session:  # drain() woke it
        session.scalars(select(MailAccount).where(MailAccount.kind == "person")).one().paused_until = clock.now() + timedelta(hours=1)
    move(cast)
    assert db.session.scalars(select(Message).order_by(Message.id.desc())).first().account_id is None  # type: ignore[union-attr]
    drain(worker)
    assert len(mail_server.mail) == 2
    assert set(db.session.scalars(select(Message.note))) == {"own_account_failed"}


def test_a_named_account_and_one_that_is_gone(worker: Worker, cast: Cast, mail_server: MailServer, app: Flask) -> None:
    named = add_account(mail_server.port, app.config["POTOK"], kind="named", address="info@melnikov.example")
    add_rule(cast, message(cast, from_=f"account:{named}"), message(cast, recipient("customer"), from_="account:999"))
    move(cast)
    drain(worker)
    rows = db.session.execute(select(Message.address, Message.note, Delivery.sender).join(Delivery, Delivery.message_id == Message.id))
    assert {row.address: (row.note, row.sender) for row in rows} == {
        "accountant@melnikov.example": ("", "info@melnikov.example"),
        "guzel@mail.example": ("account_gone", USER),
    }


def test_without_a_responsible_no_other_account_is_taken_for_theirs(
    worker: Worker, cast: Cast, mail_server: MailServer, app: Flask
) -> None:
    named = add_account(mail_server.port, app.config["POTOK"], kind="named", address="info@melnikov.example")
    add_rule(cast, message(cast, from_="responsible"), message(cast, recipient("customer"), from_=f"account:{named}"))
    move(cast, responsible=None)
    messages = {one.address: (one.account_id, one.note) for one in cast.messages()}
    assert messages == {"accountant@melnikov.example": (None, "no_own_account"), "guzel@mail.example": (named, "")}


def test_the_number_of_a_removed_account_is_given_to_no_other(worker: Worker, cast: Cast, mail_server: MailServer, app: Flask) -> None:
    named = add_account(mail_server.port, app.config["POTOK"], kind="named", address="info@melnikov.example")
    add_rule(cast, message(cast, from_=f"account:{named}"))
    with transaction() as session:
        session.delete(session.get_one(MailAccount, named))
    add_account(mail_server.port, app.config["POTOK"], person_id=cast.people["manager"])
    move(cast)
    assert [(one.account_id, one.note) for one in cast.messages()] == [(None, "account_gone")]


def test_the_account_of_somebody_who_left_sends_no_more(worker: Worker, cast: Cast, mail_server: MailServer, app: Flask) -> None:
    add_account(mail_server.port, app.config["POTOK"], person_id=cast.people["manager"])
    add_rule(cast, message(cast, from_="responsible"))
    order = cast.place(responsible_id=cast.people["manager"])
    with transaction() as session:
        session.get_one(Person, cast.people["manager"]).active = False
    cast.move(order, "prepaid")
    assert [(one.account_id, one.note) for one in cast.messages()] == [(None, "no_own_account")]


def test_without_an_account_of_the_firm_nothing_is_handed_over_to_the_tray(app: Flask, cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False
    account = add_account(free_port(), app.config["POTOK"], person_id=cast.people["manager"])
    add_rule(cast, message(cast, from_="responsible"))
    move(cast)
    hurry()
    Worker(app).step()
    assert db.session.get_one(MailAccount, account).paused_until is not None  # it failed
    db.session.rollback()
    move(cast)
    assert [(one.account_id, one.state, one.note) for one in cast.messages()] == [(account, "waiting", "")] * 2


def test_messages_in_hand_of_an_account_that_is_removed_go_by_the_firms(
    worker: Worker, cast: Cast, mail_server: MailServer, app: Flask
) -> None:
    account = add_account(free_port(), app.config["POTOK"], person_id=cast.people["manager"])
    put_messages(["a@melnikov.example", "b@melnikov.example"], account_id=account)
    lane = Lane(Channel.EMAIL, account)
    run = LaneWorker(app, app.config["POTOK"], lane, lambda: False)
    assert run._refill() == 2  # of which the first has begun
    with transaction() as session:
        session.delete(session.get_one(MailAccount, account))
    run.run()
    assert [(one.account_id, one.state, one.attempts) for one in cast.messages()] == [(None, "waiting", 1), (None, "waiting", 0)]
    hurry()
    drain(worker)
    assert [USER in one["From"] for one in mail_server.mail] == [True, True]


def test_who_it_was_wished_from_is_no_matter_of_the_matrix(cast: Cast) -> None:
    assert are_cells(read_actions(send_email(1, [recipient("responsible")])))
    assert not are_cells(read_actions(send("email", 1, [recipient("responsible")], from_="responsible")))
    assert not are_cells(read_actions(send("email", 1, [recipient("responsible")], reply_to="mover")))


def test_headers_make_a_thread_and_let_one_stop(worker: Worker, cast: Cast, mail_server: MailServer, app: Flask) -> None:
    add_rule(cast, message(cast))
    move(cast)
    move(cast)
    drain(worker)
    first, second = mail_server.mail
    order = db.session.scalars(select(Message.order_id).order_by(Message.id)).first()
    assert first["References"] == first["In-Reply-To"] == f"<potok.order.{order}@127.0.0.1>" != second["References"]
    assert first["List-Id"] == "<orders.127.0.0.1>" and first["Auto-Submitted"] == "auto-generated"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = first["List-Unsubscribe"].strip("<>")
    token = link.rpartition("/")[2]
    assert address_of(token, app.config["POTOK"].secret_key) == "accountant@melnikov.example"
    text = first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert link in text.replace("\n", "") or token in text


def test_one_click_stops_messages_and_an_employee_finds_the_news_at_the_bell(
    worker: Worker, cast: Cast, mail_server: MailServer, app: Flask
) -> None:
    add_rule(cast, message(cast))
    token = token_of("accountant@melnikov.example", app.config["POTOK"].secret_key)
    stranger = app.test_client()
    earlier = URLSafeSerializer(app.config["POTOK"].secret_key, salt="unsubscribe").dumps("accountant@melnikov.example")
    assert earlier != token and address_of(earlier, app.config["POTOK"].secret_key) == "accountant@melnikov.example"
    assert "accountant@melnikov.example" in stranger.get(f"/letters/{token}").text
    assert db.session.scalar(select(Unsubscribed)) is None  # looking changes nothing
    for _twice in range(2):
        assert stranger.post(f"/letters/{token}", data={"List-Unsubscribe": "One-Click"}).status_code == 200  # no redirect
    db.session.rollback()
    event = move(cast)
    drain(worker)
    assert not mail_server.mail
    notice = db.session.scalars(select(Message)).one()
    assert (notice.channel, notice.person_id) == ("notice", cast.people["accountant"]) and notice.text == notice.subject
    run = db.session.scalars(select(Run).where(Run.event_id == event)).one()
    assert {"why": "unsubscribed", "name": "Тамара Гусева"} in run.notes and run.outcome == "done"
    assert stranger.post(f"/letters/{token}", data={"messages": "on"}).status_code == 303
    db.session.rollback()
    move(cast)
    drain(worker)
    assert len(mail_server.mail) == 1


def test_a_customer_who_wants_no_messages_gets_none(worker: Worker, cast: Cast, mail_server: MailServer) -> None:
    add_rule(cast, message(cast, recipient("customer")), message(cast, recipient("address", address="Boss@melnikov.example")))
    first = move(cast)
    drain(worker)
    with transaction() as session:
        session.add_all([Unsubscribed(address="boss@melnikov.example"), Unsubscribed(address="guzel@mail.example")])
    second = move(cast)
    drain(worker)
    assert sorted(mail_server.handler.recipients) == ["Boss@melnikov.example", "guzel@mail.example"] and first != second
    run = db.session.scalars(select(Run).where(Run.event_id == second)).one()
    assert [note["why"] for note in run.notes] == ["unsubscribed", "unsubscribed"] and run.outcome == "nobody"


@pytest.mark.parametrize("token", ["x", "a" * 5000, "ImFAYi5ydSI.bad", "%00", "ImFAYi5ydSI"])
def test_a_token_that_is_none(app: Flask, cast: Cast, token: str) -> None:
    assert app.test_client().get(f"/letters/{token}").status_code == 404
    assert app.test_client().post(f"/letters/{token}").status_code == 404
    assert db.session.scalar(select(Unsubscribed)) is None


def test_ones_own_switch(app: Flask, cast: Cast) -> None:
    manager = Signed(app.test_client(), cast.email("manager"))
    assert "Письма о заказах" in manager.get("/me/messages", htmx=True).text
    manager.post("/me/messages", {"messages": "off"})
    assert "у колокольчика" in manager.get("/me/messages", htmx=True).text
    db.session.rollback()
    assert db.session.scalars(select(Unsubscribed.address)).one() == "manager@melnikov.example"
    manager.post("/me/messages", {"messages": "on"})
    db.session.rollback()
    assert db.session.scalar(select(Unsubscribed)) is None


def test_the_editor_keeps_sender_and_answers(app: Flask, cast: Cast, config: Config) -> None:
    owner = Signed(app.test_client(), cast.email("owner"))
    named = add_account(25, config, kind="named", address="info@melnikov.example")
    form = {
        "name": "От ответственного",
        "board_id": str(cast.boards["orders"]),
        "trigger": "entered",
        "active": "1",
        "status_id": str(cast.statuses["prepaid"]),
        "group": "all",
        "template-0": str(cast.templates["manager"]),
        "channel-0": "email",
        "to-0": "responsible",
        "from-0": "responsible",
        "reply_to-0": "mover",
    }
    page = owner.post("/settings/rules/draw", form, htmx=True).text
    assert "с собственной записи ответственного" in page and "ответы тому, кто это сделал" in page and "info@melnikov.example" in page
    assert owner.post("/settings/rules/save", form).status_code == 303
    saved = db.session.scalars(select(RuleVersion).order_by(RuleVersion.id.desc())).first()
    assert saved and (saved.actions[0]["from"], saved.actions[0]["reply_to"]) == ("responsible", "mover")
    for bad in ({"from-0": "account:x"}, {"from-0": "nobody"}, {"reply_to-0": "everybody"}):
        assert owner.post("/settings/rules/save", form | bad).status_code == 422
    assert owner.post("/settings/rules/save", form | {"from-0": f"account:{named}"}).status_code == 303
    with transaction() as session:
        session.delete(session.get_one(MailAccount, named))
    assert "Учётной записи, с которой шлёт это правило, больше нет" in owner.get("/settings/rules?only=broken").text
