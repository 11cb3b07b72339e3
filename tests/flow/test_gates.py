"""Gates over HTTP: the dialog that asks for what is missing, what is saved with the move, and the settings page that guards a status."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from kanban.models import Event, Order, Status
from kanban.transactions import transaction
from tests.cast import Cast, Signed

PREPAID = {"field": "paid_percent", "op": "at_least", "value": 50}


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def guard(cast: Cast, status: str, *criteria: dict[str, Any], kind: str = "all") -> None:
    with transaction() as session:
        session.get_one(Status, cast.statuses[status]).gate = {kind: list(criteria)}


def move(signed: Signed, cast: Cast, order: Order, to: str, *, htmx: bool = True, **data: Any) -> Any:
    form = {"status": cast.statuses[to], "before": "", "version": order.version, "key": "k1"} | data
    return signed.post(f"/orders/{order.id}/move", form, htmx=htmx, page="/boards/1")


def now(order: Order) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True)


def plain(answer: Any) -> str:
    text: str = answer.text
    return text.replace("\xa0", " ")


def fields_of(answer: Any) -> list[str]:
    return re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', answer.text)


def test_a_gate_answers_with_a_dialog_that_asks_for_what_is_missing_alone(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID, {"field": "ship_on", "op": "filled"}, {"field": f"role:{cast.roles['designer']}", "op": "filled"})
    order = cast.place(paid=0)
    answer = move(owner, cast, order, "prepaid")
    assert answer.status_code == 422 and answer.headers["HX-Retarget"] == "#dialogs"
    asked = [name for name in fields_of(answer) if name not in ("csrf_token", "gate", "status", "before", "version", "key")]
    assert asked == ["paid", f"role-{cast.roles['designer']}", "comment"]
    text = plain(answer)
    assert "не меньше 193 500 ₽ из 387 000 ₽" in text and "Дата отгрузки" in text
    assert "2 письма через 15 с" in text and "Тамара Гусева" in text
    assert now(order).status_id == cast.statuses["design"]


def test_what_is_filled_in_is_saved_with_the_move(owner: Signed, cast: Cast) -> None:
    designer = cast.roles["designer"]
    guard(cast, "prepaid", PREPAID, {"field": f"role:{designer}", "op": "filled"})
    order = cast.place(paid=0)
    filled = {"gate": "1", "paid": "200 000", f"role-{designer}": cast.people["designer"], "comment": "Договор в салоне"}
    answer = move(owner, cast, order, "prepaid", **filled)
    assert answer.status_code == 200, answer.text
    after = now(order)
    assert (after.paid, after.status_id) == (20_000_000, cast.statuses["prepaid"])
    kinds = db.session.scalars(select(Event.kind).where(Event.order_id == order.id).order_by(Event.id)).all()
    assert kinds == ["order.placed", "order.moved", "order.changed", "order.commented"]
    repeated = move(owner, cast, order, "prepaid", **filled)
    assert repeated.status_code == 200 and now(order).version == after.version


def test_what_does_not_do_is_asked_for_again_with_all_that_was_typed(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    answer = move(owner, cast, order, "prepaid", gate="1", paid="100", comment="Задаток <b>")
    assert answer.status_code == 422 and 'value="100"' in answer.text and "Задаток &lt;b&gt;" in answer.text
    assert "доля оплаты" in answer.text
    answer = move(owner, cast, order, "prepaid", gate="1", paid="сто", comment="Задаток")
    assert answer.status_code == 422 and 'value="сто"' in answer.text and 'aria-invalid="true"' in answer.text


def test_what_nobody_can_fill_in_here_is_explained(owner: Signed, cast: Cast) -> None:
    guard(cast, "paid_ready", {"field": "linked.status", "op": "equals", "value": cast.statuses["made"]})
    order = cast.place()
    cast.produce(order)
    answer = move(owner, cast, order, "paid_ready")
    assert answer.status_code == 422 and "«В производстве»" in answer.text and "«Готов к установке»" in answer.text
    assert "Сохранить и перевести" not in answer.text


def test_without_javascript_it_is_a_page_and_leads_back_to_the_order(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    answer = move(owner, cast, order, "prepaid", htmx=False)
    assert answer.status_code == 422 and "<html" in answer.text and 'name="paid"' in answer.text
    answer = move(owner, cast, order, "prepaid", htmx=False, gate="1", paid="387 000")
    assert answer.status_code == 303 and now(order).status_id == cast.statuses["prepaid"]


def test_somebody_was_first_while_the_dialog_stood_open(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    cast.move(order, "ready")
    answer = move(owner, cast, order, "prepaid", version=1, gate="1", paid="387 000")
    assert answer.status_code == 409 and now(order).paid == 0


def test_only_fields_of_the_order_are_taken(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    answer = move(owner, cast, order, "prepaid", gate="1", paid="387 000", number="К-9999", version=1, rank="a", validate="1", data="1")
    assert answer.status_code == 200 and now(order).number == "К-0001"


def test_an_administrator_guards_a_status_on_its_settings_page(owner: Signed, cast: Cast) -> None:
    url = f"/settings/boards/statuses/{cast.statuses['prepaid']}/gate"
    rows = {"group": "all", "field-0": "paid_percent", "op-0": "at_least", "value-0": "50"}
    drawn = owner.post(url + "/draw", rows | {"do": "add-criterion:0"}, htmx=True)
    assert drawn.status_code == 200 and 'name="field-1"' in drawn.text and "только если" in drawn.text
    assert owner.post(url, rows).status_code == 303
    assert db.session.get_one(Status, cast.statuses["prepaid"]).gate == {"all": [PREPAID]}
    assert "доля оплаты не меньше <b>50 %</b>" in plain(owner.get(url))
    refused = owner.post(url, rows | {"value-0": "half"})
    assert refused.status_code == 422 and 'value="half"' in refused.text
    assert owner.post(url, {"group": "all"}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Status, cast.statuses["prepaid"], populate_existing=True).gate == {}


def test_only_administrators_see_it(app: Flask, cast: Cast) -> None:
    manager = Signed(app.test_client(), cast.email("manager"))
    url = f"/settings/boards/statuses/{cast.statuses['prepaid']}/gate"
    assert manager.get(url).status_code == 403 and manager.post(url, {"group": "all"}).status_code == 403


def test_a_person_chosen_for_a_role_stays_chosen_and_a_comment_that_is_too_long_is_said(owner: Signed, cast: Cast) -> None:
    role, chosen = cast.roles["designer"], cast.people["designer"]
    guard(cast, "prepaid", PREPAID, {"field": f"role:{role}", "op": "filled"})
    order = cast.place(paid=0)
    answer = move(owner, cast, order, "prepaid", gate="1", paid="сто", **{f"role-{role}": chosen})
    assert answer.status_code == 422 and f'<option value="{chosen}" selected>' in answer.text
    answer = move(owner, cast, order, "prepaid", gate="1", paid="387 000", comment="д" * 5001, **{f"role-{role}": chosen})
    assert answer.status_code == 422 and "не больше 5000" in plain(answer) and "д" * 5001 in answer.text
    assert now(order).paid == 0


def test_what_somebody_changed_while_the_form_was_mended_is_not_overwritten(owner: Signed, cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    cast.move(order, "ready")
    answer = move(owner, cast, order, "prepaid", version=1, gate="1", paid="сто")
    assert answer.status_code == 422 and 'name="version" value="1"' in answer.text
    assert move(owner, cast, order, "prepaid", version=1, gate="1", paid="387 000").status_code == 409
