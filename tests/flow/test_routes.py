"""Every route there is, asked for by those who may not: whoever adds one adds a guard, or names it here."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.cast import Cast, Signed
from tests.flow.test_bodies import TOKEN, filled

# What a stranger gets: the pages of signing in, and what programs ask for.
OPEN = {
    "assets.asset",
    "home.language",
    "home.security_txt",
    "health.healthz",
    "health.readyz",
    "setup.show",
    "setup.found",
    "sign_in.show",
    "sign_in.come_in",
    "sign_in.invitation",
    "sign_in.accept",
    "sign_in.link",
    "sign_in.choose",
    "sign_in.forgotten",
    "sign_in.ask_for_reset",
    "unsubscribe.show",
    "unsubscribe.switch",
}

pytestmark = pytest.mark.one_database


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address)"""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, filled(app, rule, which="system", tab="sending", form="sending", provider="google")


def is_shut(answer: TestResponse) -> bool:
    return answer.status_code == 401 or (answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in"))


def test_a_stranger_gets_the_sign_in_pages_and_nothing_else(app: Flask, cast: Cast) -> None:
    cast.produce(cast.place())
    client = app.test_client()
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    headers = {"X-CSRFToken": token, "Referer": "http://localhost/"}
    found = {endpoint for endpoint, method, path in routes(app) if not is_shut(client.open(path, method=method, headers=headers))}
    assert found - OPEN == set()
    assert found == OPEN, "no longer there, or shut by now"


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_settings_and_exports_are_the_administrators(app: Flask, cast: Cast, who: str) -> None:
    cast.produce(cast.place())
    signed = Signed(app.test_client(), cast.email(who))
    asked = [(method, path) for _endpoint, method, path in routes(app) if path.startswith(("/settings", "/export"))]
    assert len(asked) > 80
    answers = {(method, path): signed.get(path) if method == "GET" else signed.post(path) for method, path in asked}
    assert {asked: answer.status_code for asked, answer in answers.items() if answer.status_code != 403} == {}


def test_methods_that_no_route_has(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    for method in ("TRACE", "PUT", "DELETE", "PATCH", "CONNECT"):
        assert client.open("/sign-in", method=method).status_code in (400, 405), method


def test_a_body_that_is_too_large_is_not_read(app: Flask, cast: Cast) -> None:
    signed = Signed(app.test_client(), cast.email("owner"))
    assert signed.post("/settings/company/change", {"title": "x" * 3_000_000}).status_code == 413


def test_headers_of_every_answer(app: Flask, cast: Cast) -> None:
    cast.place()
    owner = Signed(app.test_client(), cast.email("owner"))
    pages = ("/sign-in", "/boards/1", "/healthz", "/orders/1", "/settings/rules", "/settings/messages.csv", "/nowhere", "/bell")
    for url in (*pages, "/export/events.csv"):
        answer = owner.get(url)
        assert answer.headers["Referrer-Policy"] == "same-origin" and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], url
        assert answer.headers["Cache-Control"] == "no-store", url
        assert not [name for name, _value in answer.headers if name.startswith("Access-Control-")], "no other site is let in"
        assert "Server" not in answer.headers or "/" not in answer.headers["Server"], "no version is told"
