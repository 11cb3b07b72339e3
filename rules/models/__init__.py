"""The tables of rules."""

from rules.models.account import ACCOUNT_KINDS, MailAccount, Outlet
from rules.models.delivery import Delivery
from rules.models.fired import DueMark
from rules.models.gateway import Gateway
from rules.models.later import LATER_STATES, Later
from rules.models.message import SECRET_KINDS, SIGN_IN_KINDS, STATES, Message
from rules.models.rule import GONE, MODES, Rule, RuleVersion
from rules.models.run import Run
from rules.models.template import Template
from rules.models.unsubscribed import Unsubscribed

__all__ = [
    "ACCOUNT_KINDS",
    "GONE",
    "LATER_STATES",
    "MODES",
    "SECRET_KINDS",
    "SIGN_IN_KINDS",
    "STATES",
    "Delivery",
    "DueMark",
    "Gateway",
    "Later",
    "MailAccount",
    "Message",
    "Outlet",
    "Rule",
    "RuleVersion",
    "Run",
    "Template",
    "Unsubscribed",
]
