"""Texts in the reader's language: translated at once, or marked here and translated where they are shown. Knows no settings."""

from functools import lru_cache

import flask_babel
from flask_babel import get_locale, gettext, lazy_gettext

MOST_TEXTS = 10_000  # in each language; the code has some two thousand

_l = lazy_gettext


def N_(text: str) -> str:  # noqa: N802, the name gettext tools look for
    return text


def _(text: str, **values: object) -> str:
    found = looked_up(text)
    return found % values if values else found


def looked_up(text: str) -> str:
    """The text in the language of now, with the places of its values."""
    locale = get_locale()
    return _in_language(locale.language if locale else "", text)


@lru_cache(maxsize=2 * MOST_TEXTS)
def _in_language(_language: str, text: str) -> str:
    return str(gettext(text))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The text with its number, in the plural of the reader's language."""
    return str(flask_babel.ngettext(one, many, num, **values))
