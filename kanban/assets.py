"""Static files without a build step: one style sheet joined from its parts, and one version in every address, so that
browsers may keep all of them for good."""

import hashlib
import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.security import safe_join

STATIC = Path(__file__).parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"

bp = Blueprint("assets", __name__)


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _sheet() -> bytes:
    """The parts in the order that css/order.txt gives; the layers decide precedence, not the order."""
    names = (STATIC / "css" / "order.txt").read_text().split()
    return b"\n".join((STATIC / "css" / name).read_bytes() for name in names)


class _SessionsOfPages(SecureCookieSessionInterface):
    """Signed by SHA-256, where Flask would take SHA-1. A file is the same for all, whatever libraries look up in the session after
    it: no cookie, no `Vary: Cookie`."""

    digest_method = staticmethod(hashlib.sha256)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "assets.asset":
            super().save_session(app, session, response)


def init_assets(app: Flask) -> None:
    app.session_interface = _SessionsOfPages()
    app.config["ASSETS_VERSION"] = _digest()
    app.config["ASSETS_SHEET"] = _sheet()
    app.register_blueprint(bp)
    app.jinja_env.globals["asset"] = lambda path: url_for("assets.asset", version=app.config["ASSETS_VERSION"], path=path)


@bp.get("/assets/<version>/<path:path>")
def asset(version: str, path: str) -> Response:
    if version != current_app.config["ASSETS_VERSION"]:
        abort(404)
    if path == "potok.css":
        response = Response(current_app.config["ASSETS_SHEET"], mimetype="text/css")
    else:
        # whole: of a stream flask-compress makes no gzip, which is all that browsers take over plain HTTP
        response = Response(_file(path).read_bytes(), mimetype=mimetypes.guess_type(path)[0] or "application/octet-stream")
    response.headers["Cache-Control"] = FOREVER
    return response


def _file(path: str) -> Path:
    found = safe_join(str(STATIC), path)
    if found is None or not Path(found).is_file():
        abort(404)
    return Path(found)
