"""Cards, heads and toasts as parts: one mark-up for first paint, answer and live refresh."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, render_template, url_for
from markupsafe import Markup

from kanban import clock
from kanban.actor import Actor
from kanban.columns import columns_of_boards
from kanban.db import db
from kanban.htmx import current_page, fragment, toast_part
from kanban.i18n import currency, language
from kanban.ids import read_id
from kanban.queries.board import Column, Head, boards_of_way, count_shown, heads
from kanban.queries.cards import Card, cards_of
from kanban.queries.filter import Filter, read_filter
from kanban.views.doors import all_boards, board_of
from kanban.views.guard import person

MOST_CARDS = 60
_BODY = '<div class="column-body">'


def init_parts(app: Flask) -> None:
    app.jinja_env.globals.update(card_html=card_html, columns_html=columns_html, board_of=board_of)
    app.jinja_env.filters["toast_part"] = lambda html: Markup(toast_part(str(html)))


def card_html(card: Card, compact: bool = False) -> Markup:
    """A card's HTML. Two equal cards on one day in one language have the same, so it is made once."""
    return _card_html(card, compact, language(), currency(), clock.today().toordinal())


@lru_cache(maxsize=20_000)
def _card_html(card: Card, compact: bool, _language: str, _currency: str, _day: int) -> Markup:
    part = "orders/_card_compact.html" if compact else "orders/_card.html"
    return Markup(current_app.jinja_env.get_template(part).render(card=card))


def columns_html(columns: Sequence[Column], chosen: Filter, rights: tuple[bool, bool], quick: Markup) -> Markup:
    """All columns of a board, the quick add above the first. A column that looks the same was made before.

    rights: (writes, administers).
    """
    query = tuple(chosen.query().items())
    shown_in = (language(), currency(), clock.today().toordinal())
    html = Markup("").join(_column_html(column, query, rights, shown_in) for column in columns)
    return Markup(str(html).replace(_BODY, _BODY + str(quick), 1))


@lru_cache(maxsize=2_000)
def _column_html(column: Column, query: tuple[tuple[str, Any], ...], rights: tuple[bool, bool], _shown_in: tuple[str, str, int]) -> Markup:
    more = url_for(
        "boards.window", board_id=column.head.status.board_id, status_id=column.head.status.id, start=column.window.next_id, **dict(query)
    )
    part = current_app.jinja_env.get_template("boards/_column.html")
    return Markup(part.render(column=column, more=more, filtered=bool(query), can_write=rights[0], is_admin=rights[1]))


def page_context() -> tuple[str, int | None, Filter]:
    """("board", its id, filter), ("way", None, filter) or ("", None, no filter): the page parts are made for."""
    path, query = current_page()
    pieces = path.strip("/").split("/")
    board_id = read_id(pieces[1]) if pieces[0] == "boards" and len(pieces) > 1 else None
    if board_id is not None:
        return "board", board_id, read_filter(query)
    return ("way", None, read_filter(query)) if path == "/way" else ("", None, Filter())


def parts_answer(
    order_ids: Iterable[int], head_ids: Iterable[int], code: int = 200, *, toast: str = "", who: Actor | None = None,
    also: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Cards in their true place, heads with their true counts, and a toast, whatever the size of the board.

    Places go as an event: `potok:place` with, for each order, its status and rank, or that this page does not show it.
    """
    who = who or person()
    page, board_id, chosen = page_context()
    wanted = list(dict.fromkeys(order_ids))[:MOST_CARDS]
    cards: list[Card] = []
    columns: list[Head] = []
    counts = (0, 0)
    session = db.session()
    if page:
        conditions = chosen.conditions(who)
        boards = [board_id] if board_id is not None else [board.id for board in boards_of_way(all_boards()) if board]
        rows = {row.id: row for row in columns_of_boards(session, boards)}
        cards = cards_of(session, wanted, conditions, rows)
        touched = [row for id_, row in rows.items() if id_ in set(head_ids)]
        columns = heads(session, who, touched, conditions)
        counts = count_shown(session, list(rows.values()), conditions) if touched else counts
    shown = {card.id: card for card in cards}
    places = [
        {"order": id_, "status": shown[id_].status_id, "rank": shown[id_].rank} if id_ in shown else {"order": id_, "status": None}
        for id_ in wanted
    ]
    parts = render_template("boards/_parts.html", cards=cards, heads=columns, counts=counts, chosen=chosen, compact=page == "way")
    return fragment(parts + toast_part(toast), code, trigger={"potok:place": {"places": places}} | (also or {}), reswap="none")
