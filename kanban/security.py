"""Who is at the door: cookies that the server knows, forms only, tokens in every form, headers."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from flask import Flask, Response, abort, current_app, g, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import bindparam, select, update

from kanban import clock, sign_ins
from kanban.actor import Actor, ActorRole
from kanban.config import Config
from kanban.db import UtcDateTime, db, table
from kanban.errors import Busy, Unwritable
from kanban.guesses import Guesser
from kanban.htmx import is_refresh
from kanban.models import Person, Role, SignIn, SignInEmailKind, person_role
from kanban.passwords import Passwords
from kanban.transactions import Turn, transaction

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
BY_ITSELF = ("live.stream", "live.since", "bell.show")
YEAR_S = 365 * 24 * 3600
CONTENT_POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'; frame-src 'self'"
)
# A message is shown as it looks, with its inline styles, in a frame that can run nothing.
MESSAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; sandbox"


@dataclass
class Post:
    """How this package sends a message of its own. app.py sets it: (kind, person, subject, text, url, language)."""

    send: Callable[[SignInEmailKind, Person, str, str, str, str], None] = field(
        default=lambda kind, person, subject, text, url, language: None
    )


post = Post()
csrf = CSRFProtect()


def passwords() -> Passwords:
    found: Passwords = current_app.extensions["potok_passwords"]
    return found


def init_security(app: Flask, config: Config) -> None:
    app.config.update(_settings(config))
    app.before_request(_forms_only)
    csrf.init_app(app)
    manager = LoginManager(app)
    manager.session_protection = None  # a sign-in is a row of ours
    manager.user_loader(_load_person)
    pepper = hashlib.sha256(b"salt" + config.secret_key.encode()).hexdigest()
    app.extensions["potok_passwords"] = Passwords(pepper, cheap=config.password_hash_cost == "cheap")
    app.after_request(_note_seen)
    app.after_request(_headers)


def _settings(config: Config) -> dict[str, object]:
    return {
        "SECRET_KEY": config.secret_key,
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_NAME": f"{cookie_prefix(config)}potok",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.is_https,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=config.sign_in_days),
        "SESSION_REFRESH_EACH_REQUEST": False,
    }


def cookie_prefix(config: Config) -> str:
    """Under https a browser takes such a cookie from this very host only, not from a neighbour under the same domain."""
    return "__Host-" if config.is_https else ""


def is_own_path(text: str) -> bool:
    """Whether an address that came with a request leads to a page of ours, and nowhere else."""
    return re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", text) is not None


def _forms_only() -> None:
    """Nothing here takes another body, and libraries that try to read one as JSON fail on a list, or on ten thousand brackets."""
    is_other = request.mimetype != "" and request.mimetype not in FORMS
    if is_other and (request.method == "POST" or request.content_length):
        abort(415)


@dataclass(frozen=True, eq=False)
class SignedIn(UserMixin):  # type: ignore[misc]
    """Who asks, as a snapshot: a transaction that begins anew takes nothing from it. fs_uniquifier: what a cookie names them by."""

    id: int
    fs_uniquifier: str
    name: str
    email: str
    phone: str
    chat: str
    access: str
    language: str
    tone: str
    theme: str
    compact: bool
    single_keys: bool
    password: str | None
    must_change_password: bool
    roles: tuple[ActorRole, ...] = ()

    def get_id(self) -> str:
        return self.fs_uniquifier

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.name, self.email, self.access, self.language, self.tone, self.roles)


_P, _S, _R = table(Person).c, table(SignIn).c, table(Role).c
_OF_PERSON = [_P[one.name] for one in fields(SignedIn) if one.name != "roles"]
_SIGNED_IN = (
    select(_S.seen_at, _S.confirmed_at, _R.id, _R.name, *_OF_PERSON)
    .select_from(table(SignIn).join(table(Person), _S.person_id == _P.id).outerjoin(person_role).outerjoin(table(Role)))
    .where(
        _S.token_hash == bindparam("token_hash"),
        _P.fs_uniquifier == bindparam("uniquifier"),
        _P.active,
        _S.seen_at > bindparam("seen", type_=UtcDateTime()),
        _S.created_at > bindparam("created", type_=UtcDateTime()),
    )
    .order_by(_R.position)
)


def _load_person(uniquifier: str) -> SignedIn | None:
    """The person of this session, if the server still knows its sign-in. One SELECT; none for a file, which is anybody's."""
    token = session.get("sign_in")
    if not token or not uniquifier or request.endpoint == "assets.asset":
        return None
    now, config = clock.now(), _config()
    rows = (
        db.session.connection()
        .execute(
            _SIGNED_IN,
            {
                "token_hash": sign_ins.hash_of(token),
                "uniquifier": uniquifier,
                "seen": now - timedelta(days=config.sign_in_idle_days),
                "created": now - timedelta(days=config.sign_in_days),
            },
        )
        .all()
    )
    if not rows:
        return None
    g.sign_in_seen_at, g.sign_in_confirmed_at, _role_id, _role, *values = rows[0]
    person = SignedIn(*values, roles=tuple(ActorRole(row[2], row[3]) for row in rows if row[2] is not None))
    g.person_id = person.id
    return person


