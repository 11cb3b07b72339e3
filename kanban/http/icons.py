"""Small pieces of mark-up as functions: a macro imported with its context is made anew in every part that uses it."""

import re
from functools import lru_cache

from flask import Flask, current_app, url_for
from markupsafe import Markup, escape

from kanban.http.kept import token
from kanban.i18n import quoted as quote
from kanban.phones import e164
from kanban.settings import country

LOGO = Markup(
    '<svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round">'
    '<path d="M2.5 5.5h6c4 0 2.5 4.5 6.5 4.5h2.5"/><path d="M2.5 10h3c4 0 2.5 4.5 6.5 4.5h5.5"/>'
    '<path d="M2.5 14.5h1.5" opacity=".55"/><path d="M13 5.5h4.5" opacity=".55"/></svg>'
)


def init_icons(app: Flask) -> None:
    app.jinja_env.globals.update(
        icon=icon, avatar=avatar, status=status, csrf=csrf, mark=lambda: LOGO, initials=initials, phone_link=phone_link
    )


def icon(name: str, size: str = "") -> Markup:
    """An icon of static/icons.svg. Decoration only: the word stands beside it, or in an aria-label around it."""
    return _icon(name, size, str(current_app.config["ASSETS_VERSION"]))


@lru_cache(maxsize=500)
def _icon(name: str, size: str, version: str) -> Markup:
    sheet = url_for("assets.asset", version=version, path="icons.svg")
    return Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"></use></svg>').format(
        f" icon-{size}" if size else "", sheet, name
    )


def avatar(name: str, tone: str, size: str = "") -> Markup:
    """A person's initials on their tone, with the name for those who don't see it."""
    sized = Markup(' data-size="{}"').format(size) if size else ""
    return Markup('<span class="avatar" data-tone="{}"{} role="img" aria-label="{}" title="{}">{}</span>').format(
        tone, sized, name, name, initials(name)
    )


def initials(name: str) -> str:
    """«Ольга Белова» → «ОБ»."""
    words = name.split()
    return "".join(word[0] for word in (words if len(words) < 3 else words[:2])).upper()


def status(name: str, tone: str, quoted: bool = False) -> Markup:
    """A status: dot and name."""
    return Markup('<span class="status" data-tone="{}"><i class="dot"></i>{}</span>').format(tone, escape(quote(name) if quoted else name))


_DIALLED = re.compile(r"[0-9\s()./-]{5,}")


def phone_link(phone: str) -> Markup:
    """A phone number that a tap dials; mere text where there is more in it than a number."""
    number = e164(phone, country()) or (re.sub("[^0-9]", "", phone) if _DIALLED.fullmatch(phone) else "")
    return Markup('<a class="link" href="tel:{}">{}</a>').format(number, phone) if number else escape(phone)


def csrf() -> Markup:
    """The hidden field of every form that changes something."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token())
