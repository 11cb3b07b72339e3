"""Header fields as they go on the wire: each value is encoded and folded once, here, and by nobody after (RFC 5322, RFC 2047).

Python's own folding joins and splits encoded words wrongly (3.11 to 3.13: blanks lost, words over 75 characters, addresses encoded);
its Charset.header_encode_lines, which cuts between characters only, is right and does the encoding.
"""

import re
from collections.abc import Iterable, Sequence
from email.charset import SHORTEST, Charset
from itertools import chain, repeat

from kanban.domains import ascii_domain

MOST_WORD = 75  # characters of an encoded word (RFC 2047, 2)
MOST_LINE = 76  # of a line that holds one (the same); a line without may have 998 (RFC 5322, 2.1.1)
MOST_PLAIN = 60  # a longer word or name is encoded, so that it can be folded
LEAST_ROOM = 24  # "=?utf-8?b?" and "?=", and a few letters between

_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_LOCAL = re.compile(r"[^\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,\"]+")
_DOMAIN = re.compile(r"[A-Za-z0-9._-]+|\[[A-Za-z0-9.:]+\]")
_ID = re.compile(r"<([^<>@\s]+)@([^<>@\s]+)>")

_UTF8 = Charset("utf-8")
_UTF8.header_encoding = SHORTEST  # B or Q, whichever is shorter; both with the signs that a name may hold (RFC 2047, 5)


class BadValue(ValueError):
    """Something that can't stand in a header field."""


def one_line(text: str) -> str:
    """The text as a header field can hold it: runs of blanks, line breaks and control characters are one blank; none at the ends."""
    return _BREAKS.sub(" ", text).strip(" ")


def unstructured(name: str, text: str) -> str:
    """The value of a field of free text, such as Subject. All of it is encoded or nothing, so that no blank is lost between."""
    text = one_line(text)
    lines = _Lines(name)
    if _is_plain(text) and all(len(word) <= MOST_PLAIN for word in text.split(" ")):
        lines.add(text.split(" "))
    else:
        lines.encode(text)
    return lines.value


def mailboxes(name: str, people: Sequence[tuple[str, str]]) -> str:
    """The value of a field of addresses, such as To, from (name, address as it goes on the wire).

    Who has no address stands there as a group of nobody, so that readers see the name (RFC 6857, 3.1.8).
    """
    lines = _Lines(name)
    for place, (person, address) in enumerate(people, 1):
        phrase = one_line(person)
        _write_name(lines, phrase)
        end = "," if place < len(people) else ""
        lines.add([(f"<{address}>" if phrase and address else address or ":;") + end])
    return lines.value


def exact(value: str) -> str:
    """A value that is ours and is never folded, such as an address on the web. Raises BadValue unless it is printable ASCII."""
    if not _PRINTABLE.fullmatch(value):
        raise BadValue("a header field with a line break, or with letters outside ASCII")
    return value


def wire_address(address: str) -> str:
    """«ivan@пример.рф» → «ivan@xn--e1afmkfd.xn--p1ai». The part before the @ stays as it is: outside ASCII it needs SMTPUTF8.

    Raises BadValue where it is no address.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise BadValue("this is not an e-mail address")
    return f"{local}@{_wire_domain(domain)}"


def wire_id(message_id: str) -> str:
    """A Message-ID with its host as DNS knows it, an IPv6 address in brackets (RFC 5322, 3.6.4). Raises BadValue."""
    found = _ID.fullmatch(message_id)
    if not found:
        raise BadValue("this is no Message-ID")
    left, host = found.groups()
    return exact(f"<{left}@{_wire_domain(f'[{host}]' if ':' in host else host)}>")


def _wire_domain(domain: str) -> str:
    try:
        domain = ascii_domain(domain)
    except UnicodeError as error:
        raise BadValue("what stands after the @ is no domain name") from error
    if not _DOMAIN.fullmatch(domain):
        raise BadValue("what stands after the @ is no domain name")
    return domain


def _is_plain(text: str) -> bool:
    """Whether it may stand as it was typed: ASCII, and nothing that reads as an encoded word."""
    return _PRINTABLE.fullmatch(text) is not None and "=?" not in text


def _write_name(lines: "_Lines", name: str) -> None:
    """Quoted, or encoded: an encoded word never stands inside quotation marks (RFC 2047, 5)."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if name and _is_plain(name) and len(quoted) <= MOST_PLAIN:
        lines.add([quoted])
    elif name:
        lines.encode(name)


class _Lines:
    """A field that is being written, folded before what would make a line too long."""

    def __init__(self, name: str) -> None:
        self._start = len(name) + 1
        self._lines = [f"{name}:"]

    @property
    def value(self) -> str:
        return "\r\n".join(self._lines)[self._start :].lstrip(" ")

    def add(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            if len(token) < self._room or self._is_at_start:
                self._lines[-1] += f" {token}"
            else:
                self._lines.append(f" {token}")

    def encode(self, text: str) -> None:
        if self._room < LEAST_ROOM:
            self._lines.append("")
        words = _UTF8.header_encode_lines(text, chain([min(self._room - 1, MOST_WORD)], repeat(MOST_WORD)))
        self.add(word for word in words if word)

    @property
    def _room(self) -> int:
        return MOST_LINE - len(self._lines[-1])

    @property
    def _is_at_start(self) -> bool:
        """Nothing but the field's name stands there: a first line of nothing more is obsolete syntax (RFC 5322, 4.2)."""
        return len(self._lines) == 1 and len(self._lines[0]) == self._start
