"""Phone numbers as people write them, and as the networks want them (E.164)."""

import re

_SIGNS = re.compile(r"\+?[0-9\s\u00a0()./\u2010-\u2015-]+")  # hyphens and dashes of every length


def e164(text: str) -> str:
    """«8 (900) 123-45-67», «900 123 45 67», «+49 170 1234567» → "+…"; "" where it is no number that can be dialled.

    Without a plus a number is Russian (8…, 7…, or ten digits from 9), or begins as dialled abroad: 8 10 or 00.
    """
    text = text.strip()
    if not _SIGNS.fullmatch(text):
        return ""
    digits = re.sub("[^0-9]", "", text)
    if len(digits) == 11 and digits[:2] == "89":  # with a plus too: a common slip, and nobody's country code
        return "+7" + digits[1:]
    if not text.startswith("+"):
        digits = _international(digits)
    return "+" + digits if re.fullmatch("[1-9][0-9]{7,14}", digits) else ""


def _international(digits: str) -> str:
    if len(digits) == 10 and digits[0] == "9":
        return "7" + digits
    if len(digits) == 11 and digits[0] in "78":
        return "7" + digits[1:]
    for dialled in ("810", "00"):
        if digits.startswith(dialled):
            return digits[len(dialled) :]
    return ""
