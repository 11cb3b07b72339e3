"""Moving several orders over HTTP: the menu, the answer with its toast, what was refused, undo, and bad input."""

import json
from typing import Any

import pytest
from flask import Flask

from kanban.db import db
from kanban.models import Order, Status
from kanban.transactions import transaction
from tests.cast import Cast, Signed


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def pairs(*orders: Order) -> str:
    return ",".join(f"{one.id}:{one.version}" for one in orders)


def move(signed: Signed, cast: Cast, chosen: str, to: str, *, htmx: bool = True) -> Any:
    data = {"orders": chosen, "status": cast.statuses[to], "before": "", "key": "k1"}
    return signed.post("/orders/move", data, htmx=htmx, page="/boards/1")


def statuses() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Order.status_id).order_by(Order.id)))


def test_all_move_with_one_toast_and_one_undo(owner: Signed, cast: Cast) -> None:
    chosen = [cast.place() for _ in range(3)]
    menu = owner.get(f"/orders/menu?orders={pairs(*chosen)}", htmx=True)
    assert "3 заказа" in menu.text and "Предоплата" in menu.text
    answer = move(owner, cast, pairs(*chosen), "prepaid")
    assert answer.status_code == 200 and "3 заказа → «Предоплата»" in answer.text and "6 писем через 15 с" in answer.text
    places = json.loads(answer.headers["HX-Trigger"])["potok:place"]["places"]
    assert {one["status"] for one in places} == {cast.statuses["prepaid"]} and len(places) == 3
    events = answer.text.split('name="events" value="')[1].split('"')[0]
    undone = owner.post("/orders/undo", {"events": events}, htmx=True, page="/boards/1")
    assert (
        undone.status_code == 200 and "3 заказа снова на месте" in undone.text and "отменено: 6 писем" in undone.text.replace("\xa0", " ")
    )
    assert statuses() == [cast.statuses["design"]] * 3


def test_what_was_refused_is_named_with_its_reason_and_a_way_on(owner: Signed, cast: Cast) -> None:
    poor, rich = cast.place(paid=0, customer_name="Бедняков Пётр"), cast.place()
    with transaction() as session:
        session.get_one(Status, cast.statuses["prepaid"]).gate = {"all": [{"field": "paid_percent", "op": "at_least", "value": 50}]}
    answer = move(owner, cast, pairs(poor, rich), "prepaid")
    assert "1 заказ → «Предоплата»" in answer.text
    assert 'hx-swap-oob="innerHTML:#dialogs"' in answer.text and "Бедняков Пётр" in answer.text and "доля оплаты" in answer.text
    assert f'action="/orders/{poor.id}/move"' in answer.text and "Дополнить" in answer.text
    assert statuses() == [cast.statuses["design"], cast.statuses["prepaid"]]


def test_a_hundred_fit_into_one_answer_and_no_more(owner: Signed, cast: Cast) -> None:
    chosen = [cast.place() for _ in range(100)]
    answer = move(owner, cast, pairs(*chosen), "ready")
    assert answer.status_code == 200 and len(json.loads(answer.headers["HX-Trigger"])["potok:place"]["places"]) == 100
    assert len(answer.data) < 250_000
    more = ",".join(f"{number}:1" for number in range(1, 102))
    assert move(owner, cast, more, "ready").status_code == 422


@pytest.mark.parametrize(
    "chosen", ["", "1", "1:1,", "1:1;2:1", "a:b", "1:1,1:1", "99999999999:1", "9999999999:1", ":", "1:1" + ",2:1" * 300]
)
def test_bad_input_is_refused_with_a_sentence(owner: Signed, cast: Cast, chosen: str) -> None:
    cast.place()
    answer = move(owner, cast, chosen, "ready")
    assert answer.status_code == 422 and "Запрос неполный" in answer.text
    assert owner.post("/orders/undo", {"events": chosen}, htmx=True).status_code == 422
    assert owner.get(f"/orders/menu?orders={chosen}", htmx=True).status_code == 422


def test_without_javascript_it_leads_back_to_the_board(owner: Signed, cast: Cast) -> None:
    answer = move(owner, cast, pairs(cast.place()), "ready", htmx=False)
    assert answer.status_code == 303 and answer.headers["Location"] == "/boards/1"


def test_viewers_may_not(app: Flask, cast: Cast) -> None:
    order = cast.place()
    viewer = Signed(app.test_client(), cast.email("viewer"))
    assert move(viewer, cast, pairs(order), "ready").status_code == 403
    assert viewer.get(f"/orders/menu?orders={pairs(order)}", htmx=True).status_code == 403