def is_confirmed(times: int = 1) -> bool:
    """Whether the password was typed lately in this browser: the person is not merely somebody at an open screen.
    times: how many times as long ago it may be."""
    at = g.get("sign_in_confirmed_at")
    return at is not None and clock.now() - at < timedelta(seconds=times * _config().confirmed_for_s)


def enter(person: Person, *, stay: bool, kept: str | None = None) -> bool:
    """Signs this browser in, with nothing kept of what its cookie held before, and that sign-in ended. kept: the hash that the
    password was right for; False where it is another one by now, or the person has left. Needs no transaction."""
    token = _begin(person.id, kept, former=sign_in_token())
    if token is None:
        return False
    language = session.get("language")
    session.clear()  # the CSRF token too: one that somebody slipped in before is worth nothing now
    if language:
        session["language"] = language
    session["sign_in"] = token
    session.permanent = stay
    login_user(SignedIn(*(getattr(person, column.name) for column in _OF_PERSON)))
    g.entered, g.person_id = person.email, person.id
    return True


def _begin(person_id: int, kept: str | None, former: str) -> str | None:
    with transaction(Turn.NONE) as write:
        person = write.scalar(
            select(Person).where(Person.id == person_id).with_for_update(key_share=True).execution_options(populate_existing=True)
        )
        if person is None or not person.active or (kept is not None and person.password != kept):
            return None
        sign_ins.forget(write, former)
        return sign_ins.begin(write, person, str(request.user_agent), request.remote_addr or "")


def is_staying() -> bool:
    """Whether this browser's cookie outlives its window."""
    return bool(session.permanent)


def leave() -> None:
    """Signs this browser out; a copied cookie opens nothing any more."""
    logout_user()
    session.clear()


def sign_in_token() -> str:
    """Of this browser's cookie."""
    return str(session.get("sign_in", ""))


def guesser(email: str) -> Guesser:
    """Who tries a password for this account."""
    return Guesser(request.remote_addr or "", email.casefold(), _device(email.casefold()))


def _device(email: str) -> str:
    """The mark of a browser that has signed in with this address before, or ""."""
    try:
        kept, mark = _signer().loads(request.cookies.get(_device_cookie(), ""))
    except (BadSignature, ValueError, TypeError):
        return ""
    return str(mark) if kept == email else ""


def _device_cookie() -> str:
    return f"{cookie_prefix(_config())}potok_device"


def signer(secret_key: str, purpose: str, **more: Any) -> URLSafeSerializer:
    """By SHA-256, where the library would take SHA-1. more: what it takes besides."""
    return URLSafeSerializer(secret_key, salt=purpose, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}, **more)


def _signer() -> URLSafeSerializer:
    return signer(str(current_app.secret_key), "device")


def _config() -> Config:
    found: Config = current_app.config["POTOK"]
    return found


def _is_by_itself() -> bool:
    """Whether an open page asked, and nobody did anything."""
    return request.endpoint in BY_ITSELF or is_refresh()


def _note_seen(response: Response) -> Response:
    """Now and then, so that idle sign-ins end; what an open page asks for by itself is no sign of a person. Where nothing can be
    written just now, it is noted another time."""
    seen_at, token = g.get("sign_in_seen_at"), session.get("sign_in")
    if seen_at is None or not token or clock.now() - seen_at < sign_ins.SEEN or _is_by_itself():
        return response
    try:
        with transaction(Turn.NONE) as write:
            write.execute(update(SignIn).where(SignIn.token_hash == sign_ins.hash_of(token)).values(seen_at=clock.now()))
    except (Busy, Unwritable):
        pass
    return response


def _headers(response: Response) -> Response:
    entered = g.get("entered")
    if entered:
        mark = _signer().dumps([entered.casefold(), secrets.token_hex(8)])
        response.set_cookie(_device_cookie(), mark, max_age=YEAR_S, httponly=True, samesite="Lax", secure=_config().is_https)
    if _config().is_https:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")  # tables and texts of messages are as private as pages
    return response
