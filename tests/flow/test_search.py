"""The search of every page, and phone numbers that dial."""

import pytest
from flask import Flask

from kanban.db import db
from kanban.http.icons import phone_link
from kanban.queries.found import MOST_FOUND, find_orders
from tests.cast import Cast, Signed


def test_search_finds_orders_of_all_boards_the_newest_first(app: Flask, cast: Cast) -> None:
    closed = cast.place(title="Кухня")
    cast.produce(closed)
    cast.move(closed, "closed")
    cast.place(customer_name="Яковлева Раиса", customer_phone="")
    page = Signed(app.test_client(), cast.email("viewer")).get("/search?q=хасанова").text
    assert page.index("Заказ") and page.count('class="found-number"') == 2
    assert page.index("П-0001") < page.index("К-0001")
    assert "Закрыт" in page and "Яковлева" not in page


def test_search_without_words_or_without_luck_says_so(app: Flask, cast: Cast) -> None:
    cast.place()
    viewer = Signed(app.test_client(), cast.email("viewer"))
    for url in ("/search", "/search?q=", "/search?q=%20", "/search?q=%00"):
        page = viewer.get(url)
        assert page.status_code == 200 and "found-number" not in page.text and "Ничего не найдено" not in page.text
    assert "Ничего не найдено" in viewer.get("/search?q=нетакого").text
    assert app.test_client().get("/search?q=а").status_code == 302


def test_search_shows_the_newest_fifty(app: Flask, cast: Cast) -> None:
    orders = [cast.place() for _ in range(MOST_FOUND + 1)]
    found = find_orders(db.session(), cast.viewer, "хасанова")
    assert [one.id for one in found.orders] == [one.id for one in reversed(orders)][:MOST_FOUND]
    assert found.has_more
    found = find_orders(db.session(), cast.viewer, f"хасанова {orders[0].number}")
    assert [one.id for one in found.orders] == [orders[0].id] and not found.has_more


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("8 (900) 123-45-67", "+79001234567"),
        ("+7\u00a0900\u00a0123‑45‑67", "+79001234567"),
        ("123-45-67", "1234567"),
        ("8 900 123-45-67, Мария", None),
        ("нет", None),
        ("", None),
    ],
)
def test_a_phone_number_dials(app: Flask, cast: Cast, phone: str, number: str | None) -> None:
    link = f'<a class="link" href="tel:{number}">{phone}</a>'
    assert phone_link(phone) == (link if number else phone)
