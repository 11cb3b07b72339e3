"""What we make of a gateway's words: a sentence that says what to do."""

import re

from kanban.i18n import N_, _

# The first pattern that fits the answer gives the sentence.
HINTS = (
    (
        r"bot was blocked|Forbidden: bot",
        N_("This person has stopped the bot or has never messaged it. They need to press “Start” in their chat with it."),
    ),
    (
        r"chat not found|chat_ids to notify|user not found",
        N_("This chat does not exist, or this person has not messaged the bot yet. Check the ID."),
    ),
    (
        r"Telegram.*error=40[14]|Bot Token|\(code=2\)|error=40[13]|^\((?:13|14|15)\)",
        N_("The service does not accept this login, password, token or key."),
    ),
    (r"sealed with another key", N_("The key of this installation has changed, so the saved settings can't be read. Enter them again.")),
    (r"\(code=3\)", N_("The account with the service has run out of money.")),
    (r"\(code=4\)", N_("The service has blocked this server for a while: too many failed requests. Check the login and password.")),
    (r"\(code=6\)", N_("The service does not allow this text or this sender name.")),
    (r"\(code=[78]\)|phone #|SMSC targets|^\(11\)", N_("The service can't send to this number. Check it for typos.")),
    (r"^\(10\)", N_("The operator does not recognise this sender. Enter it as agreed with the operator.")),
    (r"error=429|\(code=9\)|^\((?:20|88)\)", N_("Too many messages in a short time. Potok waits and continues automatically.")),
    (r"error=3[0-9]{2}", N_("This address redirects elsewhere. Enter the address it redirects to.")),
    (r"error=404", N_("Nothing was found at this address. Check it for typos.")),
    (r"error=4[0-9]{2}", N_("The service rejected this message. Its response says why.")),
    (r"error=5[0-9]{2}|^\(8\)", N_("The service is having problems. Potok will retry automatically.")),
    (
        r"NameResolution|getaddrinfo|Name or service not known|Temporary failure in name|no address for",
        N_("The service's server can't be found. Check its name and this computer's internet access."),
    ),
    (r"Connection refused", N_("Nothing responds at this server and port. Check the port.")),
    (
        r"CERTIFICATE|certificate|SSL|WRONG_VERSION",
        N_("A secure connection could not be established: the certificate or the port is wrong."),
    ),
    (r"timed out|no answer within", N_("The service does not respond in time. A firewall may be blocking it.")),
)


def gateway_hint(answer: str) -> str:
    for pattern, sentence in HINTS:
        if re.search(pattern, answer):
            return _(sentence)
    return _("The message was not accepted. The service's response is shown next to this.")
