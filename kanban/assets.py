"""Static files without a build step: one style sheet joined from its parts, and one version in every address, so that
browsers may keep all of them for good."""

import hashlib
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, send_from_directory, url_for

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


def init_assets(app: Flask) -> None:
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
        response = send_from_directory(STATIC, path)
    response.headers["Cache-Control"] = FOREVER
    return response
