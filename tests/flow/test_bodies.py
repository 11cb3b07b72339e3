"""Whatever body comes to whatever address, nothing breaks: what is no form is refused before anything reads it."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.cast import PASSWORD, TOKEN, Cast, Signed

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data"
NO_FORMS = {
    "an object": ("application/json", b'{"email": ["x"], "password": {"a": 1}}'),
    "a list": ("application/json", b"[1, [2], null]"),
    "text in JSON": ("application/json; charset=utf-16", b'"text"'),
    "a number": ("application/vnd.api+json", b"1e999"),
    "deep": ("application/json", b"[" * 100_000),
    "deep pairs": ("application/json", b'["' * 100_000),
    "broken JSON": ("application/json", b'{"a": \xff'),
    "JSON of nothing": ("application/json", b""),
    "text": ("text/plain", "Привет".encode("cp1251")),
    "XML": ("text/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "a report": ("application/csp-report", b'{"csp-report": {}}'),
    "no type that there is": ("nothing/at/all; charset=\xff", b"a=b"),
}
FORMS = {
    "garbage": (FORM, b"%ff=%00&%&&==&a=%f0%28&name=%ed%a0%80&=&" + bytes(range(256))),
    "another charset": (FORM + "; charset=koi9-z", "name=Ёж&customer_name=\u20ac".encode("utf-16")),
    "nothing": (FORM, b""),
    "no type": ("", b"name=x"),
    "many fields": (FORM, b"&".join(b"name=%d" % number for number in range(3000))),
    "parts without a boundary": (PARTS, b"--x\r\n\r\n"),
    "parts cut off": (PARTS + "; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nabc'),
    "parts of garbage": (PARTS + '; boundary="x"', b"--x\r\n\xff: \x00\r\n\r\n--x--\r\n" + bytes(range(256))),
    "a file for a text": (
        PARTS + "; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="customer_name"; filename="a\xff.txt"\r\nContent-Type: a/b; charset=z\r\n\r\n'
        b"\xff\x00\r\n--x--\r\n",
    ),
}
ENDING = ("/delete", "/remove", "/replace", "/sign-out")  # they come last, so that the others meet what there is


def addresses(app: Flask) -> list[str]:
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    return sorted((filled(app, rule) for rule in rules), key=lambda path: (path.endswith(ENDING), path.endswith("/sign-out"), path))


def filled(app: Flask, rule: Rule, **words: str) -> str:
    """The address with 1 for each id. words: by parameter; x for the others."""
    values = {name: "1" if type(kind).__name__ == "IdConverter" else words.get(name, "x") for name, kind in rule._converters.items()}
    found = rule.build(values)
    assert found is not None, rule
    return str(found[1])


def answers(app: Flask, client: FlaskClient, token: str, bodies: dict[str, tuple[str, bytes]]) -> Iterator[tuple[str, str, int]]:
    by_turns = cycle([{}, {"HX-Request": "true", "Accept": "application/json"}])
    for path in addresses(app):
        for name, (kind, body) in bodies.items():
            headers = {"X-CSRFToken": token, "Referer": "http://localhost/"} | next(by_turns)
            yield path, name, client.post(path, data=body, content_type=kind, headers=headers).status_code


@pytest.mark.one_database
def test_what_is_no_form_is_refused_everywhere(app: Flask, cast: Cast) -> None:
    cast.produce(cast.place())
    client = app.test_client()
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    assert {code for *_, code in answers(app, client, token, NO_FORMS)} == {415}
    signed = Signed(app.test_client(), cast.email("owner"))
    assert {code for *_, code in answers(app, signed.client, signed.token, NO_FORMS)} == {415}


@pytest.mark.parametrize("who", ["a stranger", "owner"])
def test_a_broken_form_breaks_nothing(app: Flask, cast: Cast, who: str) -> None:
    cast.produce(cast.place())
    if who == "owner":
        signed = Signed(app.test_client(), cast.email("owner"))
        client, token = signed.client, signed.token
    else:
        client = app.test_client()
        token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    assert len(addresses(app)) >= 80
    assert [one for one in answers(app, client, token, FORMS) if one[2] >= 500] == []


def test_a_body_that_comes_with_a_question_is_not_read(app: Flask, cast: Cast) -> None:
    for path in ("/sign-in", "/reset", "/healthz", "/boards/1", "/live", "/nothing"):
        client = app.test_client()
        plain = client.get(path)
        for kind, content in NO_FORMS.values():
            answer = client.get(path, data=content, content_type=kind, headers={"Accept": "application/json"})
            assert (answer.status_code, answer.mimetype) == ((415, "text/html") if content else (plain.status_code, plain.mimetype))


def test_sign_in_never_answers_with_a_token(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    data = {"email": cast.email("owner"), "password": PASSWORD, "csrf_token": TOKEN.search(client.get("/sign-in").text)[1]}  # type: ignore[index]
    answer = client.post("/sign-in?include_auth_token", data=data, headers={"Accept": "application/json"})
    assert answer.status_code == 302 and "token" not in answer.text
