"""Pages of boards, kept as they were made until something that boards show has changed.

The number of the last such change is read with each request, in the same transaction as whatever is shown, so that a page is
never older than what this process, or another, has committed. A page belongs to one person. What differs each time, such as a
token, is a hole in it. What orders show in are pieces; the frame around them is kept by what it is made of, so that after a move
the pieces alone are made anew.
"""

import secrets
import uuid
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import NamedTuple, ParamSpec

from flask import Flask, Response, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from kanban import clock
from kanban.actor import Actor
from kanban.caches import Cache
from kanban.db import db
from kanban.htmx import is_htmx, is_refresh
from kanban.http.gzipped import Segment, compress, gzip, stored
from kanban.i18n import language
from kanban.live import BoardsVersion, Seen, last_seen

P = ParamSpec("P")
MOST_BYTES = 4_000_000  # some three hundred pages
MOST_BYTES_OF_FRAMES = 1_000_000  # some two hundred
_SECRET = secrets.token_hex(16)  # nobody can type a mark


class Hole(StrEnum):
    """token: of forms. key: tells a repeated request from a new one. since: the newest change of the live feed."""

    TOKEN = "token"
    KEY = "key"
    SINCE = "since"


class Piece(StrEnum):
    """Of a page: made anew with each change of boards."""

    COLUMNS = "columns"
    COUNT = "count"
    SWITCHER = "switcher"


Part = Segment | Hole | Piece
_PARTS: dict[str, Hole | Piece] = {str(one): one for one in (*Hole, *Piece)}


@dataclass(frozen=True)
class Page:
    """What a view makes. frame: with a mark for each piece. made_of: all that the frame shows beside who asks, the address, the
    language and the day."""

    made_of: Hashable
    frame: Callable[[], str]
    pieces: Mapping[Piece, str]


class Look(NamedTuple):
    """How a person wants pages to look: models.Person."""

    theme: str
    compact: bool
    single_keys: bool


@dataclass(frozen=True)
class PageKey:
    """who: with rights and roles as they were when the request began; they may be others by the time the change is read."""

    who: Actor
    look: Look
    url: str
    language: str
    day: date


@dataclass(frozen=True)
class Frame:
    made_of: Hashable
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class KeptPage:
    """version: of the boards, when it was made."""

    version: BoardsVersion
    parts: tuple[Segment | Hole, ...]

    def filled(self, values: Mapping[Hole, Callable[[], str]]) -> list[Segment]:
        return [part if isinstance(part, Segment) else stored(values[part]().encode()) for part in self.parts]


def init_kept(app: Flask) -> None:
    app.extensions["potok_pages"] = Cache[PageKey, KeptPage]("pages", MOST_BYTES, lambda page: _size(page.parts))
    app.extensions["potok_frames"] = Cache[PageKey, Frame]("frames", MOST_BYTES_OF_FRAMES, lambda frame: _size(frame.parts))
    app.jinja_env.globals.update(fresh_key=fresh_key, live_since=live_since, piece=piece)
    app.context_processor(lambda: {"csrf_token": token})  # flask-wtf gives pages its own by such a processor, which comes first


def _size(parts: Iterable[Part]) -> int:
    return sum(len(part.compressed) if isinstance(part, Segment) else 0 for part in parts)


def _mark(part: Hole | Piece) -> Markup:
    return Markup(f"{_SECRET}{part}-")


def token() -> str:
    """Of a form; where the page is kept, the hole for it."""
    return _mark(Hole.TOKEN) if g.get("is_kept") else str(generate_csrf())


def fresh_key() -> str:
    return _mark(Hole.KEY) if g.get("is_kept") else _new_key()


def live_since() -> str:
    """For a page that follows the live feed: see follows_feed."""
    return _mark(Hole.SINCE) if g.get("is_kept") else str((g.get("seen") or last_seen(db.session())).newest)


def piece(name: str) -> str:
    """Where it stands in the frame."""
    return _mark(Piece(name))


def do_not_keep() -> None:
    """The page that is being made shows something of which no change of boards tells."""
    g.must_not_be_kept = True


def kept(view: Callable[P, Page]) -> Callable[P, Response]:
    """Behind signed_in: a view whose page is made of what boards show, of who asks and of the address."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> Response:
        seen = last_seen(db.session())  # before the rows are read: a change in between is shown twice rather than never
        pages: Cache[PageKey, KeptPage] = current_app.extensions["potok_pages"]
        look = Look(current_user.theme, current_user.compact, current_user.single_keys)
        key = PageKey(current_user.actor, look, request.full_path, language(), clock.today())
        has_flashes = "_flashes" in session and not is_refresh()  # which are shown once
        page = None if has_flashes else pages.get(key)
        if page is None or page.version != seen.boards:
            g.is_kept = True
            try:
                made = view(*args, **kwargs)
                may_be_kept = request.method == "GET" and not (has_flashes or g.get("must_not_be_kept"))
                page = KeptPage(seen.boards, _put_together(_frame(key, made, may_be_kept), made.pieces))
            finally:
                g.is_kept = False
            if may_be_kept:
                pages.put(key, page)
        return _answer(page, seen)

    return answered


def follows_feed(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Behind signed_in: a view whose page follows the live feed from before its rows are read, so that it misses nothing."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not is_htmx():
            g.seen = last_seen(db.session())
        return view(*args, **kwargs)

    return answered


def _frame(key: PageKey, page: Page, may_be_kept: bool) -> Frame:
    frames: Cache[PageKey, Frame] = current_app.extensions["potok_frames"]
    frame = frames.get(key) if may_be_kept else None
    if frame is None or frame.made_of != page.made_of:
        frame = Frame(page.made_of, _split(page.frame()))
        if may_be_kept:
            frames.put(key, frame)
    return frame


def _put_together(frame: Frame, pieces: Mapping[Piece, str]) -> tuple[Segment | Hole, ...]:
    whole: list[Segment | Hole] = []
    for part in frame.parts:
        for one in _split(pieces[part]) if isinstance(part, Piece) else (part,):
            assert not isinstance(one, Piece), "a piece in a piece"
            whole.append(one)
    return tuple(whole)


def _split(text: str) -> tuple[Part, ...]:
    """At its marks, and compressed between them."""
    first, *others = text.split(_SECRET)
    parts: list[Part] = [compress(first.encode())]
    for other in others:
        name, _, rest = other.partition("-")
        parts += [_PARTS[name], compress(rest.encode())]
    return tuple(parts)


def _answer(page: KeptPage, seen: Seen) -> Response:
    parts = page.filled({Hole.TOKEN: generate_csrf, Hole.KEY: _new_key, Hole.SINCE: lambda: str(seen.newest)})
    if request.accept_encodings.quality("gzip"):
        response = Response(gzip(parts), mimetype="text/html")
        response.headers["Content-Encoding"] = "gzip"
        return response
    return Response(b"".join(part.text() for part in parts), mimetype="text/html")


def _new_key() -> str:
    return uuid.uuid4().hex
