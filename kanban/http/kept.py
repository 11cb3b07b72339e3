"""Pages of boards, kept as they were made until something that boards show has changed.

The number of the last such change is read with each request, in the same transaction as whatever is shown, so that a page is
never older than what this process, or another, has committed. A page belongs to one person. What differs each time, such as a
token, is a hole in it.
"""

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import ParamSpec

from flask import Flask, Response, current_app, g, request, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from kanban import clock
from kanban.actor import Actor
from kanban.caches import Cache
from kanban.db import db
from kanban.http.gzipped import Segment, compress, gzip, stored
from kanban.i18n import language
from kanban.live import BoardsVersion, Seen, last_seen

P = ParamSpec("P")
MOST_BYTES = 4_000_000  # some three hundred pages
_SECRET = secrets.token_hex(16)  # nobody can type a mark


class Hole(StrEnum):
    """token: of forms. key: tells a repeated request from a new one. since: the newest change of the live feed."""

    TOKEN = "token"
    KEY = "key"
    SINCE = "since"

    @property
    def mark(self) -> str:
        return f"{_SECRET}{self}-"


@dataclass(frozen=True)
class PageKey:
    """who: with rights and roles as they were when the request began; they may be others by the time the change is read."""

    who: Actor
    url: str
    language: str
    day: date


@dataclass(frozen=True)
class KeptPage:
    """version: of the boards, when it was made."""

    version: BoardsVersion
    parts: tuple[Segment | Hole, ...]

    @property
    def size(self) -> int:
        return sum(len(part.compressed) if isinstance(part, Segment) else 0 for part in self.parts)

    def filled(self, values: Mapping[Hole, Callable[[], str]]) -> list[Segment]:
        return [part if isinstance(part, Segment) else stored(values[part]().encode()) for part in self.parts]


def init_kept(app: Flask) -> None:
    app.extensions["potok_pages"] = Cache[PageKey, KeptPage]("pages", MOST_BYTES, lambda page: page.size)
    app.jinja_env.globals.update(csrf_token=token, fresh_key=fresh_key)


def token() -> str:
    """Of a form; where the page is kept, the hole for it."""
    return Hole.TOKEN.mark if g.get("is_kept") else str(generate_csrf())


def fresh_key() -> str:
    return Hole.KEY.mark if g.get("is_kept") else _new_key()


def since() -> str:
    """For a page that follows the live feed; only in a kept one."""
    return Hole.SINCE.mark


def do_not_keep() -> None:
    """The page that is being made shows something of which no change of boards tells."""
    g.must_not_be_kept = True


def kept(view: Callable[P, str]) -> Callable[P, Response]:
    """Behind signed_in: a view whose page is made of what boards show, of who asks and of the address."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> Response:
        seen = last_seen(db.session())  # before the rows are read: a change in between is shown twice rather than never
        pages: Cache[PageKey, KeptPage] = current_app.extensions["potok_pages"]
        key = PageKey(current_user.actor, request.full_path, language(), clock.today())
        has_flashes = "_flashes" in session  # which are shown once
        page = None if has_flashes else pages.get(key)
        if page is None or page.version != seen.boards:
            page = _make(seen, lambda: view(*args, **kwargs))
            if not (has_flashes or g.get("must_not_be_kept")):
                pages.put(key, page)
        return _answer(page, seen)

    return answered


def _make(seen: Seen, view: Callable[[], str]) -> KeptPage:
    g.is_kept = True
    try:
        text = view()
    finally:
        g.is_kept = False
    first, *others = text.split(_SECRET)
    parts: list[Segment | Hole] = [compress(first.encode())]
    for piece in others:
        name, _, rest = piece.partition("-")
        parts += [Hole(name), compress(rest.encode())]
    return KeptPage(seen.boards, tuple(parts))


def _answer(page: KeptPage, seen: Seen) -> Response:
    parts = page.filled({Hole.TOKEN: generate_csrf, Hole.KEY: _new_key, Hole.SINCE: lambda: str(seen.newest)})
    if request.accept_encodings.quality("gzip"):
        response = Response(gzip(parts), mimetype="text/html")
        response.headers["Content-Encoding"] = "gzip"
        return response
    return Response(b"".join(part.text() for part in parts), mimetype="text/html")


def _new_key() -> str:
    return uuid.uuid4().hex
