"""What we make of a mail server's words: a sentence that says what to do."""

import re

from kanban.i18n import N_, _

# The first pattern that fits the answer gives the sentence.
HINTS = (
    (
        r"^53[45]|authentication|credentials|BadCredentials",
        N_("The server does not accept this user name and password. Many providers want a password made for applications here."),
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate",
        N_("The server's certificate can't be trusted. Check the server's name; a server of your own needs its CA file in SMTP_CA_FILE."),
    ),
    (
        r"WRONG_VERSION_NUMBER|wrong version number",
        N_("This port does not speak TLS from the first byte. Try STARTTLS, or port 465."),
    ),
    (
        r"STARTTLS extension not supported",
        N_("This server offers no STARTTLS. Try SSL/TLS on port 465."),
    ),
    (
        r"getaddrinfo|Name or service not known|nodename|Temporary failure in name resolution|No address associated",
        N_("There is no server of this name. Check it for a misprint."),
    ),
    (
        r"Connection refused",
        N_("Nothing answers at this server and port. Check the port."),
    ),
    (
        r"timed out|no answer within",
        N_("The server does not answer in time. Check server and port; a firewall may stand between."),
    ),
    (
        r"^5[0-9]{2}",
        N_("The server refuses for good. Its own words say why."),
    ),
    (
        r"^4[0-9]{2}",
        N_("The server refuses for now. Try again in a few minutes."),
    ),
    (
        r"closed|reset|Broken pipe",
        N_("The server closed the connection. Check port and security."),
    ),
)


def mail_hint(answer: str) -> str:
    for pattern, sentence in HINTS:
        if re.search(pattern, answer, re.IGNORECASE):
            return _(sentence)
    return _("The letter was not accepted. The server's own words are beside this.")
