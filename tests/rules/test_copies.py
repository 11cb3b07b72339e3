"""Copies and hidden copies: each a letter of its own to one recipient, with heads that say who else got it."""

from email.utils import getaddresses
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kanban.db import db
from kanban.errors import Invalid
from kanban.models import Person
from kanban.transactions import transaction
from rules.definition.cells import are_cells
from rules.editing.verbs import add_rule as add_checked
from rules.models import Message, Rule
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.mailserver import MailServer
from tests.rule_json import read_actions, recipient, rule_fields, send
from tests.rules.test_lists import MONDAY
from tests.rules.test_senders import add_rule, move, worker
from tests.rules.test_worker import drain

__all__ = ["worker"]


def copied(cast: Cast, **places: list[dict[str, Any]]) -> dict[str, Any]:
    to = places.pop("to", [recipient("role", cast.roles["accountant"])])
    return send("email", cast.templates["manager"], to, **places)


def heads(message: Any) -> tuple[list[str], list[str]]:
    to, cc = (sorted(address for _name, address in getaddresses(message.get_all(name, []))) for name in ("To", "Cc"))
    return to, cc


def test_copies_show_whom_the_message_went_to_and_hidden_ones_stand_nowhere(worker: Worker, cast: Cast, mail_server: MailServer) -> None:
    add_rule(cast, copied(cast, cc=[recipient("role", cast.roles["designer"])], bcc=[recipient("person", cast.people["viewer"])]))
    move(cast)
    drain(worker)
    got = {address: heads(message) for address, message in zip(mail_server.handler.recipients, mail_server.mail, strict=True)}
    expected = ([cast.email("accountant")], [cast.email("designer")])
    assert got == dict.fromkeys([cast.email("accountant"), cast.email("designer"), cast.email("viewer")], expected)


def test_one_who_stands_twice_gets_it_once_and_first_as_a_reader(worker: Worker, cast: Cast) -> None:
    everybody = [recipient("role", cast.roles["accountant"]), recipient("person", cast.people["accountant"])]
    add_rule(cast, copied(cast, cc=everybody, bcc=everybody))
    move(cast)
    (only,) = db.session.scalars(select(Message))
    assert only.address == cast.email("accountant") and "copy" not in only.layout["why"] and "cc" not in only.layout


def test_who_may_no_longer_sign_in_or_did_it_gets_no_copy_and_the_run_names_them(worker: Worker, cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Person, cast.people["designer"]).active = False
    add_rule(cast, copied(cast, cc=[recipient("person", cast.people["designer"]), recipient("mover")]))
    move(cast, "manager")
    assert {one.name for one in db.session.scalars(select(Message))} == {"Тамара Гусева", "Ольга Белова"}


def test_a_rule_with_copies_is_not_the_matrixs_and_only_messages_have_them(cast: Cast) -> None:
    assert not are_cells(read_actions(copied(cast, cc=[recipient("responsible")]))) and are_cells(read_actions(copied(cast)))
    short = send("sms", cast.templates["short"], [recipient("responsible")], cc=[recipient("author")])
    assert "cc" not in short


def test_the_editor_keeps_copies(client: FlaskClient, cast: Cast) -> None:
    owner = Signed(client, cast.email("owner"))
    form = {
        "name": "С копией",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "mode": "on",
        "channel-0": "email",
        "template-0": cast.templates["manager"],
        "to-0": "responsible",
        "cc-0": f"role:{cast.roles['designer']}",
        "bcc-addresses-0": "archive@melnikov.example",
    }
    assert owner.post("/settings/rules/save", form).status_code == 303
    rule = db.session.scalars(select(Rule).where(Rule.name == "С копией")).one()
    page = owner.get(f"/settings/rules/{rule.id}").text
    assert "копия: дизайнер" in page and "скрытая копия: archive@melnikov.example" in page
    assert owner.post("/settings/rules/save", form | {"bcc-addresses-0": "a@b.example\r\nBcc: x@y.example"}).status_code == 422


def test_a_list_has_no_copies(cast: Cast) -> None:
    with pytest.raises(Invalid):
        action = send("email", cast.templates["short"], [recipient("responsible")], cc=[recipient("author")])
        with transaction() as session:
            add_checked(session, cast.owner, rule_fields("x", cast.boards["orders"], "weekdays", actions=[action], options=MONDAY))


def test_hidden_copies_are_seen_by_administrators_only(cast: Cast, client: FlaskClient) -> None:
    bcc = [
        recipient("person", cast.people["viewer"]),
        recipient("address", address="secret@boss.example"),
        recipient("role", cast.roles["designer"]),
    ]
    with transaction() as session:
        session.get_one(Person, cast.people["viewer"]).active = False
    add_rule(cast, copied(cast, bcc=bcc))
    event = move(cast)
    order = db.session.scalars(select(Message.order_id).limit(1)).one()
    pages = [f"/orders/{order}/messages", f"/orders/{order}/events/{event}/why", f"/orders/{order}"]
    owner = Signed(client, cast.email("owner"))
    shown = "".join(owner.get(page).text for page in pages)
    assert "secret@boss.example" in shown and "скрытая копия" in shown
    accountant = Signed(client.application.test_client(), cast.email("accountant"))
    for page in pages:
        seen = accountant.get(page)
        assert seen.status_code == 200 and "Тамара Гусева" in seen.text
        for secret in ("secret@boss.example", "скрытая копия", "Павел Лебедев"):
            assert secret not in seen.text
