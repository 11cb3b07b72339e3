"""A field of the order that is declared once, in kanban/fields.py, is everywhere a field can be: warranty_months stands for them."""

import re

from flask.testing import FlaskClient

from kanban.db import db
from kanban.models import Event, Order
from kanban.transactions import transaction
from rules.editing.verbs import add_rule
from rules.models import Message, Template
from tests.cast import Cast, Signed
from tests.rule_json import Json, recipient, rule_fields, send_email


def change(owner: Signed, order: Order, **values: str) -> int:
    db.session.rollback()
    version = db.session.get_one(Order, order.id, populate_existing=True).version
    db.session.rollback()
    form = {"customer_name": "Хасанова Гузель", "total": "1 000", "version": str(version)} | values
    return owner.post(f"/orders/{order.id}/change", form).status_code


def stored(order: Order) -> int | None:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True).warranty_months


def test_people_write_and_read_it(client: FlaskClient, cast: Cast) -> None:
    owner, order = Signed(client, cast.email("owner")), cast.place()
    page = owner.get(f"/orders/{order.id}/edit").text
    assert "Гарантия, месяцев" in page and 'name="warranty_months"' in page
    assert change(owner, order, warranty_months="24") == 303 and stored(order) == 24
    shown = owner.get(f"/orders/{order.id}").text
    assert re.search(r"Гарантия, месяцев</dt><dd>24</dd>", shown) and "Гарантия, месяцев: — → 24" in shown
    assert change(owner, order, warranty_months="0") == 303 and stored(order) == 0, "none is not the same as not known"
    assert change(owner, order) == 303 and stored(order) is None
    for wrong in ("601", "-1", "много"):
        assert change(owner, order, warranty_months=wrong) == 422


def test_rules_ask_set_and_tell_it(cast: Cast) -> None:
    asked = {"all": [{"field": "warranty_months", "op": "at_least", "value": 12}]}
    start: Json = {"field": "warranty_months"}
    with transaction() as session:
        template = Template(kind="letter", name="Гарантия", subject="{{ order.warranty_months }}", text="x", position=9)
        session.add(template)
        session.flush()
        tell = send_email(template.id, [recipient("role", cast.roles["accountant"])])
        board, ready = cast.boards["orders"], cast.statuses["ready"]
        for fields in (
            rule_fields("Ставит", board, "entered", ready, actions=[{"do": "set_field", "field": "warranty_months", "value": 18}]),
            rule_fields("Сообщает", board, "field", None, asked, [tell], options=start),
        ):
            add_rule(session, cast.owner, fields)
    order = cast.place()
    cast.move(order, "ready")
    assert stored(order) == 18
    assert [message.subject for message in cast.messages(template_id=template.id)] == ["18"]
    facts = db.session.query(Event).filter_by(order_id=order.id, kind="order.changed").one().facts
    assert facts["fields"]["warranty_months"] == 18 and facts["was"] == {"warranty_months": None}
    db.session.rollback()


def test_the_editor_offers_it(client: FlaskClient, cast: Cast) -> None:
    owner = Signed(client, cast.email("owner"))
    form = {
        "name": "x",
        "board_id": cast.boards["orders"],
        "trigger": "field",
        "option-field": "warranty_months",
        "field-0": "warranty_months",
        "op-0": "between",
        "value-0": ["6", "24"],
        "channel-0": "set_field",
        "setfield-0": "warranty_months",
        "setvalue-0": "36",
    }
    page = owner.post("/settings/rules/draw", form).text
    assert "срок гарантии в месяцах между 6 и 24" in " ".join(re.sub("<[^>]*>", "", page).split())
    assert owner.post("/settings/rules/save", form | {"mode": "on"}).status_code == 303
    refused = owner.post("/settings/rules/save", form | {"mode": "on", "setvalue-0": "9999"})
    assert refused.status_code == 422 and "600" in refused.text
    assert "order.warranty_months" in owner.get("/settings/templates/new").text
    assert not db.session.query(Message).count()
    db.session.rollback()
