"""The services one signs in to a mailbox with (OAuth 2): Google and Microsoft. What is said to them: rules.mail.oauth_client."""

from dataclasses import dataclass

from kanban.config import Config


@dataclass(frozen=True)
class OAuthService:
    """Endpoints as the services document them. {tenant}: of Microsoft, common or the firm's own. hosts: its mail servers."""

    name: str
    authorize_url: str
    token_url: str
    scope: str
    options: dict[str, str]
    hosts: tuple[str, ...]


SERVICES = {
    "google": OAuthService(
        "Google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        {"access_type": "offline", "prompt": "consent"},
        ("smtp.gmail.com", "imap.gmail.com"),
    ),
    "microsoft": OAuthService(
        "Microsoft",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "offline_access https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All",
        {"prompt": "select_account"},
        ("smtp.office365.com", "smtp-mail.outlook.com", "outlook.office365.com"),
    ),
}


class SignInLost(Exception):
    """The service gives no token: somebody has to sign in again. Its text is what the service said."""


def is_offered(service: str, config: Config) -> bool:
    return service in SERVICES and bool(client_id(service, config))


def offered(config: Config) -> dict[str, str]:
    """Services whose client is set up, with their names."""
    return {key: one.name for key, one in SERVICES.items() if is_offered(key, config)}


def client_id(service: str, config: Config) -> str:
    return config.oauth_google_id if service == "google" else config.oauth_microsoft_id
