"""One spelling of a text for finding and comparing: what a person takes for the same is the same."""

from unicodedata import category, normalize


def fold(text: str) -> str:
    """NFC, without invisible format characters (Cf: soft hyphens, marks of direction), casefolded, ё as е.

    Folding twice changes nothing. The search column of an order holds folded text: whoever changes this recomputes it.
    """
    if text.isascii():
        return text.lower()
    if not text.isprintable():
        text = "".join(sign for sign in text if category(sign) != "Cf")
    return normalize("NFC", normalize("NFC", normalize("NFC", text).casefold()).replace("ё", "е"))
