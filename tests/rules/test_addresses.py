"""Addresses with letters outside ASCII, from what is typed to what the mail server gets: IDNA, SMTPUTF8, or a clear reason."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from kanban.config import Config, read_config
from kanban.db import db
from kanban.emails import clean_email
from kanban.models import Person
from kanban.transactions import transaction
from rules.models import Delivery, MailAccount, Message
from rules.worker import Worker
from tests import rfc2047
from tests.cast import TOKEN, Cast, Signed
from tests.mailserver import USER, Certificates, MailServer
from tests.rule_json import recipient, send
from tests.rules.test_senders import add_rule, move, worker
from tests.rules.test_worker import drain, smtp, use

__all__ = ["worker"]
RF = "xn--e1afmkfd.xn--p1ai"


def rename(cast: Cast, who: str, address: str) -> None:
    with transaction() as session:
        session.execute(update(Person).where(Person.id == cast.people[who]).values(email=clean_email(address)))


def got(server: MailServer) -> list[tuple[str, dict[str, str]]]:
    """(recipient, fields) of what arrived, by the strict reader."""
    handler = server.handler
    messages = zip(handler.recipients, handler.messages, handler.options, strict=True)
    return [(to, rfc2047.fields(message, is_utf8="SMTPUTF8" in options)) for to, message, options in messages]


def attempts() -> list[tuple[str, str]]:
    return [(one.outcome, one.answer) for one in db.session.scalars(select(Delivery).order_by(Delivery.id))]


def test_a_domain_outside_ascii_is_written_to_wherever_it_stands(worker: Worker, cast: Cast, mail_server: MailServer) -> None:
    for who in ("accountant", "designer", "manager"):
        rename(cast, who, f"{who}@пример.рф")
    action = send(
        "email",
        cast.templates["manager"],
        [recipient("role", cast.roles["accountant"]), recipient("customer")],
        reply_to="responsible",
        cc=[recipient("role", cast.roles["designer"])],
        bcc=[recipient("address", address="archive@пример.рф")],
    )
    add_rule(cast, action)
    with transaction() as session:
        session.get_one(Person, cast.people["accountant"]).name = "Константинопольская-Новороссийская Тамара Владиславовна"
    order = cast.place(customer_email=clean_email("guzel@пример.рф"), responsible_id=cast.people["manager"])
    cast.move(order, "prepaid")
    drain(worker)
    assert [one[0] for one in attempts()] == ["sent"] * 4
    arrived = dict(got(mail_server))
    assert set(arrived) == {f"{who}@{RF}" for who in ("accountant", "designer", "guzel", "archive")}
    to = [("Константинопольская-Новороссийская Тамара Владиславовна", f"accountant@{RF}")]
    found = arrived[f"accountant@{RF}"]
    assert rfc2047.mailboxes(found["to"]) == to
    assert rfc2047.mailboxes(found["cc"]) == [("Марина Лисицына", f"designer@{RF}")]
    assert found["reply-to"] == f"manager@{RF}"
    assert sorted(rfc2047.mailboxes(arrived[f"archive@{RF}"]["to"])) == sorted([*to, ("Хасанова Гузель", f"guzel@{RF}")])


def test_a_cyrillic_name_before_the_at_goes_by_smtputf8(worker: Worker, cast: Cast, mail_server: MailServer) -> None:
    rename(cast, "accountant", "тамара@пример.рф")
    add_rule(cast, send("email", cast.templates["manager"], [recipient("role", cast.roles["accountant"])]))
    move(cast)
    drain(worker)
    ((to, found),) = got(mail_server)
    assert to == f"тамара@{RF}" and "SMTPUTF8" in mail_server.handler.options[0]
    assert rfc2047.mailboxes(found["to"], is_utf8=True) == [("Тамара Гусева", f"тамара@{RF}")]


def test_without_smtputf8_it_fails_once_with_a_sentence_and_others_go(
    worker: Worker, app: Flask, config: Config, certificates: Certificates, cast: Cast
) -> None:
    rename(cast, "accountant", "тамара@пример.рф")
    with MailServer(certificates, smtputf8=False) as server:
        plain = use(app, smtp(config, server.port, certificates))
        both = [recipient("person", cast.people[who]) for who in ("accountant", "viewer")]
        add_rule(cast, send("email", cast.templates["manager"], both, cc=[recipient("address", address="пётр@пример.рф")]))
        move(cast)
        drain(plain)
        assert set(server.handler.recipients) >= {cast.email("viewer")}
        found = dict(got(server))[cast.email("viewer")]
    assert rfc2047.mailboxes(found["cc"]) == [("пётр@пример.рф", "")]
    failed = db.session.scalars(select(Message).where(Message.address == "тамара@пример.рф")).one()
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert ("failed", "the recipient's address needs SMTPUTF8, which the mail server does not offer") in attempts()
    page = Signed(app.test_client(), cast.email("owner")).get(f"/settings/messages/{failed.id}").text
    assert "адрес с нелатинскими буквами перед @" in page


def test_an_own_address_the_server_can_not_take_is_the_accounts_fault(
    app: Flask, config: Config, certificates: Certificates, cast: Cast
) -> None:
    with MailServer(certificates, smtputf8=False) as server:
        plain = use(app, smtp(config, server.port, certificates, smtp_from="поток@пример.рф"))
        cast.place()
        drain(plain, rounds=1)
        assert not server.handler.messages
    assert {one.state for one in cast.messages()} == {"waiting"}
    stored = db.session.scalars(select(MailAccount)).one()
    assert stored.last_error == "the account's own address needs SMTPUTF8, which the mail server does not offer" and stored.paused_until


def test_the_senders_own_domain_and_its_copy_are_idna(app: Flask, config: Config, certificates: Certificates, cast: Cast) -> None:
    with MailServer(certificates) as server:
        own = use(app, smtp(config, server.port, certificates, smtp_from="potok@пример.рф"))
        own.step()  # the account of the environment gets its row
        with transaction() as session:
            session.execute(update(MailAccount).values(copy_to_self=True))
        cast.place()
        drain(own)
        assert set(server.handler.recipients) == {cast.email("manager"), cast.email("designer"), f"potok@{RF}"}
        assert set(server.handler.senders) == {f"potok@{RF}"}
        found = rfc2047.fields(server.handler.messages[0])
    assert rfc2047.mailboxes(found["from"]) == [("Кухни «Мельников»", f"potok@{RF}")]


def test_a_public_address_outside_ascii_is_ascii_in_every_link_and_id(
    app: Flask, config: Config, certificates: Certificates, cast: Cast, mail_server: MailServer, tmp_path: Path
) -> None:
    public_url = read_config({"PUBLIC_URL": "https://заказы.рф/"}, tmp_path).public_url
    host = "xn--80aatcn8h.xn--p1ai"
    assert public_url == f"https://{host}"
    app.config["POTOK"] = replace(config, public_url=public_url)
    cast.place()
    drain(use(app, smtp(replace(config, public_url=public_url), mail_server.port, certificates)))
    for _to, found in got(mail_server):
        assert found["list-id"] == f"<orders.{host}>" and found["references"].endswith(f"@{host}>")
        assert found["list-unsubscribe"].startswith(f"<{public_url}/letters/")


@pytest.mark.parametrize("who", ["reset", "test"])
def test_messages_that_no_rule_makes_are_read_as_strictly(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates, cast: Cast, who: str
) -> None:
    firm = "Общество с ограниченной ответственностью «Кухни Мельникова»"
    sender = use(app, smtp(config, mail_server.port, certificates, smtp_from_name=firm))
    if who == "reset":
        rename(cast, "designer", "designer@пример.рф")
        client = app.test_client()
        token = TOKEN.search(client.get("/reset").text)[1]  # type: ignore[index]
        client.post("/reset", data={"email": "designer@пример.рф", "csrf_token": token}, headers={"Accept-Language": "ru"})
        drain(sender)
        expected, subject = ("Марина Лисицына", f"designer@{RF}"), "Новый пароль для Потока"
    else:
        owner = Signed(app.test_client(), cast.email("owner"))
        form = {
            "address": USER,
            "password": "app-password",
            "sender_name": firm,
            "host": "127.0.0.1",
            "port": str(mail_server.port),
            "security": "starttls",
            "username": USER,
            "timeout_s": "5",
        }
        assert owner.post("/settings/mail/named-new/sending", form).status_code == 303
        id_ = db.session.scalars(select(MailAccount.id).where(MailAccount.kind == "named")).one()
        owner.post(f"/settings/mail/named-{id_}/check/email")
        expected, subject = (firm, USER), "Поток: проверочное письмо"
    ((_to, found),) = got(mail_server)
    assert rfc2047.mailboxes(found["to"]) == [expected]
    assert rfc2047.mailboxes(found["from"]) == [(firm, USER)]
    assert rfc2047.text(found["subject"]) == subject
