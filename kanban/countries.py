"""Countries a firm can be in, and their money."""

from functools import cache

from babel.numbers import get_territory_currencies
from phonenumbers import SUPPORTED_REGIONS


@cache
def countries() -> frozenset[str]:
    """Codes such as RU: those whose phone numbers and money are known."""
    return frozenset(code for code in SUPPORTED_REGIONS if get_territory_currencies(code))


@cache
def currency_of(country: str) -> str:
    """«RUB» for «RU»; where several are in use, the one that has been there longest."""
    return str(get_territory_currencies(country)[0])
