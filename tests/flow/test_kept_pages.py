"""Pages of boards are kept between requests, and yet nobody sees what is not there any more, or what is another person's."""

import contextvars
import difflib
import gzip
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from kanban import boards, clock, firm, first_steps, orders, people
from kanban.boards import BoardFields, StatusFields
from kanban.criteria import Comparison, Criterion, Group, GroupKind
from kanban.db import db
from kanban.fields import BUILT_IN
from kanban.http import kept
from kanban.http.kept import Frame, KeptPage
from kanban.live import Seen, prune
from kanban.models import Customer, Person
from kanban.orders import Chosen
from kanban.people import PersonFields
from kanban.policy import may_write
from kanban.transactions import transaction
from rules.post import pause
from tests.cast import Cast, Signed, order_fields
from tests.conftest import forget_pages
from tests.flow.walk import same_each_time

URLS = ("/boards/1", "/boards/2", "/way", "/boards/1?q=Хасанова", "/boards/1?mine=1")
Verb = Callable[[Cast], object]


def verb(work: Callable[..., object], *arguments: object, **named: object) -> Verb:
    def done(cast: Cast) -> object:
        with transaction() as session:
            return work(session, cast.owner, *arguments, **named)

    return done


def person(**changed: object) -> Verb:
    """The manager, with something changed."""

    def done(cast: Cast) -> object:
        now = {
            "name": "Ольга Белова",
            "email": cast.email("manager"),
            "access": "staff",
            "language": "ru",
            "role_ids": [cast.roles["manager"]],
        }
        fields = PersonFields(**(now | changed))  # type: ignore[arg-type]
        return verb(people.change_person, cast.people["manager"], fields)(cast)

    return done


def status(key: str = "design", **changed: object) -> Verb:
    def done(cast: Cast) -> object:
        fields = StatusFields(**({"name": "Проект"} | changed))  # type: ignore[arg-type]
        return verb(boards.change_status, cast.statuses[key], fields)(cast)

    return done


def customer(cast: Cast) -> None:
    """Another name for whoever ordered; no event tells of it."""
    with transaction() as session:
        session.get_one(Customer, 1, populate_existing=True).name = "Хасанова Г."


def look(person_id: int, **wanted: Any) -> None:
    with transaction() as session:
        people.choose_look(session, person_id, **wanted)


SHIPS = Group(GroupKind.ALL, (Criterion("ship_on", BUILT_IN.find("ship_on"), Comparison.FILLED),))
VERBS: dict[str, Verb] = {
    "an order is placed": lambda cast: cast.place(cast.manager, customer_name="Петров"),
    "moved": lambda cast: cast.move(1, "ready"),
    "moved within its column": lambda cast: cast.move(1, "design"),
    "changed": verb(orders.change, 1, order_fields(customer_name="Хасанова", title="Прямая кухня", total=1000), version=1),
    "its customer": customer,
    "made": verb(orders.make_production, 1),
    "blocked": verb(orders.block, 1, "Нет замера"),
    "removed": verb(orders.remove, 1, version=1),
    "some are moved together": lambda cast: verb(
        orders.move_many, [Chosen(1, 1), Chosen(2, 1)], status_id=cast.statuses["ready"], before="", key=""
    )(cast),
    "a status is renamed": status(),
    "has a limit": status(limit=1),
    "may be entered by some": lambda cast: status(moving=[cast.roles["designer"]])(cast),
    "takes no more": status(limit=2, limit_refuses=True),
    "has a gate": lambda cast: verb(boards.change_gate, cast.statuses["ready"], SHIPS)(cast),
    "is added": verb(boards.add_status, 1, StatusFields(name="Ещё")),
    "is shifted": lambda cast: verb(boards.shift_status, cast.statuses["design"], 1)(cast),
    "is removed": lambda cast: verb(
        boards.remove_status, cast.statuses["design"], orders_to=cast.statuses["ready"], rules_to=cast.statuses["ready"]
    )(cast),
    "a board is renamed": verb(boards.change_board, 1, BoardFields(name="Заказы кухонь", order_name="Заказ", prefix="К-", icon="box")),
    "is added to the navigation": verb(boards.add_board, BoardFields(name="Ремонт", order_name="Ремонт", prefix="Р-", icon="box")),
    "a person is renamed": person(name="Ольга Тихонова"),
    "has another right": person(access="viewer"),
    "leaves": lambda cast: verb(
        people.change_person, cast.people["designer"], PersonFields("Марина", cast.email("designer"), active=False)
    )(cast),
    "comes": verb(people.add_person, PersonFields("Новый Человек", "new@melnikov.example"), "x"),
    "wants small cards": lambda cast: look(cast.people["manager"], theme="dark", compact=True),
    "a role is renamed": lambda cast: verb(people.rename_role, cast.roles["designer"], "Художник")(cast),
    "an organisation comes": verb(people.add_organisation, "ИП Мельников"),
    "the company changes": verb(firm.change_settings, country="KZ"),
    "messages pause": verb(pause.begin),
    "the first steps are hidden": verb(first_steps.hide),
}


