"""What we make of a mail server's words: a sentence that says what to do."""

import re

from kanban.i18n import N_, _

SIGN_IN = r"^53[45]|authenticat|credentials|LOGIN failed|Invalid login"

# The first pattern that fits the answer gives the sentence.
HINTS = (
    (
        r"^held: ",
        N_(
            "It is unknown whether this message arrived: on each attempt the worker stopped midway, or the server "
            "accepted it and never replied. Ask the recipient, and send it again if it did not arrive."
        ),
    ),
    (
        r"sealed with another key",
        N_("The key for this password is lost (SEAL_KEY, or seal_key in the instance folder). Enter the password again."),
    ),
    (
        r"inside your own network, and not allowed yet",
        N_("This server is inside your own network. An administrator must allow it first: Settings → Internal hosts."),
    ),
    (
        r"Potok never connects there",
        N_("This address belongs to this machine or its cloud: Potok never connects to it."),
    ),
    (
        r"invalid_grant|refresh_token|access_token|AADSTS",
        N_("The sign-in has expired or was revoked. Sign in again with the provider's button."),
    ),
    (
        SIGN_IN,
        N_("The server does not accept this user name and password. Many providers require an app password here."),
    ),
    (
        r"letters outside ASCII",
        N_("The user name and password can only contain Latin characters, digits and symbols here. Was the keyboard set to Russian?"),
    ),
    (
        r"self-signed|unable to get local issuer",
        N_(
            "The server's certificate was issued by an unknown authority. If this is your own server, add the CA "
            "certificate under “Other settings”."
        ),
    ),
    (
        r"Hostname mismatch|IP address mismatch",
        N_("The certificate is for another name. Enter the server name as given by the provider."),
    ),
    (
        r"certificate has expired",
        N_("The server's certificate has expired. Its provider must renew it."),
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate",
        N_("The server's certificate can't be trusted. Check the server's name."),
    ),
    (
        r"WRONG_VERSION_NUMBER|wrong version number",
        N_("This port does not speak TLS from the first byte. Try STARTTLS, or port 465."),
    ),
    (
        r"STARTTLS extension not supported",
        N_("This server does not offer STARTTLS. Try SSL/TLS on port 465."),
    ),
    (
        r"getaddrinfo|Name or service not known|nodename|Temporary failure in name resolution|No address associated",
        N_("No server with this name was found. Check it for typos."),
    ),
    (
        r"Connection refused",
        N_("Nothing responds at this server and port. Check the port."),
    ),
    (
        r"timed out|no answer within",
        N_("The server does not respond in time. Check the server and port; a firewall may be blocking it."),
    ),
    (
        r"^(?:452|552)|^4[0-9]{2}[ -]4\.2\.2|^5[0-9]{2}[ -]5\.2\.2|quota|mailbox (?:is )?full|over ?quota",
        N_("The mailbox is full. Free up some space in it, then send the e-mail again."),
    ),
    (
        r"own address is wrong",
        N_("The account's own address is not a valid e-mail address. Correct it."),
    ),
    (
        r"recipient's address is wrong|^5[0-9]{2}[ -]5\.1\.[0-3]|user unknown|unknown user|no such user|does not exist|mailbox unavailable",
        N_("This address does not exist. Check it for typos and whether the person still uses it."),
    ),
    (
        r"SMTPUTF8|SMTPNotSupported",
        N_("This server can't send to an address with non-ASCII characters before the @. Use another address or another account."),
    ),
    (
        r"^5[0-9]{2}",
        N_("The server has rejected this permanently. Its response says why."),
    ),
    (
        r"^4[0-9]{2}",
        N_("The server is refusing this for now. Try again in a few minutes."),
    ),
    (
        r"closed|reset|Broken pipe",
        N_("The server closed the connection. Check the port and security."),
    ),
)


def is_sign_in(answer: str) -> bool:
    """Whether user name or password were refused."""
    return re.search(SIGN_IN, answer, re.IGNORECASE) is not None


def mail_hint(answer: str) -> str:
    for pattern, sentence in HINTS:
        if re.search(pattern, answer, re.IGNORECASE):
            return _(sentence)
    return _("The e-mail was not accepted. The server's response is shown next to this.")
