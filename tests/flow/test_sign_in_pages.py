"""Sign-in, sign-out, reset, limits, headers, who may see what."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kanban.db import db
from kanban.settings import settings
from kanban.transactions import transaction
from rules.post.sign_in_emails import answer_resets
from rules.worker import Worker
from tests.cast import PASSWORD, TOKEN, Cast, Signed

ADMIN_PAGES = (
    "/settings/company",
    "/settings/people",
    "/settings/boards",
    "/settings/told",
    "/settings/rules",
    "/settings/rules/new",
    "/settings/rules/1",
    "/settings/rules/5",
    "/settings/people/2",
    "/settings/people/new",
    "/settings/boards/1/edit",
    "/settings/boards/statuses/3/edit",
    "/settings/boards/statuses/3/remove",
    "/settings/templates/1",
    "/settings/messages/1",
    "/settings/messages/1/html",
    "/settings/messages/1/text",
    "/settings/templates",
    "/settings/templates/new",
    "/settings/messages",
    "/settings/mail",
    "/export/events.csv",
)


def sign_in(client: FlaskClient, email: str, password: str, **headers: str) -> int:
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    data = {"email": email, "password": password, "csrf_token": token}
    return client.post("/sign-in", data=data, headers=headers).status_code


def put_resets(app: Flask) -> None:
    """What the worker does with wishes for a new password, but for sending."""
    with transaction() as session:
        answer_resets(session, app.config["POTOK"])


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(app: Flask, cast: Cast) -> None:
    answer = app.test_client().get("/boards/1")
    assert answer.status_code == 302 and answer.location.startswith("/sign-in?next=")


def test_pages_answer_to_those_who_may_see_them(app: Flask, cast: Cast) -> None:
    order = cast.place()
    owner = Signed(app.test_client(), cast.email("owner"))
    for url in (*ADMIN_PAGES, "/", "/boards/1", "/boards/2", "/way", f"/orders/{order.id}", f"/orders/{order.id}/edit", "/me"):
        assert owner.get(url).status_code in (200, 302), url


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_settings_are_for_admins(app: Flask, cast: Cast, who: str) -> None:
    cast.place()
    signed = Signed(app.test_client(), cast.email(who))
    for url in ADMIN_PAGES:
        assert signed.get(url).status_code == 403, url
    assert signed.post("/settings/people/roles/add", {"name": "Хакер"}).status_code == 403
    assert signed.post(f"/settings/told/{cast.statuses['ready']}/author", {"template": "on"}).status_code == 403


def test_a_viewer_sees_and_changes_nothing(app: Flask, cast: Cast) -> None:
    order = cast.place()
    viewer = Signed(app.test_client(), cast.email("viewer"))
    assert "Хасанова" in viewer.get("/boards/1").text
    answer = viewer.post(f"/orders/{order.id}/move", {"status": cast.statuses["ready"], "before": "", "version": 1}, htmx=True)
    assert answer.status_code == 403 and "но не менять" in answer.text
    assert viewer.post("/boards/1/place", {"customer_name": "Я"}).status_code == 403
    assert viewer.get(f"/orders/{order.id}/edit").status_code == 403


def test_a_wrong_password_says_the_same_as_an_unknown_address(client: FlaskClient, cast: Cast) -> None:
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    answers = [
        client.post("/sign-in", data={"email": email, "password": "wrong-password", "csrf_token": token})
        for email in (cast.email("manager"), "nobody@melnikov.example")
    ]
    assert answers[0].status_code == answers[1].status_code == 422
    errors = [re.findall(r'id="password-error">.*?</p>', answer.text) for answer in answers]
    assert errors[0] and errors[0] == errors[1]


def test_a_copied_cookie_dies_at_sign_out(app: Flask, cast: Cast) -> None:
    signed = Signed(app.test_client(), cast.email("manager"))
    cookie = signed.client.get_cookie("potok")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("potok", cookie.value)
    assert thief.get("/me").status_code == 200
    signed.post("/sign-out")
    assert thief.get("/me").status_code == 302


def test_cookies_and_headers(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast.email("manager"), PASSWORD)
    cookie = client.get_cookie("potok")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Lax"
    headers = client.get("/boards/1").headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "script-src 'self'" in policy and "style-src 'self'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_post_without_its_token_is_refused(app: Flask, cast: Cast) -> None:
    order = cast.place()
    signed = Signed(app.test_client(), cast.email("manager"))
    answer = signed.client.post(f"/orders/{order.id}/move", data={"status": cast.statuses["ready"], "before": "", "version": 1})
    assert answer.status_code == 400
    assert cast.column("ready") == []


def test_guessing_locks_the_guesser_out_and_not_the_owner(app: Flask, cast: Cast) -> None:
    home = app.test_client()
    assert sign_in(home, cast.email("manager"), PASSWORD) == 302
    home.post("/sign-out", data={"csrf_token": TOKEN.search(home.get("/me").text)[1]})  # type: ignore[index]
    thief = app.test_client()
    codes = [sign_in(thief, cast.email("manager"), f"guess-{n}") for n in range(14)]
    assert codes[:10] == [422] * 10 and codes[-1] == 429
    assert sign_in(thief, cast.email("manager"), PASSWORD) == 429, "even with the right password"
    assert sign_in(home, cast.email("manager"), PASSWORD) == 302, "the owner's own browser has a count of its own"


def test_a_new_password_by_message(app: Flask, cast: Cast) -> None:
    before = Signed(app.test_client(), cast.email("designer"))
    client = app.test_client()
    token = TOKEN.search(client.get("/reset").text)[1]  # type: ignore[index]
    for email in (cast.email("designer"), "nobody@melnikov.example"):
        assert client.post("/reset", data={"email": email, "csrf_token": token}).status_code == 303
    put_resets(app)
    messages = cast.messages(kind="reset")
    assert len(messages) == 1
    path = "/reset/" + messages[0].layout["url"].split("/reset/")[1]
    page = client.get(path)
    token = TOKEN.search(page.text)[1]  # type: ignore[index]
    new = "another-quiet-word-7"
    answer = client.post(path, data={"password": new, "again": new, "csrf_token": token})
    assert answer.status_code == 303, answer.text
    assert sign_in(app.test_client(), cast.email("designer"), new) == 302
    assert sign_in(app.test_client(), cast.email("designer"), PASSWORD) == 422
    assert before.get("/me").status_code == 302, "a new password ends every sign-in"
    assert client.get(path).status_code == 404, "the link works once"
    told = [message.subject for message in cast.messages(kind="security")]
    assert told == ["Ваш новый пароль в Потоке", "Новый вход в Поток"], "and is told of it"


def test_a_password_changed_by_its_owner(app: Flask, cast: Cast) -> None:
    elsewhere = Signed(app.test_client(), cast.email("designer"))
    signed = Signed(app.test_client(), cast.email("designer"))
    new = "another-quiet-word-7"
    wrong = signed.post("/me/password", {"current": "nope", "password": new, "again": new})
    assert wrong.status_code == 422
    assert signed.post("/me/password", {"current": PASSWORD, "password": new, "again": new}).status_code == 303
    assert signed.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 302


def test_someone_who_left_can_not_come_in(app: Flask, cast: Cast) -> None:
    signed = Signed(app.test_client(), cast.email("designer"))
    owner = Signed(app.test_client(), cast.email("owner"))
    data = {"name": "Марина", "email": cast.email("designer"), "access": "staff", "language": "ru"}
    assert owner.post(f"/settings/people/{cast.people['designer']}/change", data).status_code == 303
    assert signed.get("/me").status_code == 302
    assert sign_in(app.test_client(), cast.email("designer"), PASSWORD) == 422


def test_the_last_administrator_stays(app: Flask, cast: Cast) -> None:
    owner = Signed(app.test_client(), cast.email("owner"))
    data = {"name": "Сергей", "email": cast.email("owner"), "access": "staff", "language": "ru", "active": "1"}
    answer = owner.post(f"/settings/people/{cast.people['owner']}/change", data)
    assert answer.status_code == 409 and "администратор" in answer.text


def test_health_without_sign_in(app: Flask, cast: Cast) -> None:
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 503 and answer.json["worker"] == "silent"
    Worker(app).step()
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 200 and answer.json["database"] == "ok" and answer.json["worker"] == "ok"


def test_the_language_of_the_browser_then_of_the_person(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    assert "Sign in" in client.get("/sign-in", headers={"Accept-Language": "en"}).text
    assert "Войти" in client.get("/sign-in", headers={"Accept-Language": "ru"}).text
    signed = Signed(client, cast.email("manager"))
    signed.post("/me/language", {"language": "en"})
    assert "Full journey" in signed.get("/boards/1").text


def test_the_first_run_and_never_again(bare_app: Flask) -> None:
    client = bare_app.test_client()
    assert client.get("/").location == "/setup"
    page = client.get("/setup")
    token = TOKEN.search(page.text)[1]  # type: ignore[index]
    data = {
        "language": "ru",
        "company": "Кухни",
        "name": "Анна",
        "email": "anna@kuhni.example",
        "password": "short",
        "preset": "kitchen",
        "country": "KZ",
        "code": (Path(bare_app.instance_path) / "setup_code").read_text(),
    }
    assert client.post("/setup", data=data | {"csrf_token": token}).status_code == 422
    assert client.post("/setup", data=data | {"csrf_token": token, "password": PASSWORD, "country": "XX"}).status_code == 422
    answer = client.post("/setup", data=data | {"csrf_token": token, "password": PASSWORD})
    assert answer.status_code == 303
    board = client.get("/boards/1").text
    assert "Разработка проекта" in board and "Заказы покупателей" in board
    assert settings(db.session())["country"] == "KZ"
    assert client.get("/setup").status_code == 302
    token = TOKEN.search(client.get("/me").text)[1]  # type: ignore[index]
    assert client.post("/setup", data=data | {"csrf_token": token, "password": PASSWORD}).location == "/"
    assert not (Path(bare_app.instance_path) / "setup_code").exists()
