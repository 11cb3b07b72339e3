"""The live feed over HTTP: a stream of topics, or one look for those who find no room."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from kanban.db import db
from kanban.ids import read_id
from kanban.live import Feed
from kanban.views.guard import person, signed_in

bp = Blueprint("live", __name__)


def feed() -> Feed:
    found: Feed = current_app.extensions["potok_feed"]
    return found


@bp.get("/live")
@signed_in
def stream() -> Any:
    """Server-sent events; 503 where all streams are taken: then poll /live/since."""
    who = person().id
    if not feed().has_room(who):
        return "", 503
    last = read_id(request.headers.get("Last-Event-ID") or request.args.get("since"))
    db.session.remove()  # a stream holds no connection of its own
    response = Response(feed().stream(last, who), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


@bp.get("/live/since")
@signed_in
def since() -> Any:
    """{"last": id, "topics": […]} after ?last=id; without it, where the feed stands."""
    seen = read_id(request.args.get("last"))
    if seen is None:
        return jsonify(last=feed().last_id(), topics=[])
    last, topics = feed().since(seen)
    return jsonify(last=last, topics=topics)
