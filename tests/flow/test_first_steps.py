"""What a new firm is told to do next: read off what there is, for administrators only, gone once it is done or hidden."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from kanban import orders
from kanban.actor import actor_of
from kanban.config import Config
from kanban.db import db
from kanban.models import Board, Person
from kanban.orders import OrderFields
from kanban.people import PersonFields, add_person
from kanban.transactions import transaction
from kanban.views import first_steps
from rules.models import MailAccount
from rules.queries.first_steps import steps
from tests.cast import PASSWORD, TOKEN, Cast, Signed
from tests.conftest import forget_pages
from tests.flow.test_orders import statements

STEP = re.compile(r"<li( data-done)?>\s*<svg.*?</svg>\s*<p><b>([^<]+)</b>", re.S)


def seen(client: Any, url: str = "/boards/1") -> dict[str, bool]:
    """{step: whether it is done}, as the board's page says it."""
    answer = client.get(url)
    assert answer.status_code == 200
    part = re.search(r'<section class="first-steps".*?</section>', answer.text, re.S)
    return {title: bool(done) for done, title in STEP.findall(part[0])} if part else {}


def found_firm(client: FlaskClient, preset: str, language: str = "en") -> None:
    token = TOKEN.search(client.get("/setup").text)[1]  # type: ignore[index]
    code = (Path(client.application.instance_path) / "setup_code").read_text()
    data = {
        "code": code,
        "language": language,
        "company": "Firm",
        "name": "Ann Owner",
        "email": "ann@firm.example",
        "password": PASSWORD,
        "preset": preset,
        "csrf_token": token,
    }
    assert client.post("/setup", data=data, headers={"Referer": "http://localhost/"}).status_code == 303


def place_one() -> None:
    with transaction() as session:
        owner = actor_of(session, session.scalars(select(Person).where(Person.access == "admin")).one())
        board = session.scalars(select(Board.id).order_by(Board.position).limit(1)).one()
        orders.place(session, owner, board, OrderFields("Vera"))


def test_each_step_is_done_when_it_is_and_all_of_them_go_together(bare_app: Flask, client: FlaskClient) -> None:
    found_firm(client, "kitchen")
    open_ = {"Who is notified": True, "Mail account": False, "Employees": False, "First order": False}
    assert seen(client) == open_
    place_one()
    assert seen(client) == open_ | {"First order": True}
    with transaction() as session:
        add_person(session, None, PersonFields("Bob", "bob@firm.example"))
    assert seen(client) == open_ | {"First order": True, "Employees": True}
    assert "next: <b>Mail account</b>" in client.get("/boards/2").text
    with transaction() as session:
        session.add(MailAccount(kind="person", address="bob@firm.example", host="h", port=1, security="none", username=""))
    assert seen(client)["Mail account"] is False, "an employee's own account is not the firm's"
    with transaction() as session:
        session.add(MailAccount(kind="system", address="a@firm.example", host="h", port=1, security="none", username=""))
    assert seen(client) == {}


def test_an_empty_process_has_nobody_told(bare_app: Flask, client: FlaskClient) -> None:
    found_firm(client, "empty")
    assert seen(client)["Who is notified"] is False


def test_it_speaks_russian(bare_app: Flask, client: FlaskClient) -> None:
    found_firm(client, "kitchen", "ru")
    assert list(seen(client)) == ["Кто узнаёт", "Учётная запись почты", "Сотрудники", "Первый заказ"]
    assert "Пока почта не настроена, письма остаются в лотке и никому не приходят." in client.get("/boards/1").text


def test_mail_set_by_the_environment_is_done(config: Config, bare_app: Flask) -> None:
    mail = {step.name: step for step in steps(replace(config, smtp_host="mail.firm.example"))}["mail"]
    assert db.session.scalar(select(mail.is_done))


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_only_administrators_see_and_hide_it(cast: Cast, client: FlaskClient, who: str) -> None:
    person = Signed(client, cast.email(who))
    assert "first-steps" not in person.get("/boards/1").text
    assert person.post("/first-steps/hide").status_code == 403


def test_hidden_it_stays_away_from_all_administrators(cast: Cast, app: Flask, client: FlaskClient) -> None:
    owner = Signed(client, cast.email("owner"))
    assert seen(owner)
    assert owner.post("/first-steps/hide").status_code == 303
    assert seen(owner) == {}
    assert seen(Signed(app.test_client(), cast.email("owner"))) == {}
    first_steps.forget()  # as another process
    assert seen(owner) == {}


def test_it_costs_one_statement_while_there_is_something_to_do_and_none_after(cast: Cast, client: FlaskClient, app: Flask) -> None:
    manager, owner = Signed(app.test_client(), cast.email("manager")), Signed(client, cast.email("owner"))
    for one in (manager, owner):
        one.get("/boards/1")

    def cost(one: Signed) -> int:
        forget_pages(app)
        return statements(lambda: one.get("/boards/1"))

    assert cost(owner) == cost(manager) + 1
    owner.post("/first-steps/hide")
    owner.get("/boards/1")
    assert cost(owner) == cost(manager)
