"""An e-mail made of a message: one plain, well-set page around its text, and the plain twin. Made the same way each time from
the message's row, so the log shows what was sent."""

from itertools import zip_longest
from typing import assert_never

from flask import current_app, render_template

from kanban.config import host_of
from kanban.i18n import _, force_locale
from rules.definition import texts
from rules.models import SIGN_IN_KINDS, Message
from rules.post.layout import Chosen, ChosenAs, Head, Layout, read_layout
from rules.post.unsubscribe import token_of
from rules.transports import RenderedMessage

# Tint and ink of each tone as messages need them: no variables, no oklch() there.
TONE_HEX = {
    "slate": ("#f5f4f3", "#5d5954"),
    "red": ("#fff0ed", "#9d2a26"),
    "orange": ("#fef2eb", "#8c4105"),
    "amber": ("#fbf3ea", "#7c4f00"),
    "olive": ("#f4f5ec", "#5b5e10"),
    "green": ("#eef7ef", "#216a37"),
    "teal": ("#edf7f6", "#116761"),
    "azure": ("#edf6fc", "#1d5f87"),
    "blue": ("#eef5ff", "#3355a0"),
    "violet": ("#f6f2ff", "#634697"),
    "pink": ("#fff0f5", "#8e355d"),
}


def render_message(message: Message, public_url: str) -> RenderedMessage:
    """The message with both bodies made; a short one is its text alone. Needs an application context.

    All e-mails of an order refer to one Message-ID that no e-mail has, so mail programs show them as one thread.
    """
    if message.channel != "email":
        return RenderedMessage(message.message_id, message.event_id, message.name, message.address, message.subject, message.text, "")
    host, layout = host_of(public_url), read_layout(message.layout)
    is_rule = message.kind == "rule"
    no_more = f"{public_url}/letters/{token_of(message.address, current_app.config['POTOK'].secret_key)}" if is_rule else ""
    with force_locale(message.language):
        why = why_sentence(layout)
        url = f"{public_url}/orders/{layout.order_id}" if layout.order_id else layout.url
        html = render_template(
            "messages/frame.html",
            message=message,
            blocks=_blocks(message, layout, public_url),
            tones=TONE_HEX,
            layout=layout,
            url=url,
            why=why,
            no_more=no_more,
            button=button_word(message),
        )
        text = plain(message, url, why, public_url, no_more)
    return RenderedMessage(
        message.message_id,
        message.event_id,
        message.name,
        message.address,
        message.subject,
        text,
        html,
        message.language,
        reply_to=message.reply_to,
        thread=f"<potok.order.{message.order_id}@{host}>" if message.order_id else "",
        unsubscribe=no_more,
        list_id=f"<orders.{host}>" if is_rule else "",
        to=_named(layout.to),
        cc=_named(layout.cc),
        is_private=message.kind in SIGN_IN_KINDS,
    )


def _named(heads: tuple[Head, ...] | None) -> tuple[tuple[str, str], ...]:
    return tuple((head.name, head.address) for head in heads or ())


def plain(message: Message, url: str, why: str, public_url: str, no_more: str = "") -> str:
    """The plain twin: what happened, the text, the way to the order, and why the reader got it."""
    parts, layout = [], read_layout(message.layout)
    if layout.after:
        parts.append(f"{layout.before.name} → {layout.after.name}" if layout.before else layout.after.name)
    parts.append(message.text if layout.orders is None else _listed(message, layout, public_url))
    if url:
        parts.append(f"{button_word(message)}: {url}")
    if why:
        parts.append("-- \n" + why + (f"\n{no_more_words()}: {no_more}" if no_more else ""))
    return "\n\n".join(parts) + "\n"


def _blocks(message: Message, layout: Layout, public_url: str) -> list[texts.Block]:
    return texts.blocks_of(message.text) if layout.orders is None else [("list", _lines(message, layout, public_url))]


def _listed(message: Message, layout: Layout, public_url: str) -> str:
    return "\n\n".join("\n".join(part for part in (f"- {line}", url) if part) for line, url in _lines(message, layout, public_url))


def _lines(message: Message, layout: Layout, public_url: str) -> list[tuple[str, str]]:
    """(a line of a list, the way to its order or "")"""
    lines, ids = message.text.splitlines(), layout.orders or ()
    return [(line, f"{public_url}/orders/{id_}" if id_ else "") for line, id_ in zip_longest(lines, ids[: len(lines)])]


def button_word(message: Message) -> str:
    words = {"reset": _("Choose a new password"), "invitation": _("Choose a password and sign in"), "security": _("Open my page")}
    return words.get(message.kind, _("Open the order"))


def no_more_words() -> str:
    return _("Stop these e-mails")


def why_sentence(layout: Layout) -> str:
    """«Вы получили это письмо, потому что…»"""
    chosen, status = layout.chosen, layout.after.name if layout.after else ""
    if chosen is None:
        return ""
    if chosen.copy:
        return _("You are receiving a copy of this e-mail because a rule at your company includes you.")
    return _of_role(chosen, status) if chosen.kind is ChosenAs.ROLE else _of_kind(chosen)


def _of_role(chosen: Chosen, status: str) -> str:
    if chosen.filled:
        return _(
            "You are receiving this e-mail because you are the %(role)s on this order, and it is now in “%(status)s”.",
            role=chosen.role,
            status=status,
        )
    if chosen.responsible:
        return _(
            "You are receiving this e-mail because you are responsible for this order and hold the role %(role)s, and "
            "the order is now in “%(status)s”.",
            role=chosen.role,
            status=status,
        )
    return _(
        "You are receiving this e-mail because your role is %(role)s, and the order is now in “%(status)s”.",
        role=chosen.role,
        status=status,
    )


def _of_kind(chosen: Chosen) -> str:
    match chosen.kind:
        case ChosenAs.RESPONSIBLE:
            words = _("You are receiving this e-mail because you are responsible for this order.")
        case ChosenAs.AUTHOR:
            words = _("You are receiving this e-mail because you placed this order.")
        case ChosenAs.MOVER:
            words = _("You are receiving this e-mail because you made this change yourself.")
        case ChosenAs.PREVIOUS:
            words = _("You are receiving this e-mail because you were previously responsible for this order.")
        case ChosenAs.PERSON:
            words = _("You are receiving this e-mail because a rule at your company includes you.")
        case ChosenAs.CUSTOMER:
            words = _("You are receiving this e-mail because this is your order.")
        case ChosenAs.ADDRESS:
            words = _("You are receiving this e-mail because a company rule includes your address.")
        case ChosenAs.LIST:
            words = _("You are receiving this e-mail because your company's rule “%(rule)s” sends it.", rule=chosen.rule)
        case ChosenAs.RESET:
            words = _("If you did not ask for this, ignore this e-mail: your password stays the same.")
        case ChosenAs.INVITATION:
            words = _("You are receiving this e-mail because an administrator at your company created an account for you.")
        case ChosenAs.SECURITY:
            words = _("You are receiving this e-mail because it is about your own account.")
        case ChosenAs.TRIAL:
            words = _("You asked for this e-mail to try out a rule; nobody else got it.")
        case ChosenAs.TEST:
            words = _("This is a test e-mail: an administrator is checking the mail account.")
        case ChosenAs.ROLE:
            words = ""
        case _:
            assert_never(chosen.kind)
    return words
