"""Signing in to a mailbox with Google: from the button to a letter by XOAUTH2, against a token server and an SMTP server of ours."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from kanban.transactions import transaction
from rules.mail import oauth
from rules.models import MailAccount, Message
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.mailserver import Certificates, Handler, free_port
from tests.rules.test_worker import drain, hurry

ADDRESS = "potok@melnikov.example"


class TokenServer:
    """Gives access tokens «token-1», «token-2», … for code «right-code» with its verifier, or for the refresh token."""

    def __init__(self, certificates: Certificates) -> None:
        self.asked: list[dict[str, str]] = []
        self.expires_in = 3600
        self.refuses = False
        owner = self

        class Asked(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = owner.answer({key: values[0] for key, values in parse_qs(body).items()})
                said = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self._server.socket = certificates.context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        is_right = (asked.get("code") == "right-code" and asked.get("code_verifier")) or asked.get("refresh_token") == "refresh-1"
        if self.refuses or not is_right or (asked.get("client_id"), asked.get("client_secret")) != ("id", "secret"):
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        token = {"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": self.expires_in}
        return 200, token | ({"refresh_token": "refresh-1"} if "code" in asked else {})

    def __enter__(self) -> "TokenServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class ByToken(Handler):
    """An SMTP handler that lets in who has one of `tokens`."""

    tokens: tuple[str, ...] = ()

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(arguments[1]).decode()
        is_right = said in {f"user={ADDRESS}\x01auth=Bearer {token}\x01\x01" for token in self.tokens}
        return AuthResult(success=is_right, handled=False, auth_data=said)


@pytest.fixture
def tokens(app: Flask, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    with TokenServer(certificates) as server:
        google = replace(
            oauth.SERVICES["google"],
            authorize_url=server.url + "/auth",
            token_url=server.url + "/token",
            hosts=("127.0.0.1", "smtp.gmail.com"),
        )
        monkeypatch.setitem(oauth.SERVICES, "google", google)
        app.config["POTOK"] = replace(
            app.config["POTOK"], oauth_google_id="id", oauth_google_secret="secret", smtp_ca_file=certificates.ca_file, undo_window_s=0
        )
        yield server


@pytest.fixture
def mail(certificates: Certificates) -> Iterator[tuple[ByToken, int]]:
    handler = ByToken()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        ready_timeout=10,
        ssl_context=certificates.context,
        auth_required=True,
        auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN", "PLAIN"],
    )
    controller.start()
    yield handler, int(controller.port)
    controller.stop()


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def begin(owner: Signed, port: int) -> dict[str, str]:
    """Presses the button; what the browser is sent to Google with."""
    form = {
        "address": ADDRESS,
        "password": "",
        "sender_name": "Кухни",
        "host": "127.0.0.1",
        "port": str(port),
        "security": "tls",
        "username": ADDRESS,
        "timeout_s": "5",
    }
    answer = owner.post("/settings/mail/system/oauth/google", form, htmx=True)
    assert answer.status_code == 204
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["HX-Redirect"]).query).items()}


def test_a_mailbox_signs_in_by_token_and_the_token_is_renewed(
    owner: Signed, cast: Cast, app: Flask, tokens: TokenServer, mail: tuple[ByToken, int]
) -> None:
    handler, port = mail
    sent_with = begin(owner, port)
    assert sent_with["code_challenge_method"] == "S256" and sent_with["access_type"] == "offline"
    assert sent_with["redirect_uri"] == "http://127.0.0.1:8000/oauth/mail" and sent_with["login_hint"] == ADDRESS
    tokens.expires_in = 1
    assert owner.get(f"/oauth/mail?state={sent_with['state']}&code=right-code").status_code == 302
    db.session.rollback()
    account = db.session.scalars(select(MailAccount)).one()
    assert account.oauth == "google" and "refresh-1" not in account.sealed_token
    db.session.rollback()
    handler.tokens = ("token-2", "token-3", "token-4")  # the first was over at once
    page = owner.post("/settings/mail/system/check/sign-in").text
    assert page.count('data-verdict="true"') == 4 and len(handler.mail) == 1
    assert "token-" not in page and "refresh-1" not in owner.get("/settings/mail").text
    cast.place()
    drain(Worker(app))
    assert len(handler.mail) == 3
    assert {one["grant_type"] for one in tokens.asked} == {"authorization_code", "refresh_token"}


def test_a_withdrawn_sign_in_leaves_messages_waiting_and_is_said(
    owner: Signed, cast: Cast, app: Flask, tokens: TokenServer, mail: tuple[ByToken, int]
) -> None:
    sent_with = begin(owner, mail[1])
    tokens.expires_in = 1
    owner.get(f"/oauth/mail?state={sent_with['state']}&code=right-code")
    tokens.refuses = True
    cast.place()
    hurry()
    Worker(app).step()
    db.session.rollback()
    assert set(db.session.scalars(select(Message.state))) == {"waiting"}
    account = db.session.scalars(select(MailAccount)).one()
    assert "invalid_grant" in account.last_error and account.paused_until is not None
    db.session.rollback()
    answer = owner.post("/settings/mail/system/check/sign-in")
    assert answer.status_code == 422 and "Войдите ещё раз" in answer.text


def test_a_sign_in_that_nobody_began_changes_nothing(owner: Signed, cast: Cast, tokens: TokenServer, mail: tuple[ByToken, int]) -> None:
    assert owner.get("/oauth/mail?state=x&code=right-code").status_code == 404
    sent_with = begin(owner, mail[1])
    assert owner.get("/oauth/mail?state=other&code=right-code").status_code == 404
    assert owner.get(f"/oauth/mail?state={sent_with['state']}&code=right-code").status_code == 404  # it was for once
    sent_with = begin(owner, mail[1])
    assert owner.get(f"/oauth/mail?state={sent_with['state']}&error=access_denied").status_code == 302
    sent_with = begin(owner, mail[1])
    assert owner.get(f"/oauth/mail?state={sent_with['state']}&code=wrong").status_code == 302
    assert "invalid_grant" in owner.get("/settings/mail").text
    db.session.rollback()
    assert db.session.scalars(select(MailAccount.oauth)).one() == ""


def test_a_token_is_sent_to_its_server_only_and_a_password_takes_its_place(
    owner: Signed, cast: Cast, tokens: TokenServer, mail: tuple[ByToken, int]
) -> None:
    with transaction() as session:
        session.add(MailAccount(address=ADDRESS, host="127.0.0.1", port=465, security="tls", oauth="google", sealed_token="x"))
    form = {
        "address": ADDRESS,
        "password": "",
        "sender_name": "",
        "host": "evil.example",
        "port": "465",
        "security": "tls",
        "username": "",
        "timeout_s": "5",
    }
    assert owner.post("/settings/mail/system/sending", form).status_code == 422
    assert owner.post("/settings/mail/system/sending", form | {"password": "new"}).status_code == 303
    db.session.rollback()
    account = db.session.scalars(select(MailAccount)).one()
    assert (account.oauth, account.sealed_token, account.host) == ("", "", "evil.example") and account.sealed_password


def test_without_a_client_there_is_no_button(owner: Signed, cast: Cast) -> None:
    assert "Войти через" not in owner.post("/settings/mail/system/find/table", {"address": "a@gmail.com"}).text
    assert owner.post("/settings/mail/system/oauth/google", {}).status_code == 404


def test_with_a_client_there_is_a_button_and_a_page_that_leads_on(owner: Signed, cast: Cast, tokens: TokenServer) -> None:
    page = owner.post("/settings/mail/system/find/table", {"address": "a@gmail.com"}).text
    assert "Войти через Google" in page and "Войти через Microsoft" not in page
    form = {
        "address": "a@gmail.com",
        "password": "",
        "sender_name": "",
        "host": "smtp.gmail.com",
        "port": "465",
        "security": "tls",
        "username": "a@gmail.com",
        "timeout_s": "5",
    }
    page = owner.post("/settings/mail/system/oauth/google", form).text
    assert f'href="{tokens.url}/auth?' in page
