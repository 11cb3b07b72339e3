"""The live feed over HTTP: a stream of topics and parts, or one look for those who find no room."""

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.feed import Audience, Feed, Parts
from kanban.http.guard import person, signed_in
from kanban.i18n import force_locale
from kanban.ids import read_id
from kanban.live import RESYNC, last_id, topics_since
from kanban.views.parts import audience_of, page_of, parts_of
from kanban.web import STREAM

bp = Blueprint("live", __name__)
LONGEST_PAGE = 500  # characters of its address
MOST_TOLD = 60  # cards that a stream tells of at once; of more the page is fetched


def feed() -> Feed:
    found: Feed = current_app.extensions["potok_feed"]
    return found


@bp.get("/live")
@signed_in
def stream() -> ResponseReturnValue:
    """Server-sent events; 503 where all streams are taken: then poll /live/since. ?page: the address of the board that is shown."""
    last = read_id(request.headers.get("Last-Event-ID") or request.args.get("since"))
    address = request.args.get("page", "")
    page = page_of(address) if len(address) <= LONGEST_PAGE else None
    audience = audience_of(page) if page else None
    joined = feed().join(person().id, last, audience)
    if joined is None:
        return "", 503
    request.environ[STREAM] = feed().follow(joined)
    response = Response(mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


@bp.get("/live/since")
@signed_in
def since() -> ResponseReturnValue:
    """{"last": id, "topics": […]} after ?last=id; without it, where the feed stands."""
    seen = read_id(request.args.get("last"))
    connection = db.session.connection()
    if seen is None:
        return jsonify(last=last_id(connection), topics=[])
    last, topics = topics_since(connection, seen)
    return jsonify(last=last, topics=topics)


def make_parts(app: Flask, audience: Audience, topics: list[str]) -> Parts | None:
    """For all of them at once, as one of them would get them."""
    cards, heads = _numbers(topics, "card-"), _numbers(topics, "head-")
    is_too_much = RESYNC in topics or len(cards) > MOST_TOLD or any(topic.startswith("board-") for topic in topics)
    if is_too_much or not (cards or heads):
        return None
    with app.test_request_context("/fresh"), force_locale(audience.language):
        g._login_user = audience.who  # where flask-login looks first
        return parts_of(audience, cards, heads)


def _numbers(topics: list[str], kind: str) -> list[int]:
    found = (read_id(topic.removeprefix(kind)) for topic in topics if topic.startswith(kind))
    return [number for number in found if number is not None]
