"""Filters and globals that templates make words with."""

import uuid
from datetime import date
from typing import Any

from babel import Locale
from flask import Flask
from markupsafe import Markup, escape

from kanban import clock, i18n
from kanban.countries import countries
from kanban.events import Told
from kanban.fold import fold
from kanban.i18n import N_, _, ngettext

FIELD_NAMES = {
    "title": N_("Title"), "installation_address": N_("Installation address"), "total": N_("Total"), "paid": N_("Paid"),
    "description": N_("Description and wishes"), "order_on": N_("Order date"), "ship_on": N_("Ship date"),
    "installation_on": N_("Installation date"), "tags": N_("Tags"), "organisation": N_("Organisation"),
    "responsible": N_("Responsible"), "customer": N_("Customer"), "phone": N_("Phone"), "email": N_("E-mail"),
}  # fmt: skip
MONEY = ("total", "paid")
DAYS = ("order_on", "ship_on", "installation_on")


def init_words(app: Flask) -> None:
    env = app.jinja_env
    env.globals["fresh_key"] = lambda: uuid.uuid4().hex
    env.filters.update(oob=oob, duration=duration, country=country, field_name=field_name, field_value=field_value, said=said, due=due)
    env.filters.update(names=i18n.names, counted=counted)
    env.filters["merge"] = lambda one, other: one | other
    env.tests["has"] = lambda container, thing: thing in container


def oob(html: Markup) -> Markup:
    """The same part, sent as an out-of-band morph."""
    return Markup(str(html).replace("<article ", '<article hx-swap-oob="morph" ', 1))


def said(after: dict[str, Any]) -> Markup:
    """A comment's text, the people it mentions marked."""
    text, html, here = str(after.get("text", "")), Markup(), 0
    for start, end in after.get("marked") or []:
        html += escape(text[here:start]) + Markup('<b class="mention">{}</b>').format(text[start:end])
        here = end
    return html + escape(text[here:])


def due(todo: Any) -> str:
    """When a to-do is due: «сегодня, 09:30», «завтра», «26 ноя»."""
    days = (todo.due_on - clock.today()).days
    near = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}
    day = near.get(days) or i18n.day_short(todo.due_on)
    return f"{day}, {todo.due_time:%H:%M}" if todo.due_time else day


def counted(told: Told) -> str:
    """«2 письма, 1 SMS»: messages by channel."""
    found = (
        ngettext("%(num)d e-mail", "%(num)d e-mails", told.emails) if told.emails else "",
        ngettext("%(num)d SMS", "%(num)d SMS", told.sms) if told.sms else "",
        ngettext("%(num)d messenger message", "%(num)d messenger messages", told.chats) if told.chats else "",
        ngettext("%(num)d notice", "%(num)d notices", told.notices) if told.notices else "",
    )
    return ", ".join(part for part in found if part)


def duration(seconds: float) -> str:
    """«8 дн.», «2 дн. 5 ч», «40 мин»."""
    minutes = int(seconds // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days >= 4 or (days and not hours):
        return _("%(days)s d", days=days)
    if days:
        return _("%(days)s d %(hours)s h", days=days, hours=hours)
    return _("%(hours)s h", hours=hours) if hours else _("%(minutes)s min", minutes=minutes)


def country(code: str) -> str:
    """The name of a country in the reader's language; "" for none."""
    return str(Locale.parse(i18n.language()).territories.get(code, code)) if code else ""


def countries_by_name() -> list[tuple[str, str]]:
    """(code, name) in the reader's language and alphabet."""
    return sorted(((code, country(code)) for code in countries()), key=lambda pair: fold(pair[1]))


def field_name(name: str) -> str:
    """A field of a changed order, as history names it; roles carry their own name."""
    return name[5:] if name.startswith("role:") else _(FIELD_NAMES.get(name, name))


def field_value(value: Any, name: str) -> str:
    if value in (None, "", []):
        return "—"
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name in MONEY:
        return i18n.money(value)
    if name in DAYS:
        return i18n.day_long(date.fromisoformat(value))
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
