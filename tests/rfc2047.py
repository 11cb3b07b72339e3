"""A strict reader of header fields (RFC 5322, RFC 2047): where Python's own forgives, it raises BadHeader.

It refuses encoded words with blanks inside, of more than 75 characters, of another charset than UTF-8, with a part of a character,
inside quotation marks or addresses, or touching their neighbours; lines over 76 characters with an encoded word, and over 998
at all; bytes outside ASCII, unless the letter is for SMTPUTF8; bare CR and LF; a field that stands twice.
"""

import base64
import binascii
import re
from collections.abc import Iterator

ONCE = ("from", "to", "cc", "reply-to", "subject", "date", "message-id", "list-unsubscribe", "list-id", "mime-version", "content-type")
_WORD = re.compile(r"=\?([A-Za-z0-9-]+)\?([bBqQ])\?([!->@-~]*)\?=")
_FIELD = re.compile(r"([!-9;-~]+):(?: |\r\n )(.*)", re.DOTALL)
_Q = re.compile(r"(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})+")  # what may stand in a name (RFC 2047, 5), and so everywhere
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_UTF8_ADDRESS = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,\"]+@[A-Za-z0-9.-]+")


class BadHeader(Exception):
    pass


def fields(message: bytes, *, is_utf8: bool = False) -> dict[str, str]:
    """The fields of a letter, unfolded and not decoded, by their names in lower case."""
    head, end, _body = message.partition(b"\r\n\r\n")
    _require(bool(end), "no end of the header")
    _require(re.search(rb"\r(?!\n)|(?<!\r)\n", head) is None, "a bare CR or LF")
    _require(is_utf8 or head.isascii(), "bytes outside ASCII")
    for line in head.split(b"\r\n"):
        _require(len(line) <= 998, "a line of more than 998 bytes")
        _require(bool(line.strip()), "a line of blanks")
        _require(b"=?" not in line or len(line) <= 76, f"a line of {len(line)} characters with an encoded word")
    found: dict[str, str] = {}
    for field in re.split(r"\r\n(?![ \t])", head.decode()):
        parts = _FIELD.fullmatch(field)
        _require(parts is not None, f"no field: {field!r}")
        assert parts is not None
        name, value = parts[1].lower(), parts[2].replace("\r\n", "")
        _require(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) is None, "a control character")
        _require(name not in found or name not in ONCE, f"{name} stands twice")
        found[name] = value
    return found


def text(value: str) -> str:
    """A value of free text, such as Subject, decoded (RFC 2047, 5.1 and 6.2)."""
    return _joined(re.split(r"([ \t]+)", value))


def mailboxes(value: str, *, is_utf8: bool = False) -> list[tuple[str, str]]:
    """(name, address) of a field of addresses; the address of a group of nobody is "" (RFC 5322, 3.4)."""
    found: list[tuple[str, str]] = []
    words: list[str] = []
    for token in [*_tokens(value), ","]:
        if token not in (",", ";"):
            words.append(token)
        elif words:
            found.append(_mailbox(words, is_group=token == ";", is_utf8=is_utf8))
            words = []
    return found


def _tokens(value: str) -> Iterator[str]:
    """Quoted strings, addresses in <>, marks, blanks, and what stands between."""
    at = 0
    pattern = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>"]*>|[,;:]|[ \t]+|[^ \t,;:<>"]+')
    while at < len(value):
        token = pattern.match(value, at)
        _require(token is not None, f"no token at {value[at : at + 20]!r}")
        assert token is not None
        yield token[0]
        at = token.end()


def _mailbox(tokens: list[str], *, is_group: bool, is_utf8: bool) -> tuple[str, str]:
    while tokens and not tokens[0].strip():
        tokens = tokens[1:]
    while tokens and not tokens[-1].strip():
        tokens = tokens[:-1]
    if is_group:
        _require(tokens[-1] == ":", "a group with somebody in it")
        return _phrase(tokens[:-1]), ""
    if not tokens[-1].startswith("<"):
        _require(len(tokens) == 1, f"no mailbox: {tokens}")
        return "", _address(tokens[0], is_utf8)
    return _phrase(tokens[:-1]), _address(tokens[-1][1:-1], is_utf8)


def _address(address: str, is_utf8: bool) -> str:
    _require("=?" not in address, "an encoded word in an address")
    _require((_UTF8_ADDRESS if is_utf8 else _ADDRESS).fullmatch(address) is not None, f"no address: {address!r}")
    return address


def _phrase(tokens: list[str]) -> str:
    _require(bool(tokens) and not tokens[-1].strip(), "an encoded word or a name touches what follows it")
    parts: list[str] = []
    for token in tokens[:-1]:
        if token.startswith('"'):
            _require("=?" not in token, "an encoded word inside quotation marks")
            parts.append(token)
        else:
            _require(not token.strip() or _WORD.fullmatch(token) is not None or _ATOM.fullmatch(token) is not None, f"no word: {token}")
            parts.append(token)
    return _joined(parts, unquoted=True)


def _joined(parts: list[str], *, unquoted: bool = False) -> str:
    """Encoded words decoded; blanks between two of them are none."""
    made: list[str] = []
    was_word = False
    blanks = ""
    for part in parts:
        if not part.strip(" \t"):
            blanks = part
            continue
        word = _decoded(part)
        made.append("" if was_word and word is not None else blanks)
        plain = re.sub(r"\\(.)", r"\1", part[1:-1]) if unquoted and part.startswith('"') else part
        made.append(plain if word is None else word)
        was_word, blanks = word is not None, ""
    return "".join(made) + blanks


def _decoded(part: str) -> str | None:
    """What an encoded word says; None where it is none."""
    if "=?" not in part:
        return None
    word = _WORD.fullmatch(part)
    _require(word is not None, f"something like an encoded word: {part!r}")
    assert word is not None
    charset, encoding, inside = word.groups()
    _require(len(part) <= 75, f"an encoded word of {len(part)} characters")
    _require(charset.lower() == "utf-8", f"the charset {charset}")
    try:
        return _bytes(encoding, inside).decode()
    except UnicodeDecodeError as error:
        raise BadHeader("a part of a character") from error


def _bytes(encoding: str, inside: str) -> bytes:
    if encoding in "qQ":
        _require(_Q.fullmatch(inside) is not None, f"a sign that must be encoded: {inside}")
        return re.sub(rb"=([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), inside.replace("_", " ").encode())
    try:
        raw = base64.b64decode(inside, validate=True)
    except binascii.Error as error:
        raise BadHeader(f"no base64: {inside}") from error
    _require(base64.b64encode(raw).decode() == inside, f"base64 with bits left over: {inside}")
    return raw


def _require(is_good: bool, what: str) -> None:
    if not is_good:
        raise BadHeader(what)
