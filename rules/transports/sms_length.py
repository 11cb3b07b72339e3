"""How many SMS a text takes (3GPP TS 23.038 for the alphabets, TS 23.040 for texts of several parts). Pure."""

from dataclasses import dataclass

# The default alphabet: one septet a sign; of its extension: two. Anything else makes the whole text UCS-2.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class SmsLength:
    """used: signs that count (extended ones and emoji twice) of `most` that so many parts hold."""

    parts: int
    used: int
    most: int


def sms_length(text: str) -> SmsLength:
    is_gsm = all(sign in _BASIC or sign in _EXTENDED for sign in text)
    single, each = (160, 153) if is_gsm else (70, 67)
    sizes = [1 + (sign in _EXTENDED if is_gsm else ord(sign) > 0xFFFF) for sign in text]
    used = sum(sizes)
    if used <= single:
        return SmsLength(1 if text else 0, used, single)
    parts, left = 1, each
    for size in sizes:  # a sign of two is never torn apart
        if size > left:
            parts, left = parts + 1, each
        left -= size
    return SmsLength(parts, used, parts * each)
