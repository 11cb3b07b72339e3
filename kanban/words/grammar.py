"""How names stand in a rule's sentence: with an article in English, in their case in Russian."""

from collections.abc import Sequence

from kanban import i18n
from kanban.fields import Field
from kanban.i18n import _
from kanban.words import declension
from kanban.words.declension import ACCUSATIVE, DATIVE, GENITIVE

VOWELS = "aeiouAEIOU"


def is_russian() -> bool:
    return i18n.language() == "ru"


def a_document(name: str, case: str = "") -> str:
    """«Заказ покупателя»: "a customer order"; in Russian «заказ покупателя», in a case of kanban.words.declension."""
    words = i18n.lower_first(name or _("Order"))
    if is_russian():
        return declension.declined(words, case) if case else words
    return f"{'an' if words[0] in VOWELS else 'a'} {words}"


def the(name: str, case: str = "") -> str:
    """A role or a field: "the chief technologist"; in Russian «главный технолог», in a case."""
    words = i18n.lower_first(name)
    if is_russian():
        return declension.declined(words, case) if case else words
    return f"the {words}"


def person(name: str, case: str) -> str:
    return declension.declined_name(name, case) if is_russian() else name


def the_date(field: Field, case: str = GENITIVE) -> str:
    """A date of the order: "the ship date", «даты отгрузки»."""
    return the(_(field.label), case)


def joined(words: Sequence[str]) -> str:
    """«бухгалтеру, дизайнеру и менеджеру»."""
    *before, last = words
    return f"{', '.join(before)}{_(' and ')}{last}" if before else last


__all__ = ["ACCUSATIVE", "DATIVE", "GENITIVE", "a_document", "is_russian", "joined", "person", "the", "the_date"]
