"""From POST to letter to answer: moving, undoing, placing and changing over HTTP, and every kind of bad input."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sa_event
from sqlalchemy import select, update

from kanban import boards, clock
from kanban.db import db
from kanban.http.csv_answer import _written
from kanban.models import Event, Order
from kanban.transactions import transaction
from tests.cast import Cast, Signed


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


def places(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.headers["HX-Trigger"])["potok:place"]["places"]
    return found


def move(signed: Signed, cast: Cast, order_id: int, to: str, **data: Any) -> Any:
    form = {"status": cast.statuses[to], "before": "", "version": 1, "key": "k1"} | data
    return signed.post(f"/orders/{order_id}/move", form, htmx=True, page="/boards/1")


def test_a_move_answers_with_card_heads_and_a_toast(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    answer = move(owner, cast, order.id, "prepaid")
    assert answer.status_code == 200
    assert f'id="card-order-{order.id}"' in answer.text and 'data-version="2"' in answer.text
    assert f'id="head-{cast.statuses["design"]}"' in answer.text and f'id="head-{cast.statuses["prepaid"]}"' in answer.text
    assert "2 письма через 15 с" in answer.text and "Отменить" in answer.text
    assert places(answer)[0]["status"] == cast.statuses["prepaid"]
    assert len(answer.data) < 9_000


def test_the_answer_does_not_grow_with_the_board(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    small = len(move(owner, cast, order.id, "ready").data)
    for _ in range(30):
        cast.place()
    other = cast.place()
    assert abs(len(move(owner, cast, other.id, "ready", key="k2").data) - small) < 60


def test_a_stale_move_answers_409_with_the_true_card(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready", cast.designer)
    answer = move(owner, cast, order.id, "prepaid")
    assert answer.status_code == 409
    assert "Марина Лисицына" in answer.text and "Проект готов" in answer.text
    assert places(answer)[0]["status"] == cast.statuses["ready"]
    assert 'data-version="2"' in answer.text


def test_a_repeated_key_gets_the_first_answer(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    first = move(owner, cast, order.id, "ready", key="same")
    again = move(owner, cast, order.id, "ready", key="same")
    assert first.status_code == again.status_code == 200
    event = re.compile(r'name="event" value="(\d+)"')
    assert event.findall(first.text) == event.findall(again.text)
    assert len(cast.messages()) == 3


def test_undo_over_http(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    answer = move(owner, cast, order.id, "prepaid")
    event = re.findall(r'name="event" value="(\d+)"', answer.text)[0]
    undone = owner.post(f"/orders/{order.id}/undo", {"event": event}, htmx=True, page="/boards/1")
    assert undone.status_code == 200 and "отменено: 2 письма · кому: Ольга Белова, Тамара Гусева" in undone.text
    assert cast.column("design") == ["К-0001"]
    assert owner.post(f"/orders/{order.id}/undo", {"event": event}, htmx=True, page="/boards/1").status_code == 409


def test_forms_work_without_javascript(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    answer = owner.post(f"/orders/{order.id}/move", {"status": cast.statuses["ready"], "before": "", "version": 1})
    assert answer.status_code == 303 and answer.location == f"/orders/{order.id}"
    assert owner.post("/boards/1/place", {"customer_name": "Ли Анна"}).status_code == 303
    assert owner.post(f"/orders/{order.id}/production").status_code == 303
    assert cast.column("making") == ["П-0001"]


BAD_MOVES: list[tuple[dict[str, Any], int]] = [
    ({"status": "999999"}, 422),
    ({"status": "99999999999999999999"}, 422),
    ({"status": "-1"}, 422),
    ({"status": ""}, 422),
    ({"status": "abc"}, 422),
    ({"status": "1; DROP TABLE"}, 422),
    ({"version": "x"}, 422),
    ({"version": ""}, 422),
    ({"version": "99999999999999"}, 422),
    ({"before": "💥"}, 200),
    ({"before": "x" * 5000}, 200),
    ({"key": "к" * 5000}, 200),
]


@pytest.mark.parametrize(("data", "code"), BAD_MOVES)
def test_bad_moves_get_a_sentence_and_never_a_500(owner: Signed, cast: Cast, data: dict[str, Any], code: int) -> None:
    order = cast.place()
    answer = move(owner, cast, order.id, "ready", **data)
    assert answer.status_code == code, answer.text
    if code != 200:
        assert 'class="toast"' in answer.text and cast.column("design") == ["К-0001"]


@pytest.mark.parametrize(
    "url",
    [
        "/orders/999999",
        "/orders/99999999999999999999",
        "/orders/0",
        "/boards/999",
        "/boards/99999999999",
        "/boards/1/statuses/9999/window?start=1",
        "/boards/1/statuses/1/window?start=zzz",
        "/orders/999999/messages",
        "/orders/999999/menu",
        "/no/such/page",
    ],
)
def test_unknown_things_are_404(owner: Signed, cast: Cast, url: str) -> None:
    assert owner.get(url).status_code == 404
    assert owner.get(url, htmx=True).status_code == 404


def test_a_status_of_another_board_and_a_status_that_is_gone(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    assert move(owner, cast, order.id, "making").status_code == 422
    assert owner.post(f"/settings/boards/statuses/{cast.statuses['install']}/remove").status_code == 303
    answer = move(owner, cast, order.id, "install")
    assert answer.status_code == 422 and "больше нет" in answer.text


BAD_ORDERS: list[tuple[dict[str, str], str]] = [
    ({"customer_name": ""}, "Напишите"),
    ({"customer_name": "   "}, "Напишите"),
    ({"customer_name": "я" * 500}, "120"),
    ({"total": "много"}, "цифрами"),
    ({"total": "-5"}, "сумм"),
    ({"total": "1e999"}, "сумм"),
    ({"total": "9" * 30}, "сумм"),
    ({"total": "NaN"}, "сумм"),
    ({"ship_on": "2026-02-30"}, "дат"),
    ({"ship_on": "завтра"}, "дат"),
    ({"ship_on": "9999-12-31"}, "2100"),
    ({"customer_email": "не почта"}, "адрес"),
    ({"tags": ",".join(f"т{n}" for n in range(40))}, "20"),
    ({"description": "я" * 20_000}, "10000"),
    ({"organisation_id": "77777"}, ""),
    ({"responsible_id": "abc"}, ""),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("data", "said"), BAD_ORDERS)
def test_bad_fields_come_back_with_their_reason_and_what_was_typed(owner: Signed, cast: Cast, data: dict[str, str], said: str) -> None:
    order = cast.place()
    form = {"customer_name": "Хасанова Гузель", "title": "Не терять меня", "version": "1"} | data
    answer = owner.post(f"/orders/{order.id}/change", form)
    assert answer.status_code == 422, answer.text[:500]
    assert "Не терять меня" in answer.text
    assert said.casefold() in answer.text.casefold()


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("486 000", 48_600_000),
        ("486\u00a0000,50 ₽", 48_600_050),
        ("486,000.50", 48_600_050),
        ("1234,5", 123_450),
        ("", 0),
        ("100 руб.", 10_000),
    ],
)
def test_sums_as_people_type_them(owner: Signed, cast: Cast, typed: str, minor: int) -> None:
    order = cast.place()
    assert owner.post(f"/orders/{order.id}/change", {"customer_name": "А", "total": typed, "version": "1"}).status_code == 303
    assert cast.head("design") == (1, minor)


def test_emoji_and_right_to_left_text_survive_and_html_is_escaped(owner: Signed, cast: Cast) -> None:
    text = "<b>🪑</b> مرحبا \x00\x07конец"
    answer = owner.post("/boards/1/place", {"customer_name": text, "title": text}, htmx=True, page="/boards/1")
    assert answer.status_code == 200
    page = owner.get("/boards/1").text
    assert "&lt;b&gt;🪑&lt;/b&gt; مرحبا конец" in page and "<b>🪑" not in page


def test_two_tabs_the_second_save_is_told_and_keeps_what_was_typed(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    assert owner.post(f"/orders/{order.id}/change", {"customer_name": "Первая вкладка", "version": "1"}).status_code == 303
    answer = owner.post(f"/orders/{order.id}/change", {"customer_name": "Вторая вкладка", "version": "1"})
    assert answer.status_code == 409 and "Вторая вкладка" in answer.text and "Сергей Мельников" in answer.text
    again = owner.post(f"/orders/{order.id}/change", {"customer_name": "Вторая вкладка", "version": "2"})
    assert again.status_code == 303


def test_quick_add_keeps_what_was_typed(owner: Signed, cast: Cast) -> None:
    answer = owner.post("/boards/1/place", {"customer_name": "", "title": "Дача"}, htmx=True, page="/boards/1")
    assert answer.status_code == 422 and 'value="Дача"' in answer.text and answer.headers["HX-Retarget"] == "#quick-add"


@pytest.mark.parametrize("query", ["?q=%00", "?q=%25%27%22", "?who=99999999999999999999", "?who=abc&firm=-1&mine=yes", "?q=" + "я" * 3000])
def test_hostile_filters_are_harmless(owner: Signed, cast: Cast, query: str) -> None:
    cast.place()
    assert owner.get("/boards/1" + query).status_code == 200
    assert owner.get("/way" + query).status_code == 200


def test_filter_by_text_in_any_message_case_and_by_people(owner: Signed, cast: Cast) -> None:
    cast.place(customer_name="Соколова Марина", responsible_id=cast.people["manager"])
    cast.place(customer_name="Ли Анна")
    page = owner.get("/boards/1?q=СОКОЛ").text
    assert "Соколова" in page and "Ли Анна" not in page and "1 из 2" in page
    assert "Ли Анна" not in owner.get(f"/boards/1?who={cast.people['manager']}").text
    assert "Соколова" not in owner.get("/boards/1?mine=1").text
    assert "Соколова" in owner.get("/boards/1?q=123-45").text, "a phone is found too"


def test_windows_cover_a_column_without_holes(owner: Signed, cast: Cast) -> None:
    ids = [cast.place().id for _ in range(50)][::-1]
    page = owner.get("/boards/1").text
    seen = [int(one) for one in re.findall(r'id="card-order-(\d+)"', page)]
    assert len(seen) == 12
    while True:
        found = re.search(r'href="(/boards/1/statuses/\d+/window\?start=\d+)', page)
        if not found:
            break
        page = owner.get(found[1]).text
        seen += [int(one) for one in re.findall(r'id="card-order-(\d+)"', page)]
    assert seen == ids


def statements(action: Any) -> int:
    count = 0

    def one(*_: Any) -> None:
        nonlocal count
        count += 1

    sa_event.listen(db.engine, "before_cursor_execute", one)
    try:
        action()
    finally:
        sa_event.remove(db.engine, "before_cursor_execute", one)
    return count


def test_a_board_page_costs_a_fixed_number_of_statements(owner: Signed, cast: Cast) -> None:
    for _ in range(3):
        cast.produce(cast.place())
    owner.get("/boards/1")
    few = statements(lambda: owner.get("/boards/1"))
    for _ in range(40):
        cast.produce(cast.place())
    assert statements(lambda: owner.get("/boards/1")) == few
    assert few <= 14


def test_fresh_parts_go_through_the_readers_own_page_and_filter(owner: Signed, cast: Cast) -> None:
    a, b = cast.place(customer_name="Соколова"), cast.place(customer_name="Ли")
    answer = owner.get(f"/fresh?cards={a.id},{b.id}&heads={cast.statuses['design']}", htmx=True, page="/boards/1?q=сокол")
    assert [place["status"] for place in places(answer)] == [cast.statuses["design"], None]
    assert "Соколова" in answer.text and "Ли" not in re.sub("<[^>]+>", "", answer.text).replace("Соколова", "")


def test_the_whole_way_stands_in_the_order_of_the_table(owner: Signed, cast: Cast) -> None:
    page = owner.get("/way").text
    names = re.findall(r'id="name-\d+">([^<]+)</h3>', page)
    assert names == [
        "Разработка проекта",
        "Проект готов",
        "Предоплата",
        "В производстве",
        "Сборка",
        "Готов к установке",
        "Оплачен",
        "Оплачен и готов к установке",
        "Установка",
        "Закрыт",
    ]


def test_events_as_csv_in_order_of_commit(owner: Signed, cast: Cast) -> None:
    with transaction() as session:
        boards.find_board(session, cast.boards["orders"]).prefix = "=1+"
    order = cast.place(customer_name="=HYPERLINK(1)")
    move(owner, cast, order.id, "ready", key='=cmd;"')
    answer = owner.get("/export/events.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf") and answer.headers["Content-Disposition"].endswith(f"events-{clock.today()}.csv")
    head, placed, moved = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
    assert head == ["Событие", "Заказ", "Прежний статус", "Статус после", "Ключ", "Когда", "Кто", "Вид", "Отменяет"]
    assert moved[1:5] == [f"'{order.number}", "Разработка проекта", "Проект готов", "'=cmd;\""] and order.number.startswith("=1+")
    local = [f"{clock.local(at):%Y-%m-%d %H:%M:%S}" for at in db.session.scalars(select(Event.at).order_by(Event.id))]
    assert [placed[5], moved[5]] == local


@pytest.mark.parametrize("text", ["=1", "+7", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠a"])
def test_nothing_typed_becomes_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(_written([(text, -5, None, f"a;{text}")])), delimiter=";"))
    assert rows == [["'" + text, "-5", "", f"a;{text}"]]


@pytest.mark.parametrize(
    "typed", ["+79123456789", "8 912 345-67-89", "345-67-89", "СЕМЕНОВА", "семён\u00adова 345-67-89", "елка", "7 (912) 345"]
)
def test_orders_are_found_in_any_spelling(owner: Signed, cast: Cast, typed: str) -> None:
    cast.place(customer_name="Соколова", customer_phone="8 912 345-67-88")
    cast.place(customer_name="Се\u200bме\u0308нова", customer_phone="8(912) 345 67 89", tags=["Ёлка"])
    page = owner.get("/boards/1", query_string={"q": typed}).text
    assert page.count("<article") == (2 if typed == "7 (912) 345" else 1) and "нова" in page


def test_history_tells_who_when_and_how_long(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready", cast.designer)
    page = owner.get(f"/orders/{order.id}").text
    assert "Марина Лисицына" in page and "Разработка проекта" in page and "в «Разработка проекта»" in page


def test_the_messages_of_an_order(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    part = owner.get(f"/orders/{order.id}/messages", htmx=True).text
    assert "Ольга Белова" in part and "ждёт" in part


def test_an_undo_of_an_unknown_event_is_refused(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready")
    answer = owner.post(f"/orders/{order.id}/undo", {"event": "99999"}, htmx=True, page="/boards/1")
    assert answer.status_code == 422 and cast.column("ready") == ["К-0001"]


def test_an_order_says_who_got_no_message_and_why(app: Flask, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready", cast.manager)
    shown = Signed(app.test_client(), cast.email("designer")).get(f"/orders/{order.id}/messages", htmx=True).text
    assert "автор этого изменения, и так знает" in shown and "Ольга Белова" in shown


def shown_count(text: str) -> str:
    return " ".join(re.search(r'id="filter-count"[^>]*>(.*?)</span>', text)[1].split())  # type: ignore[index]


def test_the_count_of_orders_stays_true(owner: Signed, cast: Cast) -> None:
    first = cast.place()
    assert shown_count(owner.get("/boards/1").text) == "1 заказ"
    placed = owner.post("/boards/1/place", {"customer_name": "Ли", "key": "a"}, htmx=True, page="/boards/1").text
    assert shown_count(placed) == "2 заказа"
    cast.place(customer_name="Соколова")
    fresh = f"/fresh?cards={first.id}&heads={cast.statuses['design']}"
    assert shown_count(owner.get(fresh, htmx=True, page="/boards/1").text) == "3 заказа"
    assert shown_count(owner.get(fresh, htmx=True, page="/boards/1?q=сокол").text) == "1 из 3"
    cast.produce(first)
    assert shown_count(owner.get(fresh, htmx=True, page="/way").text) == shown_count(owner.get("/way").text) == "4 заказа"
    assert "filter-count" not in owner.get(fresh, htmx=True, page=f"/orders/{first.id}").text


def test_an_order_that_is_done_says_what_is_owed(owner: Signed, cast: Cast) -> None:
    order = cast.place(total=38_700_000, paid=26_700_000)
    words = "Выполнен, но не оплачено ещё 120\u00a0000\u00a0₽."
    assert words not in move(owner, cast, order.id, "ready").text and words not in owner.get(f"/orders/{order.id}").text
    assert words in move(owner, cast, order.id, "closed", version=2, key="k2").text and words in owner.get(f"/orders/{order.id}").text
    paid = cast.place(total=100, paid=100)
    assert "не оплачено" not in move(owner, cast, paid.id, "closed", key="k3").text
    made = cast.produce(cast.place())
    assert "не оплачено" not in move(owner, cast, made.id, "made", key="k4").text


@pytest.mark.one_database
def test_card_and_page_count_the_same_days_in_a_status(owner: Signed, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    order = cast.place()
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 30, 6, 0, tzinfo=UTC))
    with transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(entered_at=datetime(2026, 11, 28, 20, 0, tzinfo=UTC)))
    assert re.search(r'class="card-age"[^>]*>2 дн', owner.get("/boards/1").text)
    assert "2 дн. в статусе" in owner.get(f"/orders/{order.id}").text
