"""Sums as people type them: what is clear is kept, and nothing becomes another sum."""

from itertools import product

import pytest
from flask import Flask

from kanban import i18n
from kanban.forms.fields import parse_money
from kanban.i18n import force_locale
from kanban.settings import write_setting
from kanban.transactions import transaction

CLEAR = {
    "ru": {
        "486 000": 48_600_000,
        "486000,50": 48_600_050,
        "1 234,5": 123_450,
        "0,12": 12,
        "0,5 ₽": 50,
        "12.30": 1230,
        "": 0,
        "007": 700,
        "486 000 руб.": 48_600_000,
        "486,000.50": 48_600_050,
    },
    "en": {
        "486,000": 48_600_000,
        "486,000.50": 48_600_050,
        "1,234,567": 123_456_700,
        "0.12": 12,
        "0,12": 12,
        "12,30": 1230,
        "500,500": 50_050_000,
        "486 000": 48_600_000,
    },
}
UNCLEAR = {
    "ru": ["0,125", "0,005", "500,500", "486.000", "0,486.50", "1,234,567", "0.001", "1,2,3", "12,345 678"],
    "en": ["0,125", "0,005", "0.125", "486.000", "0,500,500", "1,23,456", "486,000.505", "1 500,500", "1.234,56"],
}


@pytest.mark.one_database
def test_a_sum_is_understood_or_refused_and_never_another(app: Flask) -> None:
    for language, sums in CLEAR.items():
        with force_locale(language):
            assert {typed: parse_money(typed) for typed in sums} == sums
    for language, unclear in UNCLEAR.items():
        for typed in unclear:
            with force_locale(language), pytest.raises(ValueError, match=r"сумм|sum|digits"):
                parse_money(typed)


@pytest.mark.one_database
def test_a_sum_that_is_shown_can_be_typed(app: Flask) -> None:
    for country, symbol in {"RU": "₽", "GB": "£", "BY": "BYN", "AM": "AMD", "DE": "€", "CH": "CHF"}.items():
        with transaction() as session:
            write_setting(session, "country", country)
        for minor, language in product((5, 100, 12_345, 48_600_000, 123_456_789), ("ru", "en")):
            with force_locale(language):
                assert i18n.money(minor).endswith(symbol) and parse_money(i18n.money(minor)) == parse_money(i18n.amount(minor)) == minor


@pytest.mark.one_database
def test_currency_goes_before_the_country(app: Flask) -> None:
    assert i18n.currency() == "RUB"
    app.config["POTOK"] = type(app.config["POTOK"])(currency="USD")
    assert i18n.money(100).endswith("$")
