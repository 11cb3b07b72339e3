"""In which encoding a file was written that is not in UTF-8, as older editors of Windows and Excel write them."""

import codecs

ENCODINGS = {"windows-1251": "windows-1251", "utf-16": "UTF-16"}  # as they are sent, and as they are called


class NotUtf8(ValueError):
    """raw: of the file. guess: one of ENCODINGS."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("not in UTF-8")
        self.raw = raw
        self.guess = "utf-16" if b"\0" in raw else "windows-1251"


def read_utf8(raw: bytes) -> str:
    """Raises NotUtf8. A zero byte stands in no text, but in every other place of Latin text in UTF-16."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUtf8(raw) from error
    if "\0" in text:
        raise NotUtf8(raw)
    return text


def read_as(raw: bytes, encoding: str, errors: str = "strict") -> str:
    """encoding: one of ENCODINGS. Raises UnicodeDecodeError, where errors are not to be replaced."""
    if encoding == "windows-1251":
        return raw.decode("cp1251", errors)
    is_big_endian = raw.startswith(codecs.BOM_UTF16_BE) or raw[:1] == b"\0"
    return raw.decode("utf-16-be" if is_big_endian else "utf-16-le", errors).removeprefix("\ufeff")
