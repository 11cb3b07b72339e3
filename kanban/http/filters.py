"""Filters and globals that templates make words with."""

from collections.abc import Mapping
from datetime import date, time
from typing import Protocol

from babel import Locale
from flask import Flask
from markupsafe import Markup, escape

from kanban import clock, i18n
from kanban.countries import countries
from kanban.events import Told
from kanban.field_words import field_name, field_value
from kanban.fold import fold
from kanban.i18n import _


def init_filters(app: Flask) -> None:
    env = app.jinja_env
    env.filters.update(oob=oob, duration=duration, country=country, field_name=field_name, field_value=field_value, said=said, due=due)
    env.filters.update(names=i18n.names, counted=counted)
    env.filters["merge"] = lambda one, other: one | other
    env.tests["has"] = lambda container, thing: thing in container


def oob(html: Markup) -> Markup:
    """The same part, sent as an out-of-band morph."""
    return Markup(str(html).replace("<article ", '<article hx-swap-oob="morph" ', 1))


def said(after: Mapping[str, object]) -> Markup:
    """A comment's text, the people it mentions marked."""
    text, html, here, marked = str(after.get("text", "")), Markup(), 0, after.get("marked")
    for start, end in marked if isinstance(marked, list) else ():
        html += escape(text[here:start]) + Markup('<b class="mention">{}</b>').format(text[start:end])
        here = end
    return html + escape(text[here:])


class HasDue(Protocol):
    """A to-do, or a line of one."""

    @property
    def due_on(self) -> date | None: ...

    @property
    def due_time(self) -> time | None: ...


def due(todo: HasDue) -> str:
    """When a to-do is due: «сегодня, 09:30», «завтра», «26 ноя»; "" where it has no date."""
    if todo.due_on is None:
        return ""
    days = (todo.due_on - clock.today()).days
    near = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}
    day = near.get(days) or i18n.day_short(todo.due_on)
    return f"{day}, {todo.due_time:%H:%M}" if todo.due_time else day


def counted(told: Told) -> str:
    """«2 письма, 1 SMS»: messages by channel."""
    return ", ".join(channel.counted(num) for channel, num in told.counts)


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
