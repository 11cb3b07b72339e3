"""Signing in to a mailbox with Google or Microsoft (OAuth 2, RFC 6749 with PKCE; XOAUTH2), by authlib.

The client's id and secret are settings of the environment. What the service gives is sealed with the account: a refresh
token, and an access token that is renewed a minute before its end. Nothing here runs inside a transaction. Imported where it is
needed, since most accounts have a password.
"""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from requests import RequestException
from requests.adapters import HTTPAdapter

from kanban.config import Config
from kanban.db import db
from kanban.transactions import Turn, transaction
from rules.mail.oauth import SERVICES, SignInLost, client_id
from rules.models import MailAccount
from rules.seal import seal, unseal
from rules.transports.account import Account

DEADLINE_S = 10
RENEW_S = 60
Token = dict[str, Any]  # as a service gives it (RFC 6749, 5.1)


def _session(service: str, config: Config, redirect_uri: str = "") -> OAuth2Session:
    secret = config.oauth_google_secret if service == "google" else config.oauth_microsoft_secret
    session = OAuth2Session(
        client_id(service, config),
        secret or None,
        scope=SERVICES[service].scope,
        redirect_uri=redirect_uri,
        token_endpoint_auth_method="client_secret_post" if secret else "none",
        code_challenge_method="S256",
        default_timeout=DEADLINE_S,
    )
    session.mount("https://", _Trusting(config.smtp_ca_file))
    return session


class _Trusting(HTTPAdapter):
    """Trusts the certificates of SMTP_CA_FILE beside the usual ones, as mail does."""

    def __init__(self, ca_file: str) -> None:
        self._context = ssl.create_default_context()
        if ca_file:
            self._context.load_verify_locations(cafile=ca_file)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)


def begin(service: str, config: Config, redirect_uri: str, address: str) -> tuple[str, str, str]:
    """(where to send the browser, state, verifier). The last two come back in the browser's session."""
    verifier = generate_token(64)
    known = SERVICES[service]
    url, state = _session(service, config, redirect_uri).create_authorization_url(
        known.authorize_url.format(tenant=config.oauth_microsoft_tenant), code_verifier=verifier, login_hint=address, **known.options
    )
    return url, state, verifier


def finish(service: str, config: Config, redirect_uri: str, code: str, verifier: str) -> str:
    """The token, as sealed JSON. Raises SignInLost."""
    session = _session(service, config, redirect_uri)
    url = SERVICES[service].token_url.format(tenant=config.oauth_microsoft_tenant)
    token = _asked(lambda: session.fetch_token(url, code=code, code_verifier=verifier, grant_type="authorization_code"))
    if not token.get("refresh_token"):
        raise SignInLost("no refresh_token was given")
    return _sealed(token, {}, config)


def fresh(account: Account, config: Config) -> str:
    """An access token that lasts a minute at least; a new one is kept. Raises SignInLost."""
    stored = db.session.get(MailAccount, account.stored_id, populate_existing=True)
    sealed = stored.sealed_token if stored else ""
    kept: Token = json.loads(unseal(sealed, config.seal_key) or "{}")
    db.session.rollback()
    if kept.get("access_token") and kept.get("expires_at", 0) > time.time() + RENEW_S:
        return str(kept["access_token"])
    if not kept.get("refresh_token"):
        raise SignInLost("invalid_grant: nobody has signed in yet")
    url = SERVICES[account.oauth].token_url.format(tenant=config.oauth_microsoft_tenant)
    session = _session(account.oauth, config)
    token = _asked(lambda: session.refresh_token(url, refresh_token=kept["refresh_token"]))
    with transaction(Turn.NONE) as writing:
        row = writing.get(MailAccount, account.stored_id)
        if row is not None and row.sealed_token == sealed:  # else somebody signed in anew meanwhile, or typed a password
            row.sealed_token = _sealed(token, kept, config)
    return str(token["access_token"])


def _asked(ask: Callable[[], Token]) -> Token:
    try:
        token: Token = ask()
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise SignInLost(" ".join(str(error).split())[:500] or type(error).__name__) from None
    if not token.get("access_token"):
        raise SignInLost("no access_token was given")
    return token


def _sealed(token: Token, before: Token, config: Config) -> str:
    kept = {
        "access_token": token["access_token"],
        "refresh_token": token.get("refresh_token") or before.get("refresh_token"),
        "expires_at": int(token.get("expires_at") or time.time() + int(token.get("expires_in") or 3600)),
    }
    return seal(json.dumps(kept), config.seal_key)
