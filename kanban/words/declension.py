"""Cases of Russian: «главный технолог» → «главному технологу». What it isn't sure of stays as it was typed.

Words are looked up in the dictionary of OpenCorpora, which pymorphy3 carries. It is read when the first phrase is asked for,
once a process: 0.1 s and some 30 MB, so English alone never pays for it.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

GENITIVE, DATIVE, ACCUSATIVE = "gent", "datv", "accs"
MOST_SIGNS = 200
GENDERS = ("masc", "femn")
_WORD = re.compile("[А-Яа-яЁё]+(-[А-Яа-яЁё]+)*")
_INITIALS = re.compile(r"([А-ЯЁ]\.-?)+")
_NAMES = ("Name", "Surn", "Patr")
_OWN = (*_NAMES, "Geox", "Orgn", "Trad", "Init")  # names of one person, place or firm: no trades
_BOTH = ("и", "или", "либо")


def genitive(phrase: str) -> str:
    return declined(phrase, GENITIVE)


def dative(phrase: str) -> str:
    return declined(phrase, DATIVE)


def accusative(phrase: str) -> str:
    return declined(phrase, ACCUSATIVE)


@lru_cache(maxsize=2_000)
def declined(phrase: str, case: str) -> str:
    """A nominative phrase in another case: up to its first noun, or each word of a person's name."""
    return _declined(phrase, case, _as_name) or _declined(phrase, case, _as_words) or phrase


@lru_cache(maxsize=2_000)
def declined_name(name: str, case: str) -> str:
    """A person's name in another case; «Лев Столяр» is never taken for an animal with something after it."""
    return _declined(name, case, _as_name) or name


@lru_cache(maxsize=2_000)
def agreeing(words: str, phrase: str) -> str:
    """Words that end in a short participle («не указан») in the gender and number of a phrase: «не указана» of «сумма»."""
    *before, last = words.split(" ")
    found = _clause(phrase.split(" ")) if len(phrase) <= MOST_SIGNS else None
    participle = next((one for one in _read(last) if "PRTS" in one.tag), None)
    if not found or participle is None:
        return words
    head = found[-1].tag
    form = participle.inflect({"plur" if "plur" in head else head.gender or "masc"})
    return " ".join([*before, form.word]) if form else words


def _declined(phrase: str, case: str, way: Any) -> str:
    """Empty where it isn't sure."""
    parts = re.split(r"(\s+)", phrase)
    words = parts[::2]
    if len(phrase) > MOST_SIGNS or not all(words):
        return ""
    found = way(words, case)
    parts[::2] = found or words
    return "".join(parts) if found else ""


def _as_name(words: Sequence[str], case: str) -> list[str] | None:
    """Sure where the words agree in one gender, or in both and look the same: «Саша Шевченко»."""
    if len(words) > 4 or not any(_WORD.fullmatch(word) for word in words):
        return None
    fits = [form for gender in GENDERS if (form := _name_of(words, case, gender))]
    return fits[0] if fits and all(form == fits[0] for form in fits) else None


def _name_of(words: Sequence[str], case: str, gender: str) -> list[str] | None:
    forms = [word if _INITIALS.fullmatch(word) else _hyphened(word, lambda part: _part_of_name(part, case, gender)) for word in words]
    return [form for form in forms if form] if all(forms) else None


def _part_of_name(word: str, case: str, gender: str) -> str | None:
    """A first name only as the dictionary knows it; surnames and patronymics also by their endings."""
    if not word[:1].isupper():
        return None
    for one in _nominative(word):
        is_sure = one.is_known or "Name" not in one.tag
        if is_sure and "sing" in one.tag and _is_of(one.tag, gender) and any(kind in one.tag for kind in _NAMES):
            return _form(word, one, {case})
    return None


