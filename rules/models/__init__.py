"""The tables of rules."""

from rules.models.account import MailAccount
from rules.models.delivery import Delivery
from rules.models.message import STATES, Message
from rules.models.rule import TRIGGERS, Rule, RuleVersion
from rules.models.run import Run
from rules.models.template import Template
from rules.models.worker import WorkerBeat

__all__ = ["STATES", "TRIGGERS", "Delivery", "MailAccount", "Message", "Rule", "RuleVersion", "Run", "Template", "WorkerBeat"]
