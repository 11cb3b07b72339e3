"""Languages: which one a person reads, and dates, sums and plurals in it."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_symbol
from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel, force_locale, get_locale, get_translations
from flask_login import current_user

from kanban import clock
from kanban.countries import currency_of
from kanban.settings import country
from kanban.translation import N_, _, _l, looked_up, ngettext

LANGUAGES = {"ru": "Русский", "en": "English"}
TRANSLATIONS = Path(__file__).parent.parent / "translations"
MINOR_UNITS = 100
MILLION = 1_000_000
MOST_NAMES = 3
NBSP = "\u00a0"

__all__ = ["LANGUAGES", "N_", "_", "_l", "force_locale", "language", "ngettext"]


def init_i18n(app: Flask) -> None:
    """Compiles catalogues that are older than their source, and chooses a language for each request."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            _compile(source, compiled)
    Babel(app, default_locale="en", default_translation_directories=str(TRANSLATIONS), locale_selector=choose_language)
    env: Any = app.jinja_env
    env.install_gettext_callables(looked_up, lambda one, many, num: get_translations().ungettext(one, many, num), newstyle=True)


def _compile(source: Path, compiled: Path) -> None:
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parent.parent.name)
    temporary = compiled.with_suffix(f".mo.{id(catalogue)}")
    with temporary.open("wb") as file:
        write_mo(file, catalogue)
    temporary.replace(compiled)  # at once, so that two processes that start together never read half a file


def choose_language() -> str:
    """The person's own setting, else what was chosen at the door, else the browser's wish."""
    if not has_request_context():
        return "en"
    if current_user and current_user.is_authenticated and current_user.language in LANGUAGES:
        return str(current_user.language)
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def language() -> str:
    """The language of what is being made now: ru or en."""
    locale = get_locale()
    return locale.language if locale else "en"


def money(minor: int | None, short: bool = False) -> str:
    """48600000 → «486 000 ₽». Kopecks are shown only where there are any; `short`: «3,5 млн ₽»."""
    return _money(minor or 0, short, language(), currency())


def currency() -> str:
    """Of all sums: what CURRENCY says, else the money of the firm's country."""
    return str(current_app.config["POTOK"].currency) or currency_of(country())


def currency_symbol(code: str) -> str:
    return str(get_currency_symbol(code, locale="ru"))  # ₽ where English has but a code


@lru_cache(maxsize=20_000)
def _money(minor: int, short: bool, code: str, currency: str) -> str:
    amount = abs(minor) / MINOR_UNITS
    if short and amount >= MILLION:
        number = f"{format_decimal(amount / MILLION, '0.0', locale=code)}{NBSP}{'млн' if code == 'ru' else 'M'}"
    else:
        number = _number(minor, code)
    return f"{'−' if minor < 0 else ''}{number}{NBSP}{currency_symbol(currency)}".replace("\u202f", NBSP)


def amount(minor: int) -> str:
    """A sum as it stands in a field: «486 000,50», or «486,000.50» in English."""
    return _number(minor, language()).replace("\u202f", NBSP)


def _number(minor: int, code: str) -> str:
    return str(format_decimal(abs(minor) / MINOR_UNITS, "#,##0.00" if minor % MINOR_UNITS else "#,##0", locale=code))


def day_short(day: date | None) -> str:
    """26 ноя; with the year where it is not this one."""
    return _day(day, "short" if day and day.year == clock.today().year else "short-year", language()) if day else ""


def day_long(day: date | None) -> str:
    """26 ноября 2026."""
    return _day(day, "long", language()) if day else ""


PATTERNS = {
    ("ru", "short"): "d MMM",
    ("ru", "short-year"): "d MMM y",
    ("ru", "long"): "d MMMM y",
    ("en", "short"): "d MMM",
    ("en", "short-year"): "d MMM y",
    ("en", "long"): "d MMMM y",
}


@lru_cache(maxsize=5_000)
def _day(day: date, shape: str, code: str) -> str:
    text = format_date(day, PATTERNS[code, shape], locale=code)
    if shape != "long":
        text = text.replace(".", "").replace("нояб", "ноя").replace("сент", "сен").replace("февр", "фев")
    return text.replace(" ", "\u00a0")


def moment(at: datetime | None) -> str:
    """When, as people say it: «сегодня, 09:12», «13 ноя, 16:40»."""
    if at is None:
        return ""
    there = clock.local(at)
    clock_time = f"{there:%H:%M}"
    days = (clock.today() - there.date()).days
    if days == 0:
        return _("today, %(time)s", time=clock_time)
    if days == 1:
        return _("yesterday, %(time)s", time=clock_time)
    return f"{day_short(there.date())}, {clock_time}"


def machine_time(at: datetime) -> str:
    """For `datetime` of <time>: HTML takes at most three digits of a second's fraction, and nobody reads them."""
    return at.isoformat(timespec="seconds")


def weekday(number: int) -> str:
    """«Пн» for 1, as ISO counts."""
    names: Any = get_day_names("abbreviated", context="stand-alone", locale=language())
    name = str(names[number - 1])
    return name[:1].upper() + name[1:]


def lower_first(text: str) -> str:
    """«Заказ покупателя» inside a sentence: «заказ покупателя». An acronym («ИП») stays as it is."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def names(people: Sequence[str]) -> str:
    """«Анна, Иван, Пётр + 2»: the first few."""
    shown, more = ", ".join(people[:MOST_NAMES]), len(people) - MOST_NAMES
    return f"{shown} + {more}" if more > 0 else shown


def quoted(text: object) -> str:
    """In the quotation marks of the language."""
    return f"«{text}»" if language() == "ru" else f"“{text}”"


def init_filters(app: Flask) -> None:
    """Words, numbers and dates are made by filters; templates never format."""
    app.add_template_filter(money)
    app.add_template_filter(day_short)
    app.add_template_filter(day_long)
    app.add_template_filter(moment)
    app.add_template_filter(machine_time)
    app.add_template_filter(megabytes)
    app.add_template_filter(lower_first)
    app.add_template_filter(quoted)
    app.jinja_env.globals.update(now=clock.now, language=language, weekday=weekday, LANGUAGES=LANGUAGES)


def megabytes(size: int) -> str:
    """Bytes as «1,2 МБ»."""
    return _("%(number)s MB", number=format_decimal(size / 1_000_000, "#,##0.0", locale=get_locale()))


def forget_language() -> None:
    """After a person's language has changed within a request."""
    g.pop("_flask_babel", None)
