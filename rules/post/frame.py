"""The frame of a letter: one plain, well-set page around its text, and the plain twin. Made the same way each time from
the message's row, so the log shows what was sent."""

from itertools import zip_longest
from typing import Any

from flask import current_app, render_template

from kanban.config import host_of
from kanban.i18n import _, force_locale
from rules import texts
from rules.models import DOOR_KINDS, Message
from rules.post.transports import Letter
from rules.post.unsubscribe import token_of

# Tint and ink of each tone as letters need them: no variables, no oklch() there.
TONE_HEX = {
    "slate": ("#f5f4f3", "#5d5954"), "red": ("#fff0ed", "#9d2a26"), "orange": ("#fef2eb", "#8c4105"),
    "amber": ("#fbf3ea", "#7c4f00"), "olive": ("#f4f5ec", "#5b5e10"), "green": ("#eef7ef", "#216a37"),
    "teal": ("#edf7f6", "#116761"), "azure": ("#edf6fc", "#1d5f87"), "blue": ("#eef5ff", "#3355a0"),
    "violet": ("#f6f2ff", "#634697"), "pink": ("#fff0f5", "#8e355d"),
}  # fmt: skip


def letter_of(message: Message, public_url: str) -> Letter:
    """The message with both bodies made; a short one is its text alone. Needs an application context.

    All letters of an order refer to one Message-ID that no letter has, so mail programs show them as one thread.
    """
    if message.channel != "email":
        return Letter(message.message_id, message.event_id, message.name, message.address, message.subject, message.text, "")
    host = host_of(public_url)
    is_rule = message.kind == "rule"
    no_more = f"{public_url}/letters/{token_of(message.address, current_app.config['POTOK'].secret_key)}" if is_rule else ""
    with force_locale(message.language):
        why = why_sentence(message)
        order_id = message.layout.get("order_id")
        url = f"{public_url}/orders/{order_id}" if order_id else message.layout.get("url")
        html = render_template(
            "letters/frame.html", message=message, blocks=_blocks(message, public_url), tones=TONE_HEX,
            layout=message.layout, url=url, why=why, no_more=no_more, button=button_word(message),
        )  # fmt: skip
        text = plain(message, url, why, public_url, no_more)
    return Letter(
        message.message_id, message.event_id, message.name, message.address, message.subject, text, html, message.language,
        reply_to=message.reply_to, thread=f"<potok.order.{message.order_id}@{host}>" if message.order_id else "",
        unsubscribe=no_more, list_id=f"<orders.{host}>" if is_rule else "",
        to=_named(message.layout.get("to")), cc=_named(message.layout.get("cc")), is_private=message.kind in DOOR_KINDS,
    )  # fmt: skip


def _named(people: Any) -> tuple[tuple[str, str], ...]:
    return tuple((head[0], head[1]) for head in people or ())


def plain(message: Message, url: str | None, why: str, public_url: str, no_more: str = "") -> str:
    """The plain twin: what happened, the text, the way to the order, and why the reader got it."""
    parts = []
    before, after = message.layout.get("before"), message.layout.get("after")
    if after:
        parts.append(f"{before['name']} → {after['name']}" if before else after["name"])
    parts.append(_listed(message, public_url) if "orders" in message.layout else message.text)
    if url:
        parts.append(f"{button_word(message)}: {url}")
    if why:
        parts.append("-- \n" + why + (f"\n{no_more_words()}: {no_more}" if no_more else ""))
    return "\n\n".join(parts) + "\n"


def _blocks(message: Message, public_url: str) -> list[tuple[str, Any]]:
    return [("list", _lines(message, public_url))] if "orders" in message.layout else texts.table_rows(message.text)


def _listed(message: Message, public_url: str) -> str:
    return "\n\n".join("\n".join(part for part in (f"- {line}", url) if part) for line, url in _lines(message, public_url))


def _lines(message: Message, public_url: str) -> list[tuple[str, str]]:
    """(a line of a list, the way to its order or "")"""
    ids = message.layout["orders"]
    lines = message.text.splitlines()
    return [(line, f"{public_url}/orders/{id_}" if id_ else "") for line, id_ in zip_longest(lines, ids[: len(lines)])]


def button_word(message: Message) -> str:
    words = {"reset": _("Choose a new password"), "invitation": _("Choose a password and come in"), "security": _("Open my page")}
    return words.get(message.kind, _("Open the order"))


def no_more_words() -> str:
    return _("Stop these letters")


def why_sentence(message: Message) -> str:
    """«Вы получили это письмо, потому что…»"""
    why: dict[str, Any] = message.layout.get("why") or {}
    status = (message.layout.get("after") or {}).get("name", "")
    kind = why.get("kind")
    if why.get("copy"):
        return _("You get a copy of this letter because a rule of your firm names you for one.")
    if kind == "role" and why.get("filled"):
        return _(
            "You get this letter because you are the %(role)s of this order, and it is now in “%(status)s”.",
            role=why["role"],
            status=status,
        )
    if kind == "role" and why.get("responsible"):
        return _(
            "You get this e-mail because you are responsible for this order and hold the role %(role)s, and it is now in “%(status)s”.",
            role=why["role"],
            status=status,
        )
    if kind == "role":
        return _(
            "You get this letter because your role is %(role)s, and the order is now in “%(status)s”.", role=why["role"], status=status
        )
    sentences = {
        "responsible": _("You get this letter because you are responsible for this order."),
        "author": _("You get this letter because you placed this order."),
        "mover": _("You get this letter because you did this."),
        "previous": _("You get this letter because you were responsible for this order before."),
        "person": _("You get this letter because a rule of your firm names you."),
        "customer": _("You get this letter because this is your order."),
        "address": _("You get this letter because a rule of the firm names your address."),
        "list": _("You get this letter because the rule “%(rule)s” of your firm sends it.", rule=why.get("rule", "")),
        "reset": _("If you did not ask for this, ignore the letter: your password stays as it is."),
        "invitation": _("You get this letter because an administrator of your firm made an account for you."),
        "security": _("You get this letter because it is about your own account."),
        "trial": _("You asked for this letter to try a rule; nobody else got it."),
        "test": _("This is a test letter: an administrator checks the mail account."),
    }
    return sentences.get(str(kind), "")
