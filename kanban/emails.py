"""E-mail addresses as they are kept, and why one can't be, in the reader's words."""

import re
from typing import Any
from unicodedata import category

import email_validator
from email_validator import EmailNotValidError, validate_email

from kanban.errors import Invalid
from kanban.i18n import _

LONGEST = 254
# A firm's own mail server may be mail.firma.local, or this very computer.
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in ("local", "localhost")
]
# A mail server in the same house may have a name without dots.
VALIDATOR: dict[str, Any] = {"check_deliverability": False, "globally_deliverable": False}
_STRANGE = re.compile(r"[\s()<>\[\]:;,\\\"]")


def clean_email(text: str) -> str:
    """The address as it is kept, without what came along unseen when it was pasted. Raises Invalid."""
    text = "".join(sign for sign in text if category(sign) != "Cf").strip()
    try:
        return validate_email(text, **VALIDATOR).normalized
    except EmailNotValidError as error:
        reason = _("This is not a valid e-mail address: %(what)s", what=_fault(text))
        raise Invalid(reason, "email") from error


def _fault(address: str) -> str:
    """What is wrong with an address that the library refused; its own words are English."""
    local, at, domain = address.rpartition("@")
    strange = _STRANGE.search(address)
    sign = strange[0] if strange else "@"
    at_dots = any(part.startswith(".") or part.endswith(".") or ".." in part for part in (local, domain))
    faults = (
        (not at, _("it has no @, as in name@company.com.")),
        (sign.isspace(), _("it can't contain a space.")),
        (strange or "@" in local, _("“%(sign)s” is not allowed there.", sign=sign)),
        (not local, _("there is nothing before the @.")),
        (not domain, _("there is nothing after the @.")),
        (len(address) > LONGEST, _("it is too long.")),
        (at_dots, _("a dot can't be at the beginning, at the end, or next to another dot.")),
        (True, _("“%(domain)s” can't be the name of a mail server.", domain=domain[:80])),
    )
    return next(words for is_so, words in faults if is_so)
