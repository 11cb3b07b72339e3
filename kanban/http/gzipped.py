"""A gzip body (RFC 1952) put together from parts: those that were compressed before, and small ones that go in as they are."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

LEVEL = 6
MOST_STORED = 65_535  # bytes of a stored block (RFC 1951, 3.2.4)
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
_POLYNOMIAL = 0xEDB88320  # of CRC-32, its bits reversed
_ONE, _EIGHT_BITS = 1 << 31, 1 << 23  # x⁰ and x⁸, likewise


@dataclass(frozen=True)
class Segment:
    """compressed: blocks that refer to nothing before them, and end with a byte. length: in bytes, before that."""

    compressed: bytes
    checksum: int
    length: int

    def text(self) -> bytes:
        return zlib.decompress(self.compressed + _LAST_BLOCK, -zlib.MAX_WBITS)


def compress(text: bytes) -> Segment:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Segment(packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH), zlib.crc32(text), len(text))


def stored(text: bytes) -> Segment:
    """As it is: for what is short, or must leave no trace in the size of the body, as a token. Raises ValueError where it is long."""
    if len(text) > MOST_STORED:
        raise ValueError("too long for one block")
    size = len(text).to_bytes(2, "little")
    return Segment(b"\x00" + size + bytes(byte ^ 0xFF for byte in size) + text, zlib.crc32(text), len(text))


def gzip(parts: Iterable[Segment]) -> bytes:
    body, checksum, length = [_HEAD], 0, 0
    for part in parts:
        body.append(part.compressed)
        checksum = _multiply(_power(part.length), checksum) ^ part.checksum
        length += part.length
    end = checksum.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join([*body, _LAST_BLOCK, end])


@lru_cache(maxsize=1_000)
def _power(length: int) -> int:
    """x to the power of 8 · length, modulo the polynomial."""
    found, square = _ONE, _EIGHT_BITS
    while length:
        if length & 1:
            found = _multiply(square, found)
        square = _multiply(square, square)
        length >>= 1
    return found


def _multiply(one: int, other: int) -> int:
    """Polynomials over GF(2), their highest power in the lowest bit, modulo the polynomial."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = (one << 1) & 0xFFFFFFFF
        other = (other >> 1) ^ (_POLYNOMIAL if other & 1 else 0)
    return product
