"""What is typed into a search box: words that must all occur, in any spelling; phone numbers however they are written."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, String, and_, func, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kanban.fold import fold
from kanban.phones import sought_digits

MOST_WORDS = 6
_OF_NUMBERS = re.compile(r"\+?[0-9()./\u2010-\u2015-]*[0-9][0-9()./\u2010-\u2015-]*|[()/\u2010-\u2015-]+")

# A word, or the words of one number: any of these will do, each where all its words occur.
Alternatives = tuple[tuple[str, ...], ...]


def read_sought(text: str, country: str) -> list[Alternatives]:
    """country: whose phone numbers are meant."""
    found: list[Alternatives] = []
    for words in _runs(fold(text).split())[:MOST_WORDS]:
        digits = sought_digits(" ".join(words), country)
        found.append((tuple(words), *((one,) for one in digits)))
    return found


def _runs(words: Sequence[str]) -> list[list[str]]:
    """Words by themselves; those of figures that stand side by side together, for «8 912 345-67-89» is one number."""
    runs: list[list[str]] = []
    goes_on = False
    for word in words:
        is_number = _OF_NUMBERS.fullmatch(word) is not None
        if is_number and goes_on and not word.startswith("+"):
            runs[-1].append(word)
        else:
            runs.append([word])
        goes_on = is_number
    return runs


def occurs(sought: Sequence[Alternatives], text: str) -> bool:
    text = fold(text)
    return all(any(all(word in text for word in words) for words in alternatives) for alternatives in sought)


def occurs_in(sought: Sequence[Alternatives], *folded_texts: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """The same as conditions: each word in any of the texts."""

    def says(word: str) -> ColumnElement[bool]:
        return or_(*(text.contains(word, autoescape=True) for text in folded_texts))

    return [or_(*(and_(*map(says, words)) for words in alternatives)) for alternatives in sought]


class folded(FunctionElement[str]):  # noqa: N801, it is written like the functions of SQL
    """fold() where the database does it. PostgreSQL comes as near as its functions do."""

    type = String()
    inherit_cache = True


@compiles(folded)
def _of_sqlite(element: folded, compiler: Any, **options: Any) -> str:
    return f"fold({compiler.process(element.clauses, **options)})"


@compiles(folded, "postgresql")
def _of_postgresql(element: folded, compiler: Any, **options: Any) -> str:
    lower = func.lower(func.normalize(*element.clauses))
    return str(compiler.process(func.translate(lower, "ё" + _invisible(), "е"), **options))


@cache
def _invisible() -> str:
    return "".join(sign for sign in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(sign) == "Cf")
