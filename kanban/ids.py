"""Ids as they come from outside: a whole number that a database column can hold, or nothing."""

from typing import Any

from werkzeug.routing import IntegerConverter

MOST = 2**31 - 1

Arguments = dict[str, Any]  # of an address, as url_for takes them


def read_id(text: str | None) -> int | None:
    """The id, or None where the text is none; never a number that would be an error to ask for."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 10:
        return None
    number = int(text)
    return number if 0 < number <= MOST else None


class IdConverter(IntegerConverter):
    """`<int:…>` in an address: what no column can hold is no page."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **(options | {"max": MOST}))  # type: ignore[arg-type]
