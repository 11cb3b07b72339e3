"""For watchdogs and balancers, without sign-in: what they ask takes no lock of a writer."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from kanban import clock
from kanban.beats import WebBeat, last_beat, worker_state
from kanban.db import db
from kanban.models import Part

bp = Blueprint("health", __name__)
# What other packages have to report: set by app.py's register.
checks: list[Callable[[Session, datetime], dict[str, object]]] = []


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this process can answer: 200 or 503. Of the worker and of e-mails it says nothing."""
    try:
        last_beat(db.session(), Part.WEB)
    except Exception:
        db.session.rollback()
        return jsonify(ready=False), 503
    return jsonify(ready=True)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The database, when web and worker last wrote, the oldest waiting message. 503 where one of them is ill."""
    now, web = clock.now(), _web_beat()
    report: dict[str, object] = {"database": "ok", "web": "silent" if web.is_silent else "ok", "web_wrote_at": _text(web.wrote_at)}
    try:
        worker = worker_state(db.session(), now)
        report |= {"worker": "silent" if worker.is_silent else "ok", "worker_wrote_at": _text(worker.beat_at)}
        for check in checks:
            report |= check(db.session(), now)
    except Exception:
        db.session.rollback()
        return jsonify(ok=False, database="unreachable"), 503
    report["ok"] = "silent" not in (report["web"], report["worker"])
    return jsonify(report), 200 if report["ok"] else 503


def _web_beat() -> WebBeat:
    found: WebBeat = current_app.extensions["potok_beat"]
    return found


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
