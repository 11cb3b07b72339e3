"""The fields of a gateway as an admin fills them in: checked one by one, secrets kept where nothing new is typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kanban.forms.fields import one_line
from kanban.i18n import _
from rules.transports.ends import TYPE_AGAIN, must_be_typed
from rules.transports.services import GatewayField, GatewayService, end_of_gateway

MOST_VALUE = 500
MOST_LIMIT = 1_000_000


@dataclass
class GatewayForm:
    """values: what is to be stored. errors: {field name: sentence}."""

    values: dict[str, str] = field(default_factory=dict)
    per_hour: int = 0
    per_day: int = 0
    errors: dict[str, str] = field(default_factory=dict)


def read_gateway(form: Mapping[str, str], service: GatewayService, kept: Mapping[str, str]) -> GatewayForm:
    """kept: what is stored of the same service."""
    read = GatewayForm()
    for one in service.fields:
        typed = (one_line(form.get(one.name, "")) or "") or (kept.get(one.name, "") if one.secret else "")
        read.values[one.name] = ("1" if typed else "") if one.kind == "yes" else typed
        error = _error(one, typed)
        if error:
            read.errors[one.name] = error
    if kept and not read.errors:
        _require_typed(form, service, kept, read)
    read.per_hour = _limit(form, "per_hour", read)
    read.per_day = _limit(form, "per_day", read)
    return read


def _require_typed(form: Mapping[str, str], service: GatewayService, kept: Mapping[str, str], read: GatewayForm) -> None:
    """Every secret that is kept, where it would go to another server than before."""
    before, after = end_of_gateway(service, kept), end_of_gateway(service, read.values)
    if before is None or after is None:
        return
    for one in (one for one in service.fields if one.secret):
        if must_be_typed(before, after, has_secret=bool(kept.get(one.name)), is_typed=bool(one_line(form.get(one.name, "")))):
            read.errors[one.name] = _(TYPE_AGAIN)


def _error(one: GatewayField, typed: str) -> str:
    if not typed:
        return _("This can't be empty.") if one.required else ""
    if len(typed) > MOST_VALUE:
        return _("This is too long: at most %(most)s characters.", most=MOST_VALUE)
    if one.kind == "port" and not (re.fullmatch("[0-9]{1,5}", typed) and 0 < int(typed) < 65536):
        return _("A port must be a number from 1 to 65535.")
    if one.kind == "url" and not _is_address(typed):
        return _("Enter the full address, such as https://example.com/hook.")
    if one.pattern and not re.fullmatch(one.pattern, typed):
        return _(one.wrong)
    return ""


def _is_address(typed: str) -> bool:
    try:
        url = urlsplit(typed)
        return url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0) and " " not in typed
    except ValueError:
        return False


def _limit(form: Mapping[str, str], name: str, read: GatewayForm) -> int:
    typed = form.get(name, "").strip() or "0"
    if re.fullmatch("[0-9]{1,7}", typed) and int(typed) <= MOST_LIMIT:
        return int(typed)
    read.errors[name] = _("Enter a whole number; 0 means no limit.")
    return 0
