"""Passwords: argon2id, a few at a time, and a judgement of what is too easy to guess."""

import base64
import hashlib
import hmac
import re
import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kanban.errors import Busy, Invalid
from kanban.i18n import _
from kanban.turns import Turns

LEAST, MOST = 10, 200
HASHES_AT_ONCE = 2  # each takes 19 MB and a core for some 30 ms
WAIT_S = 10.0
LEAST_OWN = 8  # signs that are left without what everybody knows
LEAST_WORD = 4  # signs of a name that count as such wherever they stand
GOOD_SCORE = 3  # of zxcvbn: 10⁸ guesses and more
MOST_JUDGED = 72
_turns = Turns(HASHES_AT_ONCE)
# The same keys in the other layout: «пароль» typed blind is `gfhjkm`, and those who guess know it.
_KEYS = dict(zip("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", strict=True))


class Passwords:
    """What makes and checks hashes. pepper: of the installation, so that a stolen database alone gives no password away."""

    def __init__(self, pepper: str, *, cheap: bool = False) -> None:
        self._pepper = pepper.encode()
        self._hasher = PasswordHasher(1, 8, 1) if cheap else PasswordHasher(2, 19_456, 1)  # what OWASP asks for at least

    def hash(self, password: str) -> str:
        """Raises Busy where too many others are being hashed."""
        with _Turn():
            return self._hasher.hash(self._peppered(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """As slow where nothing is kept, so that nobody hears from the time whether there is such a person. Raises Busy."""
        if len(password) > MOST:
            return False
        nobody = self._nobody
        with _Turn():
            try:
                return self._hasher.verify(kept or nobody, self._peppered(password)) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed by weaker rules than those of now."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _nobody(self) -> str:
        return self.hash("nobody's")

    def _peppered(self, password: str) -> bytes:
        normal = unicodedata.normalize("NFKD", password)
        return base64.b64encode(hmac.new(self._pepper, normal.encode("utf-8", "surrogatepass"), hashlib.sha512).digest())


class _Turn:
    def __enter__(self) -> None:
        if not _turns.take(WAIT_S):
            raise Busy(_("Too many people are signing in right now. Try again in a minute."))

    def __exit__(self, *_error: object) -> None:
        _turns.end()


def judge(password: str, *about: str) -> None:
    """Raises Invalid where it is too short, too long or too easy to guess. about: the person's name and
    address, and what everybody knows (kanban.views.sign_in)."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid(_("A password must have at least %(least)s and at most %(most)s characters.", least=LEAST, most=MOST), "password")
    if _score(password, about) < GOOD_SCORE:
        raise Invalid(_("This password is too easy to guess. Three or four unrelated words are better."), "password")


def _score(password: str, about: tuple[str, ...]) -> int:
    from zxcvbn import zxcvbn  # noqa: PLC0415, its word lists take 14 MB: only once somebody chooses a password

    known = re.findall(r"[^\W\d_]{3,}", " ".join(about).casefold())
    if len(_without(password.casefold(), known)) < LEAST_OWN:
        return 0
    typed = password[:MOST_JUDGED]
    keys = "".join(_KEYS.get(sign, sign) for sign in typed.lower())[:MOST_JUDGED]
    on_keys = ["".join(_KEYS.get(sign, sign) for sign in part.lower()) for part in known]
    return min(int(zxcvbn(text, user_inputs=[*known, *on_keys])["score"]) for text in (typed, keys))


def _without(text: str, words: list[str]) -> str:
    for word in sorted((one for one in words if len(one) >= LEAST_WORD), key=len, reverse=True):
        text = text.replace(word, "")
    return text