def _as_words(words: Sequence[str], case: str) -> list[str] | None:
    found = _clause(words)
    if not found or _is_more(words[len(found) :]):
        return None
    head = found[-1].tag
    wanted = {case}
    if case == ACCUSATIVE and ("plur" in head or _is_of(head, "masc")):
        wanted = {case, head.animacy or "anim"}  # «главного технолога», «новый цех»
    forms = [_inflected(word, one, {case} if "NOUN" in one.tag else wanted) for word, one in zip(words, found, strict=False)]
    return [*(form for form in forms if form), *words[len(found) :]] if all(forms) else None


def _clause(words: Sequence[str]) -> list[Any] | None:
    """Readings of the adjectives a phrase begins with, and of its noun; of «ответственный за отгрузку» the adjective is the noun."""
    if not words:
        return None
    readings = _nominative(words[0].rpartition("-")[2]) if _WORD.fullmatch(words[0]) else []
    nouns = [one for one in readings if "NOUN" in one.tag and one.is_known and not any(kind in one.tag for kind in _OWN)]
    nouns.sort(key=lambda one: "anim" not in one.tag)  # a «конструктор» is somebody
    adjectives = [one for one in readings if ("ADJF" in one.tag or "PRTF" in one.tag) and one.is_known]
    rest = _clause(words[1:]) if adjectives else None
    fitting = next((one for one in adjectives if rest and _agree(one.tag, rest[-1].tag)), None)
    if fitting is not None and rest:
        return [fitting, *rest]
    return [(nouns or adjectives)[0]] if nouns or adjectives else None


def _agree(adjective: Any, head: Any) -> bool:
    if "plur" in head or "plur" in adjective:
        return "plur" in head and "plur" in adjective
    return _is_of(head, str(adjective.gender))


def _is_of(tag: Any, gender: str) -> bool:
    """«Саша» and «сирота» are of both."""
    return gender in tag or "ms-f" in tag


def _is_more(rest: Sequence[str]) -> bool:
    """«Дизайнер и менеджер», «Лев Столяр»: there may be more to decline. Not so «мастер по дверям и окнам»."""
    if rest and _WORD.fullmatch(rest[0]) and rest[0].istitle() and len(rest[0]) > 1:
        return True
    for word, following in pairwise(rest):
        if word in _BOTH and _WORD.fullmatch(following) and any("anim" in one.tag for one in _nominative(following)):
            return True
    return any(not any(sign.isalnum() for sign in word) for word in rest)


def _inflected(word: str, reading: Any, wanted: set[str]) -> str | None:
    """«бухгалтер-кассир»: both parts, where both are somebody; «пресс-секретарь»: the last alone."""
    *before, last = word.split("-")
    forms = [_form(last, reading, wanted)]
    for part in reversed(before):
        person = next((one for one in _nominative(part) if "anim" in one.tag and one.is_known), None)
        forms.insert(0, _form(part, person, wanted) if person and "anim" in reading.tag else part)
    return "-".join(form for form in forms if form) if all(forms) else None


def _hyphened(word: str, part_of: Any) -> str | None:
    forms = [part_of(part) for part in word.split("-")] if _WORD.fullmatch(word) else [None]
    return "-".join(form for form in forms if form) if all(forms) else None


def _form(word: str, reading: Any, wanted: set[str]) -> str | None:
    """The form as it was typed: capitals, and е where ё is meant."""
    form = reading.inflect(wanted)
    if form is None:
        return None
    text = str(form.word if "ё" in word.lower() else form.word.replace("ё", "е"))
    if word.islower():
        return text
    if word.istitle():
        return text.capitalize()
    return text.upper() if word.isupper() and len(word) > 4 else None  # «СТО», «АХО» and the like are no words


def _nominative(word: str) -> list[Any]:
    return [one for one in _read(word) if "nomn" in one.tag]


def _read(word: str) -> list[Any]:
    return list(_dictionary().parse(word))


@cache
def _dictionary() -> Any:
    from pymorphy3 import MorphAnalyzer  # noqa: PLC0415, it would cost every process what only sentences in Russian need

    return MorphAnalyzer(lang="ru")
