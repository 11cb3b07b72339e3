"""The tables of rules."""

from rules.models.account import ACCOUNT_KINDS, MailAccount, Outlet
from rules.models.delivery import Delivery
from rules.models.fired import Fired
from rules.models.gateway import Gateway
from rules.models.later import LATER_STATES, Later
from rules.models.message import CHANNELS, DOOR_KINDS, SECRET_KINDS, STATES, Message
from rules.models.rule import MODES, TRIGGERS, Rule, RuleVersion
from rules.models.run import Run
from rules.models.template import Template
from rules.models.unsubscribed import Unsubscribed

__all__ = [
    "ACCOUNT_KINDS",
    "CHANNELS",
    "DOOR_KINDS",
    "LATER_STATES",
    "MODES",
    "SECRET_KINDS",
    "STATES",
    "TRIGGERS",
    "Delivery",
    "Fired",
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
]  # fmt: skip
