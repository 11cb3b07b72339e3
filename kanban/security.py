"""Who is at the door: flask-security without its role model, sign-ins kept on the server, limits, headers."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import Security, login_user
from flask_security.datastore import SQLAlchemyUserDatastore
from flask_security.mail_util import MailUtil
from flask_security.signals import user_authenticated
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete, inspect, select, update
from werkzeug.datastructures import ImmutableMultiDict

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.emails import VALIDATOR
from kanban.i18n import _l
from kanban.models import Person, SignIn

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
DEVICE_S = 365 * 24 * 3600
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'; frame-src 'self'"
)
# A letter is shown as it looks, with its inline styles, in a frame that can run nothing.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


@dataclass
class Post:
    """How this package sends a letter of its own. app.py sets it: (kind, person, subject, text, url)."""

    send: Callable[[str, Person, str, str, str], None] = field(default=lambda kind, person, subject, text, url: None)


post = Post()


class PersonDatastore(SQLAlchemyUserDatastore):
    """flask-security's writes, each in a transaction() of its own, begun after the slow hashing."""

    def put(self, model: Any) -> Any:
        changed = {one.key: one.value for one in inspect(model).attrs if one.history.has_changes()}
        with transaction(numbered=False) as write:
            fresh = write.get_one(type(model), model.id)
            for name, value in changed.items():
                setattr(fresh, name, value)
            if "password" in changed or "fs_uniquifier" in changed:
                write.execute(delete(SignIn).where(SignIn.person_id == fresh.id))
        return model

    def commit(self) -> None:
        return None


class _OutboxMail(MailUtil):
    """flask-security's letters go through the outbox."""

    def send_mail(self, template: str, subject: str, recipient: Any, sender: Any, body: str | None, html: str | None, **more: Any) -> None:
        link = more.get("reset_link", "")
        safe, text = _at_home(link), (body or "").strip()
        post.send("reset", more["user"], str(subject), text.replace(link, safe) if link else text, safe)


def _at_home(link: str) -> str:
    """The link at our own public address. flask-security builds it from the Host header, which a stranger may write."""
    parts = urlsplit(link)
    return f"{_config().public_url}{parts.path}" if link else ""


def is_own_path(text: str) -> bool:
    """Whether an address that came with a request leads to a page of ours, and nowhere else."""
    return re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", text) is not None


csrf = CSRFProtect()


def init_security(app: Flask, config: Config) -> None:
    app.config.update(_settings(config))
    app.before_request(_forms_only)
    csrf.init_app(app)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    security = Security(app, PersonDatastore(db, Person, cast(Any, None)), mail_util_cls=_OutboxMail)
    security.want_json(lambda _request: False)  # pages only: its JSON answers carry tokens
    app.login_manager.user_loader(_load_person)  # type: ignore[attr-defined]
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]  # or any body would be read for a token
    app.extensions["potok_security"] = security
    user_authenticated.connect(_remember_sign_in, app)
    for endpoint in ("security.login", "security.forgot_password"):
        view: Any = app.view_functions[endpoint]
        for bucket, limit in LIMITS.items():
            view = limiter.limit(
                limit, key_func=KEYS[bucket], methods=["POST"], exempt_when=_is_stranger if bucket == "known" else _is_known,
                deduct_when=lambda response: response.status_code not in (302, 303),
            )(view)  # fmt: skip
        app.view_functions[endpoint] = _with_own_next(view)
    app.extensions["potok_limiter"] = limiter
    app.after_request(_headers)


def _forms_only() -> None:
    """Nothing here takes another body, and libraries that try to read one as JSON fail on a list, or on ten thousand brackets."""
    is_other = request.mimetype != "" and request.mimetype not in FORMS
    if is_other and (request.method == "POST" or request.content_length):
        abort(415)


def limit_guesses(app: Flask, endpoint: str) -> None:
    """Wrong passwords at a page of somebody who is signed in already: as few as at the door."""
    limit = app.extensions["potok_limiter"].limit(
        LIMITS["caller"], key_func=lambda: f"guess:{session.get('_user_id')}", methods=["POST"],
        deduct_when=lambda response: response.status_code == 422,
    )  # fmt: skip
    app.view_functions[endpoint] = limit(app.view_functions[endpoint])


def _with_own_next(view: Any) -> Any:
    """Drops a `next` that leads elsewhere, so that it neither redirects nor stands in the way of a right password."""

    @wraps(view)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        for name in ("args", "form"):
            values = getattr(request, name)
            if not all(is_own_path(one) for one in values.getlist("next")):
                kept = [(key, value) for key, value in values.items(multi=True) if key != "next"]
                setattr(request, name, ImmutableMultiDict(kept))
        return view(*arguments, **options)

    return wrapped


