"""What we make of a mail server's words: a sentence that says what to do."""

import re

from kanban.i18n import N_, _

SIGN_IN = r"^53[45]|authenticat|credentials|LOGIN failed|Invalid login"

# The first pattern that fits the answer gives the sentence.
HINTS = (
    (
        r"^held: ",
        N_(
            "Nobody knows whether this letter arrived: each time it was tried the worker ended in the middle, or the server took it"
            " and never answered. Ask its reader, and send it again if it did not."
        ),
    ),
    (
        r"sealed with another key",
        N_("The key that opens this password is gone (SEAL_KEY, or seal_key in the instance folder). Type the password again."),
    ),
    (
        r"inside your own network, and not allowed yet",
        N_("This server is inside your own network. An administrator allows it first: Settings → Hosts inside."),
    ),
    (
        r"Potok never connects there",
        N_("This address belongs to the machine itself or to its cloud: Potok never connects there."),
    ),
    (
        r"invalid_grant|refresh_token|access_token|AADSTS",
        N_("The sign-in has ended or was withdrawn. Sign in again with the button of the provider."),
    ),
    (
        SIGN_IN,
        N_("The server does not accept this user name and password. Many providers want a password made for applications here."),
    ),
    (
        r"letters outside ASCII",
        N_("User name and password may hold Latin letters, digits and signs only here. Was the keyboard set to Russian?"),
    ),
    (
        r"self-signed|unable to get local issuer",
        N_(
            "The server's certificate is of an authority that isn't known. If it's your own server, put the authority's"
            " certificate under “Other settings”."
        ),
    ),
    (
        r"Hostname mismatch|IP address mismatch",
        N_("The certificate belongs to another name. Write the server's name as its provider gives it."),
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
        r"^(?:452|552)|^4[0-9]{2}[ -]4\.2\.2|^5[0-9]{2}[ -]5\.2\.2|quota|mailbox (?:is )?full|over ?quota",
        N_("The mailbox is full. Somebody must make room in it; then send the letter again."),
    ),
    (
        r"own address is wrong",
        N_("The account's own address is not an e-mail address. Correct it."),
    ),
    (
        r"recipient's address is wrong|^5[0-9]{2}[ -]5\.1\.[0-3]|user unknown|unknown user|no such user|does not exist|mailbox unavailable",
        N_("There is no such address. Check it for a misprint, and whether the person still has it."),
    ),
    (
        r"SMTPUTF8|SMTPNotSupported",
        N_("This server can't send to an address with letters outside ASCII before the @. Use another address, or another account."),
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


def is_sign_in(answer: str) -> bool:
    """Whether user name or password were refused."""
    return re.search(SIGN_IN, answer, re.IGNORECASE) is not None


def mail_hint(answer: str) -> str:
    for pattern, sentence in HINTS:
        if re.search(pattern, answer, re.IGNORECASE):
            return _(sentence)
    return _("The letter was not accepted. The server's own words are beside this.")
