"""Headers of caches: well-formed on every answer, and static files are anybody's."""

import gzip
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from kanban.db import db
from tests.cast import Cast, Signed

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
DIRECTIVE = re.compile(rf'{TOKEN}(=({TOKEN}|"[^"]*"))?')  # RFC 9111, 5.2
WITH_SECONDS = {"max-age", "s-maxage", "stale-while-revalidate"}

pytestmark = pytest.mark.one_database


def directives(answer: Any) -> dict[str, str]:
    found = {}
    for one in str(answer.headers["Cache-Control"]).split(","):
        assert DIRECTIVE.fullmatch(one.strip()), one
        name, _equals, value = one.strip().partition("=")
        assert bool(value) == (name in WITH_SECONDS), f"{one}: only a time has a value"
        found[name] = value
    return found


def test_pages_are_kept_by_nobody(app: Flask, cast: Cast) -> None:
    stranger, owner = app.test_client(), Signed(app.test_client(), cast.email("owner"))
    answers = [stranger.get(url) for url in ("/", "/sign-in", "/reset", "/boards/1")]
    answers.append(stranger.post("/sign-in", data={"email": "x", "password": "y"}))
    answers += [owner.get(url) for url in ("/boards/1", "/settings/rules", "/settings/nowhere", "/export/events.csv", "/sign-in")]
    for answer in answers:
        if answer.mimetype == "text/html":
            assert "no-store" in directives(answer), answer.request.path
        elif "Cache-Control" in answer.headers:
            directives(answer)


def test_static_files_are_anybodys_and_compressed(app: Flask, cast: Cast) -> None:
    owner = Signed(app.test_client(), cast.email("owner"))
    statements: list[str] = []
    listener = (db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    event.listen(*listener)
    for name in ("icons.svg", "mark.svg", "potok.css", "js/app.js", "vendor/htmx-2.0.11.min.js"):
        answer = owner.client.get(f"/assets/{app.config['ASSETS_VERSION']}/{name}", headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert directives(answer) == {"public": "", "max-age": "31536000", "immutable": ""}
        assert "Cookie" not in answer.headers.get("Vary", "") and "Set-Cookie" not in answer.headers, name
        if len(answer.data) > 500:
            assert answer.headers["Content-Encoding"] == "gzip", "browsers ask for nothing better over plain HTTP"
            assert len(gzip.decompress(answer.data)) > len(answer.data)
    event.remove(*listener)
    assert statements == [], "nobody is looked up for a file"
    assert owner.client.get(f"/assets/{app.config['ASSETS_VERSION']}/../app.py").status_code == 404
    assert owner.client.get(f"/assets/{app.config['ASSETS_VERSION']}/js").status_code == 404
