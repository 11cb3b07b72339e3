"""What a gateway's answer means: for the message, and for the gateway.

Sources: core.telegram.org/bots/api#making-requests, smsc.ru/api/http (error codes), RFC 9110 (status codes), SMPP 3.4 (5.1.3).
"""

import re
from typing import assert_never

from rules.transports import Answer
from rules.transports.answers import MOST_PAUSE_S
from rules.transports.services import ServiceKey

SEALED = Answer("retry", "the settings of this service were sealed with another key: enter them again", by_account=True)

# What is wrong with this one message or its address; everything else is the gateway's, which is left alone for a while.
_TELEGRAM = re.compile(r"error=40[03]\b|chat_ids to notify")
_SMSC = re.compile(r"\(code=[678]\)|No SMSC targets")
_WEBHOOK = re.compile(r"error=(?:400|413|422)\b")
_SMPP = re.compile(r"^\((?:1|2|11)\)")
_UNSURE = re.compile(r"Read timed out|Connection aborted|RemoteDisconnected|Connection broken|closed in the middle", re.I)
_UNMET = re.compile(r"Max retries exceeded", re.I)
_ASKED = re.compile(r'retry[_-]after"?\D{1,4}(\d{1,6})', re.I)


def judge(service: ServiceKey, sent: bool, words: str) -> Answer:
    """words: what the service, or Apprise for it, said."""
    if sent:
        return Answer("sent", words)
    if _of_message(service).search(words):
        return Answer("failed", words)
    if _UNSURE.search(words) and not (_UNMET.search(words) and "Read timed out" not in words):
        return Answer("unclear", words, by_account=True)
    asked = _ASKED.search(words)
    return Answer("retry", words, by_account=True, pause_s=min(int(asked[1]), MOST_PAUSE_S) if asked else None)


def _of_message(service: ServiceKey) -> re.Pattern[str]:
    match service:
        case ServiceKey.TELEGRAM:
            return _TELEGRAM
        case ServiceKey.SMSC:
            return _SMSC
        case ServiceKey.WEBHOOK:
            return _WEBHOOK
        case ServiceKey.SMPP:
            return _SMPP
        case _:
            assert_never(service)
