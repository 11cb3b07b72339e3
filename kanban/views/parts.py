"""Cards, heads and toasts as parts: one mark-up for first paint, answer and live refresh."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Flask, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from kanban import clock
from kanban.actor import Actor
from kanban.caches import Cache
from kanban.columns import columns_of_boards
from kanban.db import db
from kanban.feed import Audience, BoardPage, Parts, Place
from kanban.htmx import current_page, fragment, toast_part
from kanban.http.session import all_boards, board_of
from kanban.i18n import currency, language
from kanban.ids import read_id
from kanban.live import BoardsVersion, last_seen
from kanban.queries.board import Column, boards_of_way, count_shown, heads
from kanban.queries.cards import Card, cards_of
from kanban.queries.filter import Filter, read_filter
from kanban.security import SignedIn

_Query = tuple[tuple[str, Any], ...]
MOST_CARDS = 100  # in one answer


@dataclass(frozen=True)
class PartsKey:
    audience: Audience
    orders: tuple[int, ...]
    heads: frozenset[int]
    day: date
    version: BoardsVersion


_cards: Cache[tuple[Card, bool, str, str, date], Markup] = Cache("cards", 3_000_000, sys.getsizeof)
_columns: Cache[tuple[Column, _Query, tuple[bool, bool], tuple[str, str, date]], Markup] = Cache("columns", 1_000_000, sys.getsizeof)
_BODY = '<div class="column-body">'


def init_parts(app: Flask) -> None:
    app.extensions["potok_parts"] = Cache[PartsKey, Parts]("parts", 1_000_000, _size)
    app.jinja_env.globals.update(card_html=card_html, columns_html=columns_html, board_of=board_of, currency=currency)
    app.jinja_env.filters["toast_part"] = lambda html: Markup(toast_part(str(html)))


def part_html(template: str, **values: object) -> Markup:
    """Without what pages know of whoever asks."""
    return Markup(current_app.jinja_env.get_template(template).render(values))


def card_html(card: Card, compact: bool = False) -> Markup:
    """A card's HTML. Two equal cards on one day in one language have the same, so it is made once."""
    key = card, compact, language(), currency(), clock.today()
    html = _cards.get(key)
    if html is None:
        part = "orders/_card_compact.html" if compact else "orders/_card.html"
        html = part_html(part, card=card)
        _cards.put(key, html)
    return html


def columns_html(columns: Sequence[Column], chosen: Filter, rights: tuple[bool, bool], quick: Markup) -> Markup:
    """All columns of a board, the quick add above the first. A column that looks the same was made before.

    rights: (writes, administers).
    """
    query = tuple(chosen.query().items())
    shown_in = (language(), currency(), clock.today())
    html = Markup("").join(_column_html(column, query, rights, shown_in) for column in columns)
    return Markup(str(html).replace(_BODY, _BODY + str(quick), 1))


def _column_html(column: Column, query: _Query, rights: tuple[bool, bool], shown_in: tuple[str, str, date]) -> Markup:
    key = column, query, rights, shown_in
    html = _columns.get(key)
    if html is None:
        html = _make_column(column, query, rights)
        _columns.put(key, html)
    return html


def _make_column(column: Column, query: _Query, rights: tuple[bool, bool]) -> Markup:
    more = url_for(
        "boards.window", board_id=column.head.status.board_id, status_id=column.head.status.id, start=column.window.next_id, **dict(query)
    )
    return part_html("boards/_column.html", column=column, more=more, filtered=bool(query), can_write=rights[0], is_admin=rights[1])


def page_of(address: str | None = None) -> BoardPage | None:
    """The page that htmx asked from, or of this address; None where it is no board."""
    path, query = current_page(address)
    pieces = path.strip("/").split("/")
    board_id = read_id(pieces[1]) if pieces[0] == "boards" and len(pieces) > 1 else None
    return BoardPage(board_id, read_filter(query)) if board_id is not None or path == "/way" else None


def audience_of(page: BoardPage) -> Audience:
    """Of whoever asks."""
    who: SignedIn = current_user._get_current_object()
    mine = who.id if page.chosen.mine else None
    return Audience(page, who.access, frozenset(role.id for role in who.roles), language(), mine, who)


def parts_answer(
    order_ids: Iterable[int],
    head_ids: Iterable[int],
    code: int = 200,
    *,
    toast: str = "",
    more: str = "",
    also: dict[str, object] | None = None,
) -> ResponseReturnValue:
    """Cards in their true place, heads with their true counts, and a toast, whatever the size of the board.

    Places go as an event: `potok:place` with, for each order, its status and rank, or that this page does not show it; with the
    heads, and the change up to which all this is true. more: another out-of-band part.
    """
    page = page_of()
    wanted, touched = list(dict.fromkeys(order_ids))[:MOST_CARDS], list(dict.fromkeys(head_ids))
    parts = parts_of(audience_of(page), wanted, touched) if page else Parts("", tuple(map(Place, wanted)))
    place = {"places": [place.to_json() for place in parts.places], "heads": touched, "change": parts.change}
    return fragment(parts.html + more + toast_part(toast), code, trigger={"potok:place": place} | (also or {}), reswap="none")


def parts_of(audience: Audience, order_ids: Sequence[int], head_ids: Iterable[int]) -> Parts:
    """Made once for all pages that look alike, until boards change: whoever moved the order, and whoever looks on, get the same.

    order_ids: each once, at most MOST_CARDS.
    """
    wanted, touched = tuple(order_ids), frozenset(head_ids)
    seen = last_seen(db.session())
    key = PartsKey(audience, wanted, touched, clock.today(), seen.boards)
    kept: Cache[PartsKey, Parts] = current_app.extensions["potok_parts"]
    parts = kept.get(key)
    if parts is None:
        parts = _make_parts(audience.page, audience.who.actor, wanted, touched)
        kept.put(key, parts)
    return replace(parts, change=seen.newest)


def _size(parts: Parts) -> int:
    return sys.getsizeof(parts.html) + 200 * len(parts.places)


def _make_parts(page: BoardPage, who: Actor, wanted: Sequence[int], touched: Collection[int]) -> Parts:
    session, conditions = db.session(), page.chosen.conditions(who)
    boards = [page.board_id] if page.board_id is not None else [board.id for board in boards_of_way(all_boards()) if board]
    rows = {row.id: row for row in columns_of_boards(session, boards)}
    cards = {card.id: card for card in cards_of(session, wanted, conditions, rows)}
    columns = heads(session, who, [row for id_, row in rows.items() if id_ in touched], conditions)
    html = render_template(
        "boards/_parts.html",
        cards=cards.values(),
        heads=columns,
        counts=count_shown(session, list(rows.values()), conditions) if columns else (0, 0),
        chosen=page.chosen,
        compact=page.is_way,
    )
    places = (Place(id_, cards[id_].status_id, cards[id_].rank) if id_ in cards else Place(id_) for id_ in wanted)
    return Parts(html, tuple(places))