def _settings(config: Config) -> dict[str, Any]:
    cheap = {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}
    return {
        "SECRET_KEY": config.secret_key,
        "SECURITY_PASSWORD_SALT": hashlib.sha256(b"salt" + config.secret_key.encode()).hexdigest(),
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": cheap if config.password_hash_cost == "cheap" else {},
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_DEPRECATED_PASSWORD_SCHEMES": [],
        "SECURITY_PASSWORD_LENGTH_MIN": 8,
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_METHODS": None,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_RESET_URL": "/reset",
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=1),
        "SECURITY_AUTO_LOGIN_AFTER_RESET": False,
        "SECURITY_POST_RESET_VIEW": "/sign-in",
        "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": _l("A new password for Potok"),
        "SECURITY_EMAIL_VALIDATOR_ARGS": VALIDATOR,
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_TRACKABLE": False,
        "SECURITY_I18N_DIRNAME": "builtin",
        "SECURITY_FLASH_MESSAGES": True,
        # no value: werkzeug would write the library's own "private": True as private=True
        "SECURITY_CACHE_CONTROL": {"no-store": None},
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_NAME": f"{cookie_prefix(config)}potok",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.is_https,
        "PERMANENT_SESSION_LIFETIME": 30 * 24 * 3600,
        "SESSION_REFRESH_EACH_REQUEST": False,
    }


def cookie_prefix(config: Config) -> str:
    """Under https a browser takes such a cookie from this very host only, not from a neighbour under the same domain."""
    return "__Host-" if config.is_https else ""


def _load_person(uniquifier: str) -> Person | None:
    """The person of this session, if the server still knows its sign-in. One SELECT; none for a file, which is anybody's."""
    token = session.get("sign_in")
    if not token or not uniquifier or request.endpoint == "assets.asset":
        return None
    return db.session.scalar(
        select(Person)
        .join(SignIn, SignIn.person_id == Person.id)
        .where(SignIn.token_hash == _hash(token), Person.fs_uniquifier == uniquifier, Person.active)
    )


def _remember_sign_in(app: Flask, user: Person, **_: Any) -> None:
    """A new sign-in: its row on the server, its token in the cookie, and the browser marked as one that knows the way."""
    token = secrets.token_urlsafe(32)
    id_, now = user.id, clock.now()
    with transaction(numbered=False) as write:
        write.add(SignIn(token_hash=_hash(token), person_id=id_, user_agent=str(request.user_agent)[:200]))
        write.execute(update(Person).where(Person.id == id_).values(seen_at=now))
    session["sign_in"] = token
    session.permanent = bool(request.form.get("stay"))
    request.environ["potok.signed_in"] = user.email


def forget_sign_in() -> None:
    """The sign-in's row goes, so that a copied cookie opens nothing any more."""
    token = session.pop("sign_in", None)
    if token:
        with transaction(numbered=False) as write:
            write.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# Limits of sign-in. A stranger's tries count against the stranger's address and, together with other strangers', against
# the account; a browser that has signed in before has a count of its own, so nobody else can lock its owner out.
LIMITS = {"known": "20 per 5 minutes", "caller": "10 per 5 minutes", "account": "100 per hour", "address": "100 per 5 minutes"}


def _email() -> str:
    """The address as flask-security will look for it: many spellings, one account."""
    typed = request.form.get("email", "").strip()[:254]
    try:
        return str(current_app.extensions["security"]._mail_util.normalize(typed)).casefold()
    except ValueError:
        return unicodedata.normalize("NFKC", typed).casefold()


def _device() -> str:
    """The mark of a browser that has signed in with this address before, or ""."""
    try:
        email, mark = _signer().loads(request.cookies.get(_device_cookie(), ""))
    except (BadSignature, ValueError, TypeError):
        return ""
    return str(mark) if email == _email() else ""


def _device_cookie() -> str:
    return f"{cookie_prefix(_config())}potok_device"


def _config() -> Config:
    found: Config = current_app.config["POTOK"]
    return found


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key, salt="device")  # type: ignore[arg-type]


KEYS: dict[str, Callable[[], str]] = {
    "known": lambda: f"known:{_device()}",
    "caller": lambda: f"caller:{get_remote_address()}:{_email()}",
    "account": lambda: f"account:{_email()}",
    "address": lambda: f"address:{get_remote_address()}",
}


def _is_known() -> bool:
    return bool(_device())


def _is_stranger() -> bool:
    return not _device()


def _headers(response: Response) -> Response:
    signed_in = request.environ.get("potok.signed_in")
    if signed_in:
        mark = _signer().dumps([signed_in.casefold(), secrets.token_hex(8)])
        response.set_cookie(_device_cookie(), mark, max_age=DEVICE_S, httponly=True, samesite="Lax", secure=_config().is_https)
    if _config().is_https:
        response.headers["Strict-Transport-Security"] = f"max-age={DEVICE_S}"
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def sign_in_anew(person: Person) -> None:
    """After a change that ended all sign-ins: this browser stays in."""
    login_user(person)
