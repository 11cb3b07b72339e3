"""Settings of the common mail providers, by the domain of an address."""

from dataclasses import dataclass

from kanban.i18n import N_


@dataclass(frozen=True)
class Provider:
    """hint: what its users most often need to know, or ""."""

    name: str
    host: str
    port: int
    security: str
    hint: str = ""


APP_PASSWORD = N_("This provider lets programs in only with a password made for applications, not with your usual one.")

YANDEX = Provider("Яндекс", "smtp.yandex.ru", 465, "tls", APP_PASSWORD)
MAIL_RU = Provider("Mail.ru", "smtp.mail.ru", 465, "tls", APP_PASSWORD)
GMAIL = Provider("Gmail", "smtp.gmail.com", 465, "tls", APP_PASSWORD)
RAMBLER = Provider("Rambler", "smtp.rambler.ru", 465, "tls", N_("Allow mail programs in the settings of the mailbox first."))
OUTLOOK = Provider("Outlook", "smtp-mail.outlook.com", 587, "starttls", N_("Microsoft has ended sign-in by password for many accounts."))
ICLOUD = Provider("iCloud", "smtp.mail.me.com", 587, "starttls", APP_PASSWORD)
YAHOO = Provider("Yahoo", "smtp.mail.yahoo.com", 465, "tls", APP_PASSWORD)
ZOHO = Provider("Zoho", "smtp.zoho.com", 465, "tls", APP_PASSWORD)

BY_DOMAIN = {
    **dict.fromkeys(("yandex.ru", "ya.ru", "yandex.com", "yandex.kz", "yandex.by", "narod.ru"), YANDEX),
    **dict.fromkeys(("mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru", "xmail.ru"), MAIL_RU),
    **dict.fromkeys(("gmail.com", "googlemail.com"), GMAIL),
    **dict.fromkeys(("rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru"), RAMBLER),
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com"), OUTLOOK),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), ICLOUD),
    **dict.fromkeys(("yahoo.com", "ymail.com"), YAHOO),
    **dict.fromkeys(("zoho.com", "zohomail.com"), ZOHO),
}


def find_provider(address: str) -> Provider | None:
    """The provider of an address, if the table knows its domain."""
    return BY_DOMAIN.get(address.rpartition("@")[2].strip().casefold())
