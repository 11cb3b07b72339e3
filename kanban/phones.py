"""Phone numbers as people write them, and as the networks want them (E.164)."""

import re

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, ValidationResult

_SIGNS = re.compile(r"\+?[0-9\s\u00a0()./\u2010-\u2015-]+")  # hyphens and dashes of every length
FEWEST_DIGITS = 4  # of what is looked for as a number
FEWEST_OF_NUMBER = 7  # digits that may have a prefix before them


def e164(text: str, country: str) -> str:
    """«8 (900) 123-45-67», «900 123 45 67», «+49 170 1234567» → "+…"; "" where it is no number that can be dialled.

    Without a plus a number is one of that country («RU»), or begins as dialled abroad: 8 10 or 00.
    """
    text = text.strip()
    if not _SIGNS.fullmatch(text):
        return ""
    digits = _digits(text)
    if len(digits) == 11 and digits[:2] == "89":  # with a plus too: a common slip, and nobody's country code
        return "+7" + digits[1:]
    dialled_abroad = digits.startswith("00")
    if text.startswith("+") or dialled_abroad:
        return _parsed("+" + digits.removeprefix("00"), None)
    return _parsed(digits, country)


def _parsed(number: str, country: str | None) -> str:
    """Abroad a number of the right length will do: what the library knows of new ranges is of its day."""
    try:
        found = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return ""
    dialled = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    if country is None or found.country_code != phonenumbers.country_code_for_region(country):
        return dialled if phonenumbers.is_possible_number_with_reason(found) == ValidationResult.IS_POSSIBLE else ""
    lacks_a_digit = number == str(found.national_number) and number.startswith(_trunk(country) or "-")
    return dialled if phonenumbers.is_valid_number(found) and not lacks_a_digit else ""


def sought_digits(text: str, country: str) -> list[str]:
    """What to look for among the digits of written numbers, where this is one or a part of one: any of these.

    However a number was written, its digits end in the national number, so what stands before that may be missing.
    """
    digits = _digits(text)
    if len(digits) < FEWEST_DIGITS or not _SIGNS.fullmatch(text.strip()):
        return []
    dialled = e164(text, country)
    if dialled:
        return [str(phonenumbers.parse(dialled).national_number)]
    if len(digits) < FEWEST_OF_NUMBER:
        return [digits]
    before = {"", _trunk(country), str(phonenumbers.country_code_for_region(country))}
    shorter = {digits.removeprefix(prefix) for prefix in before if digits.startswith(prefix)}
    return sorted(rest for rest in shorter if rest)


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _trunk(country: str) -> str:
    """What is dialled before a number of the same country: 8 in Russia, 0 in Germany, "" where nothing is."""
    metadata = PhoneMetadata.metadata_for_region(country)
    return (metadata and metadata.national_prefix) or ""
