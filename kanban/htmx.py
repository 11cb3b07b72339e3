"""The only place that looks at, or sets, HX- headers."""

import json
from urllib.parse import parse_qsl, urlsplit

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from htmx_flask import Htmx, make_response

htmx = Htmx()


def is_htmx() -> bool:
    """Whether htmx asked, and not for a page that was boosted or restored from history."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def is_refresh() -> bool:
    """Whether an open page asks by itself, for a part of what it shows (static/js/refresh.js)."""
    return "X-Potok-Refresh" in request.headers


def fragment(html: str, status: int = 200, *, trigger: dict[str, object] | None = None, retarget: str = "", reswap: str = "") -> Response:
    """An answer for htmx. trigger: events for the page; reswap is set by hand, because htmx-flask knows no morphs."""
    response: Response = make_response(html, status)
    if trigger:
        response.headers["HX-Trigger"] = json.dumps(trigger)  # ASCII, as a header must be
    if retarget:
        response.headers["HX-Retarget"] = retarget
    if reswap:
        response.headers["HX-Reswap"] = reswap
    response.headers["Vary"] = "HX-Request"
    return response


def toast_part(html: str) -> str:
    """A toast as an out-of-band part. It goes into a region that outlives it: a target that left with its toast would silence
    every later answer of that page."""
    return f'<div hx-swap-oob="beforeend:#toasts">{html}</div>' if html else ""


def go(url: str) -> ResponseReturnValue:
    """After a change: 303 for a form, HX-Redirect for htmx, so that both end on the same page."""
    if is_htmx():
        response: Response = make_response("", 204, redirect=url)
        return response
    return redirect(url, 303)


def current_page(address: str | None = None) -> tuple[str, dict[str, str]]:
    """(path, query) of the page that htmx asked from, or of this address: parts are made to fit it, filter and all."""
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL", "") if address is None else address)
    except ValueError:
        return "", {}
    return parts.path, dict(parse_qsl(parts.query))
