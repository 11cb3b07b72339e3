"""Blocking, removing and restoring over HTTP: dialogs and pages, who may, and that a removed order shows nowhere."""

from typing import Any

import pytest
from flask import Flask

from kanban import orders
from kanban.db import db
from kanban.models import Order
from kanban.transactions import transaction
from tests.cast import Cast, Signed
from tests.pages import pages


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def now(order: Order) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True)


def post(signed: Signed, order: Order, verb: str, *, htmx: bool = True, **data: Any) -> Any:
    return signed.post(f"/orders/{order.id}/{verb}", data, htmx=htmx, page=f"/boards/{order.board_id}")


def test_a_block_shows_on_the_card_and_in_the_history(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    asked = owner.get(f"/orders/{order.id}/block", htmx=True)
    assert asked.headers["HX-Retarget"] == "#dialogs" and 'name="reason"' in asked.text
    answer = post(owner, order, "block", reason="Нет замера <i>", key="k1")
    assert answer.status_code == 200 and "data-blocked" in answer.text and "Нет замера &lt;i&gt;" in answer.text
    assert "Заблокирован: Нет замера &lt;i&gt;" in owner.get(f"/orders/{order.id}").text
    assert "Разблокировать" in owner.get(f"/orders/{order.id}/menu", htmx=True).text
    assert "data-blocked" not in post(owner, order, "unblock").text


@pytest.mark.parametrize("reason", ["", "   ", "д" * 201])
def test_a_reason_is_asked_for_again(owner: Signed, cast: Cast, reason: str) -> None:
    order = cast.place()
    answer = post(owner, order, "block", reason=reason)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert post(owner, order, "block", htmx=False, reason=reason).status_code == 422
    assert now(order).blocked == ""


def test_without_javascript_each_is_a_page_and_leads_on(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    assert "<html" in owner.get(f"/orders/{order.id}/block").text and "<html" in owner.get(f"/orders/{order.id}/remove").text
    assert post(owner, order, "block", htmx=False, reason="Нет замера").headers["Location"] == f"/orders/{order.id}"
    removed = post(owner, order, "remove", htmx=False, version=now(order).version)
    assert removed.status_code == 303 and "К-0001 удалён" in owner.get(removed.headers["Location"]).text


def test_a_removed_order_is_on_no_page_but_its_own(app: Flask, owner: Signed, cast: Cast) -> None:
    cast.place()  # the settings show the first number as an example
    order = cast.place(customer_name="Удалённая Вера")
    work = cast.produce(order)
    question = owner.get(f"/orders/{order.id}/remove", htmx=True)
    assert "П-0001" in question.text
    answer = post(owner, order, "remove", version=now(order).version, key="k1")
    assert answer.status_code == 200 and "Отменить" in answer.text
    history = (
        f"/orders/{order.id}",
        "/settings/removed",
        "/settings/messages",
        "/settings/rules/runs",
        "/bell",
        "/export",
    )  # what has been stays there
    for page in (*pages(app), "/search?q=Удалённая", f"/orders/{work.id}"):
        if not page.startswith(history):
            assert "К-0002" not in owner.get(page).text, page
    own = owner.get(f"/orders/{order.id}")
    assert own.status_code == 200 and "Этот заказ удалён" in own.text and "Восстановить" in own.text
    assert 'id="order-body"' in owner.get(f"/orders/{order.id}", htmx=True).text
    assert "К-0002" in owner.get("/settings/removed").text


def test_it_is_restored_from_its_toast_its_page_and_the_list(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    for _again in range(2):
        post(owner, order, "remove", version=now(order).version)
        assert now(order).removed_at is not None
        answer = post(owner, order, "restore")
        assert answer.status_code == 200 and f'id="card-order-{order.id}"' in answer.text
    assert "Удалён" in owner.get(f"/orders/{order.id}").text and "Восстановлен" in owner.get(f"/orders/{order.id}").text


def test_others_may_block_and_not_remove_and_viewers_may_neither(app: Flask, cast: Cast) -> None:
    order = cast.place()
    manager, viewer = (Signed(app.test_client(), cast.email(one)) for one in ("manager", "viewer"))
    assert post(manager, order, "block", reason="Нет замера").status_code == 200
    for verb in ("remove", "restore"):
        assert post(manager, order, verb, version=2).status_code == 403
    for verb in ("block", "unblock", "remove", "restore"):
        assert post(viewer, order, verb, version=2, reason="…").status_code == 403
    assert manager.get(f"/orders/{order.id}/remove").status_code == 403 and manager.get("/settings/removed").status_code == 403
    assert "Удалить" not in manager.get(f"/orders/{order.id}/menu", htmx=True).text
    with transaction() as session:
        orders.remove(session, cast.owner, order.id, version=now(order).version)
    seen = manager.get(f"/orders/{order.id}")
    assert seen.status_code == 200 and "Этот заказ удалён" in seen.text and f"/orders/{order.id}/restore" not in seen.text


def test_a_stale_removal_is_refused(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready")
    assert post(owner, order, "remove", version=1).status_code == 409 and now(order).removed_at is None


def test_a_placed_order_is_taken_back_from_its_toast(app: Flask, cast: Cast) -> None:
    manager = Signed(app.test_client(), cast.email("manager"))
    answer = manager.post("/boards/1/place", {"customer_name": "Ким", "key": "k1"}, htmx=True, page="/boards/1")
    event = answer.text.split('name="event" value="')[1].split('"')[0]
    assert "Отменить" in answer.text
    undone = manager.post("/orders/1/undo", {"event": event}, htmx=True, page="/boards/1")
    assert undone.status_code == 200 and "К-0001 отменён" in undone.text
    assert "К-0001" not in manager.get("/boards/1").text
    assert "Этот заказ удалён" in manager.get("/orders/1").text


def test_history_offers_undo_while_messages_wait_and_names_who_will_not_be_told(app: Flask, cast: Cast) -> None:
    order = cast.place(cast.manager)
    moved = cast.move(order, "prepaid", cast.manager)
    with transaction() as session:
        orders.comment(session, cast.designer, order.id, "Видела")
    assert moved.event
    manager, designer = (Signed(app.test_client(), cast.email(one)) for one in ("manager", "designer"))
    page = manager.get(f"/orders/{order.id}").text
    assert f'name="event" value="{moved.event.id}"' in page and "тогда не узнают: Тамара Гусева" in page
    assert 'name="event"' not in designer.get(f"/orders/{order.id}").text
    manager.post(f"/orders/{order.id}/undo", {"event": moved.event.id})
    assert 'name="event"' not in manager.get(f"/orders/{order.id}").text
