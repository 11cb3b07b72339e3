"""Why a recipient was chosen, in words."""

from dataclasses import replace
from typing import assert_never

from kanban.i18n import _, ngettext
from rules.definition.message_action import Copy
from rules.post.layout import Chosen, ChosenAs


def chosen_words(chosen: Chosen | None) -> str:
    if chosen is None:
        return ""
    if chosen.copy is not None:
        why = chosen_words(replace(chosen, copy=None))
        return _("a copy: %(why)s", why=why) if chosen.copy is Copy.CC else _("a blind copy: %(why)s", why=why)
    match chosen.kind:
        case ChosenAs.ROLE:
            words = _of_role(chosen)
        case ChosenAs.LIST:
            words = ngettext("%(num)d order", "%(num)d orders", chosen.orders)
        case ChosenAs.RESPONSIBLE:
            words = _("responsible for this order")
        case ChosenAs.AUTHOR:
            words = _("placed this order")
        case ChosenAs.PERSON:
            words = _("named in the rule")
        case ChosenAs.CUSTOMER:
            words = _("the customer of this order")
        case ChosenAs.ADDRESS:
            words = _("an address named in the rule")
        case ChosenAs.MOVER:
            words = _("did it")
        case ChosenAs.PREVIOUS:
            words = _("was previously responsible")
        case ChosenAs.TRIAL | ChosenAs.TEST | ChosenAs.RESET | ChosenAs.INVITATION | ChosenAs.SECURITY:
            words = ""
        case _:
            assert_never(chosen.kind)
    return words


def _of_role(chosen: Chosen) -> str:
    if chosen.filled:
        return _("%(role)s of this order", role=chosen.role)
    if chosen.responsible:
        return _("%(role)s: responsible for this order and holds the role", role=chosen.role)
    return _("%(role)s: nobody is assigned on this order, so everyone with the role is notified", role=chosen.role)