@pytest.fixture
def shown(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """No day ends meanwhile, wherever the company is."""
    morning, began = clock.now().replace(hour=9, minute=0), time.monotonic()
    monkeypatch.setattr(clock, "now", lambda: morning + timedelta(seconds=time.monotonic() - began))
    cast.place(cast.manager, responsible_id=cast.people["manager"])
    cast.place()
    status("ready", name="Готово", moving=[cast.roles["designer"]])(cast)
    return cast


@pytest.fixture
def other(app: Flask) -> Iterator[Flask]:
    """As another process has it."""
    made = create_app(app.config["POTOK"], Path(app.instance_path))
    yield made
    with made.app_context():
        db.engine.dispose()


def differences(kept: list[str], fresh: list[str]) -> list[str]:
    """Tags that stand in one of two pages only, - in the kept one, + in the fresh one."""
    pages = zip(kept, fresh, strict=True)
    both = [[same_each_time(page).replace(">", ">\n").splitlines() for page in pair] for pair in pages]
    return [line for old, new in both for line in difflib.unified_diff(old, new, lineterm="", n=0)]


@pytest.mark.parametrize("name", VERBS)
def test_after_every_verb_the_kept_page_is_as_a_fresh_one(app: Flask, other: Flask, shown: Cast, name: str) -> None:
    asking = [Signed(one.test_client(), shown.email(who)) for one in (app, other) for who in ("manager", "technologist", "owner")]
    for one in asking:
        for url in URLS:
            one.get(url)
    before = [one.get(url).text for one in asking for url in URLS]
    VERBS[name](shown)
    kept = [one.get(url).text for one in asking for url in URLS]
    for each in (app, other):
        forget_pages(each)
    fresh = [one.get(url).text for one in asking for url in URLS]
    assert differences(kept, fresh) == []
    assert [same_each_time(page) for page in kept] != [same_each_time(page) for page in before] or name == "the first steps are hidden"


def test_two_people_of_equal_rights_get_nothing_of_each_other(app: Flask, shown: Cast) -> None:
    one, two = (Signed(app.test_client(), shown.email(who)) for who in ("accountant", "technologist"))
    pages = [signed.get("/boards/1").text for signed in (one, two, one, two, one)]
    tokens = [set(re.findall(r'csrf_token" value="([^"]+)|X-CSRFToken": "([^"]+)', page)) for page in pages]
    assert not tokens[0] & tokens[1]
    keys = [re.findall(r'name="key" value="([^"]+)', page) for page in pages]
    assert len({tuple(key) for key in keys}) == 5 and all(keys)
    for page, mine, other in ((pages[2], "accountant", "technologist"), (pages[3], "technologist", "accountant")):
        assert f'data-person="{shown.people[mine]}"' in page and f'data-person="{shown.people[other]}"' not in page
        assert f"bell-{shown.people[mine]} " in page and f"bell-{shown.people[other]} " not in page
        assert f'<option value="{shown.people[mine]}" selected>' in page and f'<option value="{shown.people[other]}" selected>' not in page
    assert (
        two.post("/boards/1/place", {"customer_name": "Ким", "key": keys[3][0], "csrf_token": next(iter(tokens[3]))[0]}).status_code == 303
    )


def test_each_sign_in_of_a_person_gets_a_token_of_its_own(app: Flask, shown: Cast) -> None:
    """What htmx sends with each request stands in the frame. That of another sign-in is refused."""
    pages = [Signed(app.test_client(), shown.email("manager")).get("/boards/1").text for _device in range(2)]
    first, second = (re.findall(r'X-CSRFToken": "([^"]+)"', page) for page in pages)
    assert len(first) == 1 and len(second) == 1 and first != second


def test_a_page_is_made_once_until_something_shows(app: Flask, shown: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    made: list[KeptPage] = []
    put = app.extensions["potok_pages"].put
    monkeypatch.setattr(app.extensions["potok_pages"], "put", lambda key, page: (made.append(page), put(key, page)))
    for _ in range(3):
        manager.get("/boards/1")
    assert len(made) == 1
    with transaction() as session:  # what no board shows makes none anew
        orders.comment(session, shown.owner, 1, "Слово")
    Signed(app.test_client(), shown.email("owner"))
    manager.get("/boards/1")
    assert len(made) == 1
    shown.move(1, "ready")
    manager.get("/boards/1")
    assert len(made) == 2


def test_a_frame_is_made_once_until_a_setting_changes(app: Flask, shown: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    made: list[Frame] = []
    put = app.extensions["potok_frames"].put
    monkeypatch.setattr(app.extensions["potok_frames"], "put", lambda key, frame: (made.append(frame), put(key, frame)))
    manager.get("/boards/1")
    shown.move(1, "ready")
    assert 'data-order="1" data-status="2"' in manager.get("/boards/1").text
    assert len(made) == 1
    verb(people.add_person, PersonFields("Новый Человек", "new@melnikov.example"), "x")(shown)
    assert "Новый Человек" in manager.get("/boards/1").text
    assert len(made) == 2


def test_what_is_said_once_is_not_kept(app: Flask, shown: Cast) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    manager.get("/boards/1")
    with manager.client.session_transaction() as stored:
        stored["_flashes"] = [("message", "Сказано один раз")]
    assert "Сказано один раз" in manager.get("/boards/1").text
    assert "Сказано один раз" not in manager.get("/boards/1").text


def test_a_part_that_is_fetched_takes_no_word_away(app: Flask, shown: Cast) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    with manager.client.session_transaction() as stored:
        stored["_flashes"] = [("message", "Сказано один раз")]
    part = manager.client.get("/boards/1", headers={"HX-Request": "true", "X-Potok-Refresh": "1"})
    assert "Сказано один раз" not in part.text
    assert "Сказано один раз" in manager.get("/boards/1").text


def test_what_head_is_answered_is_no_page_for_get(app: Flask, shown: Cast) -> None:
    verb(first_steps.hide)(shown)
    verb(pause.begin)(shown)
    owner = Signed(app.test_client(), shown.email("owner"))
    owner.client.head("/boards/1")
    assert 'name="back"' in owner.get("/boards/1").text


def test_the_next_day_the_page_is_of_that_day(app: Flask, shown: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    now = clock.now()
    page = manager.get("/boards/1").text
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1))
    assert same_each_time(manager.get("/boards/1").text) != same_each_time(page)


def test_compressed_and_plain_it_is_the_same(app: Flask, shown: Cast) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    plain = manager.get("/boards/1")
    packed = manager.client.get("/boards/1", headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Cache-Control"] == "no-store" and packed.headers["Content-Security-Policy"]
    assert same_each_time(gzip.decompress(packed.data).decode()) == same_each_time(plain.get_data(as_text=True))
    assert len(packed.data) < len(plain.data) / 3
    assert packed.headers["Content-Length"] == str(len(packed.data))


def test_a_forgotten_feed_makes_no_page_look_fresh(app: Flask, shown: Cast) -> None:
    manager = Signed(app.test_client(), shown.email("manager"))
    manager.get("/boards/1")
    with transaction() as session:
        prune(session, clock.now() + timedelta(days=1))
    page = manager.get("/boards/1").text
    shown.move(1, "ready")
    assert same_each_time(manager.get("/boards/1").text) != same_each_time(page)


def test_somebody_who_may_only_look_keeps_a_page_without_forms(app: Flask, shown: Cast) -> None:
    owner, viewer = Signed(app.test_client(), shown.email("owner")), Signed(app.test_client(), shown.email("viewer"))
    assert "quick-add" in owner.get("/boards/1").text
    assert "quick-add" not in viewer.get("/boards/1").text and not may_write(shown.viewer)
    assert db.session.get(Person, shown.people["viewer"]) is not None


def test_rights_that_change_while_a_page_is_made_are_not_kept(app: Flask, shown: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, real, changes = Signed(app.test_client(), shown.email("manager")), kept.last_seen, [person(access="viewer")]

    def change_first(session: Session) -> Seen:
        """An administrator commits after the request has read who asks."""
        if changes:
            work = changes.pop()

            def run() -> None:
                with app.app_context():
                    work(shown)

            thread = threading.Thread(target=contextvars.Context().run, args=(run,))
            thread.start()
            thread.join()
        return real(session)

    monkeypatch.setattr(kept, "last_seen", change_first)
    manager.get("/boards/1")
    assert "quick-add" not in manager.get("/boards/1").text
