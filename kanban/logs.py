"""The log: a line for each request and each event, with whose and which order's it is; as text, or JSON for programs that collect it.

What somebody typed, what was searched for and the tokens of links are not in it.
"""

import logging
import re
import secrets
import time
from typing import assert_never

from flask import Flask, Response, g, has_request_context, request

from kanban.config import Config, LogFormat
from kanban.log_formats import TextFormatter

log = logging.getLogger("potok.web")
OWN_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
QUIET = ("assets.asset", "health.healthz", "health.readyz")  # asked for again and again: at DEBUG only


def set_up(config: Config) -> None:
    """For a process, before it does anything: all of it goes to stderr."""
    handler = logging.StreamHandler()
    handler.addFilter(_add_context)
    handler.setFormatter(_formatter(config.log_format))
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if OWN_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    level = logging.DEBUG if request.endpoint in QUIET else logging.INFO
    took_ms = round((time.perf_counter() - g.began) * 1000, 1)
    what = {"method": request.method, "path": _path(), "status": response.status_code, "took_ms": took_ms}
    log.log(level, "%(method)s %(path)s %(status)s %(took_ms)s ms", what, extra=what | {"address": request.remote_addr})
    return response


def _path() -> str:
    """Without what was searched for; of a link that opens a door only its kind."""
    rule = request.url_rule
    if rule is None:
        return "/" + request.path.strip("/").partition("/")[0][:40]
    known = all(isinstance(value, int) for value in (request.view_args or {}).values())
    return request.path if known else rule.rule


def _add_context(record: logging.LogRecord) -> bool:
    if has_request_context():
        own = {"request": g.get("request_id"), "person": _person_id(), "order": (request.view_args or {}).get("order_id")}
        for name, value in own.items():
            if value is not None and getattr(record, name, None) is None:
                setattr(record, name, value)
    return True


def _person_id() -> int | None:
    """Of whoever is signed in, where somebody has asked; the log itself reads nothing from the database."""
    found: int | None = g.get("person_id")
    return found


def _formatter(kind: LogFormat) -> logging.Formatter:
    match kind:
        case "text":
            return TextFormatter("%(asctime)s %(name)s %(levelname)s %(message)s")
        case "json":
            from kanban.json_log import Json  # noqa: PLC0415, only where somebody wants it

            return Json(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                json_ensure_ascii=False,
                rename_fields={
                    "asctime": "time",
                    "levelname": "level",
                    "name": "logger",
                },
            )
        case _:
            assert_never(kind)
