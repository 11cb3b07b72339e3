"""The mail providers we know: their servers, how to get a password for them, and how much they let one mailbox send.

A row that has domains is found by an address; a row that has mx serves firms' own domains and is found by their MX hosts.
Servers, ports and limits are from the providers' own help pages where a comment doesn't say otherwise. Proton is not here:
it lets programs in only through its Bridge.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kanban.i18n import N_


@dataclass(frozen=True)
class Server:
    """security: tls (from the first byte) or starttls."""

    host: str
    port: int
    security: str


@dataclass(frozen=True)
class Provider:
    """What is known of a mail provider.

    mx: ends of the MX hosts of firms' own domains; hosted_name: what the service for them is called, or "" if as the provider.
    hint: what its users most often need to know; steps: how to get a password for applications, one sentence each;
    help_url: its own page about it. Limits count recipients, or messages where it counts those, of one mailbox, and
    per_letter the recipients of one message by SMTP: 0 where it publishes none we could check. oauth: "", google or microsoft.
    """

    name: str
    smtp: Server
    imap: Server
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    hosted_name: str = ""
    hint: str = ""
    steps: tuple[str, ...] = ()
    help_url: str = ""
    per_hour: int = 0
    per_day: int = 0
    per_letter: int = 0
    oauth: str = ""


@dataclass(frozen=True)
class FoundServers:
    """Settings found for an address. username: "" where nothing is said of it."""

    smtp: Server
    imap: Server | None = None
    username: str = ""
    provider: Provider | None = None


APP_PASSWORD = N_("This provider only lets apps in with an app password, not with your usual one.")
MICROSOFT_SIGN_IN = N_("Microsoft has disabled password sign-in for many accounts.")
ALLOW_PROGRAMS = N_("First allow mail apps in the mailbox settings.")
HOSTING_PASSWORD = N_("Use the mailbox's own password, set in the hosting control panel.")

PASTE = N_("Copy the new password and paste it here: it is only shown once.")
TWO_STEPS = N_("Turn on two-step verification for your account if it is off.")
SECURITY_PAGE = N_("Open your account's security settings, find “App passwords” and create one.")
MICROSOFT_REFUSES = N_("If the password is refused, sign in with Microsoft or use a mailbox from another provider.")

YANDEX = Provider(
    "Яндекс",
    Server("smtp.yandex.ru", 465, "tls"),
    Server("imap.yandex.ru", 993, "tls"),
    domains=("yandex.ru", "ya.ru", "yandex.com", "yandex.kz", "yandex.by", "yandex.ua", "narod.ru"),
    hint=APP_PASSWORD,
    steps=(
        N_("In Yandex Mail, open “All settings”, then “Email clients”, and allow IMAP access with app passwords."),
        N_("At id.yandex.ru, open “Security”, then “App passwords”, and create a password for “Mail”."),
        PASTE,
    ),
    help_url="https://yandex.ru/support/id/authorization/app-passwords.html",
    per_day=500,  # its page on sending many messages: 500 recipients in 24 hours
    per_letter=35,  # the same page: from a mail client or by SMTP
)
YANDEX_360 = replace(
    YANDEX,
    domains=(),
    mx=("mx.yandex.net", "mx.yandex.ru"),
    hosted_name="Яндекс 360",
    per_day=0,  # depends on the tariff
)

MAIL_RU = Provider(
    "Mail.ru",
    Server("smtp.mail.ru", 465, "tls"),
    Server("imap.mail.ru", 993, "tls"),
    domains=("mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru", "xmail.ru", "mail.ua", "vk.com"),
    hint=APP_PASSWORD,
    steps=(
        N_("In Mail.ru, open “All settings”, then “Security”, then “Passwords for external applications”."),
        N_("Create a password, give it any name, and grant it full access to the mail."),
        PASTE,
    ),
    help_url="https://help.mail.ru/mail/security/protection/external",
)
VK_WORKSPACE = replace(MAIL_RU, domains=(), mx=("emx.mail.ru", "mxs.mail.ru"), hosted_name="VK WorkSpace")

GMAIL = Provider(
    "Gmail",
    Server("smtp.gmail.com", 465, "tls"),
    Server("imap.gmail.com", 993, "tls"),
    domains=("gmail.com", "googlemail.com"),
    hint=APP_PASSWORD,
    steps=(TWO_STEPS, N_("Open myaccount.google.com/apppasswords and create a password with any name."), PASTE),
    help_url="https://support.google.com/accounts/answer/185833",
    per_day=500,  # Gmail help: 500 messages a day
    per_letter=100,  # Google Workspace help: 100 by SMTP; taken to hold here too
    oauth="google",
)
GOOGLE_WORKSPACE = replace(
    GMAIL,
    domains=(),
    mx=("aspmx.l.google.com", "smtp.google.com", "googlemail.com"),  # the last: aspmx2.googlemail.com and on
    hosted_name="Google Workspace",
    per_day=2000,  # Google Workspace help: 2,000 messages a day
)

RAMBLER = Provider(
    "Rambler",
    Server("smtp.rambler.ru", 465, "tls"),
    Server("imap.rambler.ru", 993, "tls"),
    domains=("rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "r0.ru", "rambler.ua"),
    hint=ALLOW_PROGRAMS,
    steps=(
        N_("In Rambler Mail, open “Settings”, then “Mail programs”, and turn access on."),
        N_("Use the mailbox's usual password here."),
    ),
    help_url="https://help.rambler.ru/mail/mail-nastrojki-pochtovogo-yashika/2129/",
)

OUTLOOK = Provider(
    "Outlook",
    Server("smtp-mail.outlook.com", 587, "starttls"),
    Server("outlook.office365.com", 993, "tls"),
    domains=("outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "live.ru", "msn.com", "windowslive.com"),
    hint=MICROSOFT_SIGN_IN,
    steps=(TWO_STEPS, SECURITY_PAGE, PASTE, MICROSOFT_REFUSES),
    help_url="https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
    per_day=300,  # msoutlook.info, of free accounts; Microsoft itself: fewer than the 5,000 of subscribers
    per_letter=100,  # the same; Microsoft itself: fewer than the 500 of subscribers
    oauth="microsoft",
)
MICROSOFT_365 = replace(
    OUTLOOK,
    smtp=Server("smtp.office365.com", 587, "starttls"),
    domains=(),
    mx=("mail.protection.outlook.com", "mx.microsoft"),  # the last: domains with DNSSEC
    hosted_name="Microsoft 365",
    steps=(N_("Ask your administrator to allow “Authenticated SMTP” for this mailbox."), MICROSOFT_REFUSES),
    help_url="https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
    per_hour=1800,  # Exchange Online limits: 30 messages a minute
    per_day=10_000,  # the same: 10,000 recipients a day
    per_letter=500,  # the same, unless the administrator changed it
)

ICLOUD = Provider(
    "iCloud",
    Server("smtp.mail.me.com", 587, "starttls"),
    Server("imap.mail.me.com", 993, "tls"),
    domains=("icloud.com", "me.com", "mac.com"),
    hint=APP_PASSWORD,
    steps=(N_("At account.apple.com, open “Sign-In and Security”, then “App-Specific Passwords”, and create one."), PASTE),
    help_url="https://support.apple.com/102654",
    per_day=1000,  # Apple support 102198: 1,000 messages and 1,000 recipients a day
    per_letter=500,  # the same
)
ICLOUD_PLUS = replace(ICLOUD, domains=(), mx=("mail.icloud.com",), hosted_name="iCloud+")

ZOHO = Provider(
    "Zoho",
    Server("smtp.zoho.com", 465, "tls"),
    Server("imap.zoho.com", 993, "tls"),
    domains=("zoho.com", "zohomail.com"),
    hint=APP_PASSWORD,
    steps=(N_("In the Zoho Mail settings, open your account and allow IMAP access."), SECURITY_PAGE, PASTE),
    help_url="https://www.zoho.com/mail/help/zoho-smtp.html",
)
ZOHO_PRO = replace(
    ZOHO,
    smtp=Server("smtppro.zoho.com", 465, "tls"),
    imap=Server("imappro.zoho.com", 993, "tls"),
    domains=(),
    mx=("zoho.com",),
    hosted_name="Zoho Workplace",
)
ZOHO_EU = replace(
    ZOHO, smtp=Server("smtp.zoho.eu", 465, "tls"), imap=Server("imap.zoho.eu", 993, "tls"), domains=("zoho.eu", "zohomail.eu")
)
ZOHO_EU_PRO = replace(ZOHO_PRO, smtp=Server("smtppro.zoho.eu", 465, "tls"), imap=Server("imappro.zoho.eu", 993, "tls"), mx=("zoho.eu",))

YAHOO = Provider(
    "Yahoo",
    Server("smtp.mail.yahoo.com", 465, "tls"),
    Server("imap.mail.yahoo.com", 993, "tls"),
    domains=("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr"),
    hint=APP_PASSWORD,
    steps=(SECURITY_PAGE, PASTE),
    help_url="https://help.yahoo.com/kb/SLN15241.html",
)
AOL = replace(
    YAHOO,
    name="AOL",
    smtp=Server("smtp.aol.com", 465, "tls"),
    imap=Server("imap.aol.com", 993, "tls"),
    domains=("aol.com", "aim.com"),
    help_url="https://help.aol.com/articles/Create-and-manage-app-password",
)

GMX = Provider(
    "GMX",
    Server("mail.gmx.com", 465, "tls"),
    Server("imap.gmx.com", 993, "tls"),
    domains=("gmx.com", "gmx.us", "gmx.co.uk"),
    hint=ALLOW_PROGRAMS,
    steps=(N_("In GMX, open “Settings”, then “POP3 & IMAP”, and turn access on."),),
    help_url="https://support.gmx.com/pop-imap/toggle.html",
)
GMX_NET = replace(
    GMX,
    smtp=Server("mail.gmx.net", 465, "tls"),
    imap=Server("imap.gmx.net", 993, "tls"),
    domains=("gmx.net", "gmx.de", "gmx.at", "gmx.ch"),
)

FASTMAIL = Provider(
    "Fastmail",
    Server("smtp.fastmail.com", 465, "tls"),
    Server("imap.fastmail.com", 993, "tls"),
    domains=("fastmail.com", "fastmail.fm"),
    mx=("messagingengine.com",),
    hint=APP_PASSWORD,
    steps=(SECURITY_PAGE, PASTE),
    help_url="https://www.fastmail.help/hc/en-us/articles/360058752854-App-passwords",
)

TIMEWEB = Provider(
    "Timeweb",
    Server("smtp.timeweb.ru", 465, "tls"),
    Server("imap.timeweb.ru", 993, "tls"),
    mx=("mx1.timeweb.ru", "mx2.timeweb.ru"),
    hint=HOSTING_PASSWORD,
    help_url="https://timeweb.com/ru/docs/pochta/",
)
BEGET = Provider(
    "Beget",
    Server("smtp.beget.com", 465, "tls"),
    Server("imap.beget.com", 993, "tls"),
    mx=("mx1.beget.com", "mx2.beget.com"),
    hint=HOSTING_PASSWORD,
    help_url="https://beget.com/ru/kb/",
)
REG_RU = Provider(
    "REG.RU",
    Server("mail.hosting.reg.ru", 465, "tls"),
    Server("mail.hosting.reg.ru", 993, "tls"),
    mx=("mx1.hosting.reg.ru", "mx2.hosting.reg.ru"),
    hint=HOSTING_PASSWORD,
    help_url="https://help.reg.ru/",
)
NIC_RU = Provider(
    "RU-CENTER",
    Server("mail.nic.ru", 465, "tls"),
    Server("mail.nic.ru", 993, "tls"),
    mx=("nicmail.ru",),
    hint=HOSTING_PASSWORD,
    help_url="https://nic.ru/help/limitations-and-features-of-the-mail-system_14425.html",
    per_hour=200,  # that page: 50 messages in 15 minutes
    per_letter=50,  # that page
)
SPACEWEB = Provider(
    "SpaceWeb",
    Server("smtp.spaceweb.ru", 465, "tls"),
    Server("imap.spaceweb.ru", 993, "tls"),
    mx=("mx1.spaceweb.ru", "mx2.spaceweb.ru"),
    hint=HOSTING_PASSWORD,
    help_url="https://help.sweb.ru/entry/22",
    per_hour=500,  # that page: 500 messages an hour from a mailbox, and from a domain
    per_letter=100,  # that page
)

PROVIDERS = (
    *(YANDEX, YANDEX_360, MAIL_RU, VK_WORKSPACE, GMAIL, GOOGLE_WORKSPACE, RAMBLER, OUTLOOK, MICROSOFT_365, ICLOUD, ICLOUD_PLUS),
    *(ZOHO, ZOHO_PRO, ZOHO_EU, ZOHO_EU_PRO, YAHOO, AOL, GMX, GMX_NET, FASTMAIL, TIMEWEB, BEGET, REG_RU, NIC_RU, SPACEWEB),
)
BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
BY_MX = {suffix: provider for provider in PROVIDERS for suffix in provider.mx}


def find_provider(address: str) -> Provider | None:
    """The provider of an address, if the table knows its domain."""
    return BY_DOMAIN.get(_plain(address.rpartition("@")[2]))


def find_by_mx(hosts: Iterable[str]) -> Provider | None:
    """The provider of a firm's own domain by its MX hosts, given the best first: the first one the table knows decides."""
    for host in hosts:
        labels = _plain(host).split(".")
        for start in range(len(labels)):
            if provider := BY_MX.get(".".join(labels[start:])):
                return provider
    return None


def _plain(host: str) -> str:
    """As the table spells it: lower case, without the root's dot and the bracket of “Name <address>”."""
    return host.strip().rstrip(">").rstrip(".").casefold()


def provider_of_server(host: str) -> Provider | None:
    """The first provider of the table that sends by this server."""
    return next((one for one in PROVIDERS if one.smtp.host == host), None)
