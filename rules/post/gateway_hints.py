"""What we make of a gateway's words: a sentence that says what to do."""

import re

from kanban.i18n import N_, _

# The first pattern that fits the answer gives the sentence.
HINTS = (
    (
        r"bot was blocked|Forbidden: bot",
        N_("This person has stopped the bot, or has never written to it. They have to press “Start” in their chat with it."),
    ),
    (
        r"chat not found|chat_ids to notify|user not found",
        N_("There is no such chat, or this person has not written to the bot yet. Check the number."),
    ),
    (
        r"Telegram.*error=40[14]|Bot Token|\(code=2\)|error=40[13]|^\((?:13|14|15)\)",
        N_("The service does not accept this login, password, token or key."),
    ),
    (r"sealed with another key", N_("The key of this installation has changed, so the saved settings can't be read. Enter them again.")),
    (r"\(code=3\)", N_("There is no money left on the account at the service.")),
    (r"\(code=4\)", N_("The service has blocked this server for a while: too many wrong requests. Check login and password.")),
    (r"\(code=6\)", N_("The service does not let this text or this sender's name pass.")),
    (r"\(code=[78]\)|phone #|SMSC targets|^\(11\)", N_("The service can't send to this number. Check it for a misprint.")),
    (r"^\(10\)", N_("The operator does not know this sender. Write it as agreed with the operator.")),
    (r"error=429|\(code=9\)|^\((?:20|88)\)", N_("Too many messages at once. Potok waits and goes on by itself.")),
    (r"error=3[0-9]{2}", N_("This address leads elsewhere. Write the one it leads to.")),
    (r"error=404", N_("There is nothing at this address. Check it for a misprint.")),
    (r"error=4[0-9]{2}", N_("The service refuses this message. Its own words say why.")),
    (r"error=5[0-9]{2}|^\(8\)", N_("The service has a failure of its own. Potok tries again by itself.")),
    (
        r"NameResolution|getaddrinfo|Name or service not known|Temporary failure in name|no address for",
        N_("The service's server can't be found. Check its name, and whether this computer has a way to the internet."),
    ),
    (r"Connection refused", N_("Nothing answers at this server and port. Check the port.")),
    (r"CERTIFICATE|certificate|SSL|WRONG_VERSION", N_("No secure connection came about: the certificate, or the port, is not right.")),
    (r"timed out|no answer within", N_("The service does not answer in time. Perhaps a firewall stands between.")),
)


def gateway_hint(answer: str) -> str:
    for pattern, sentence in HINTS:
        if re.search(pattern, answer):
            return _(sentence)
    return _("The message was not accepted. The service's own words are beside this.")
