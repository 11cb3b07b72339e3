"""What an employee may not reach by a mail account, and how nobody reads a password back by it."""

from dataclasses import replace
from typing import Any

import pytest
import trustme
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from kanban.transactions import transaction
from rules.mail import oauth_client
from rules.mail.accounts import as_account
from rules.models import MailAccount
from rules.seal import seal, unseal
from rules.transports.account import Account
from tests.cast import Cast, Signed
from tests.mailserver import free_port
from tests.rules.test_hostile_servers import imap_server

LIMITS = {"per_hour": "0", "per_day": "0", "per_letter": "0"}


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


def sending(**changed: str) -> dict[str, str]:
    return {
        "address": "manager@melnikov.example",
        "password": "",
        "sender_name": "",
        "host": "mail.melnikov.example",
        "port": "465",
        "security": "tls",
        "username": "manager",
        "timeout_s": "1",
    } | changed


def receiving(**changed: str) -> dict[str, str]:
    return {"host": "mail.melnikov.example", "port": "993", "security": "tls", "username": "", "password": ""} | changed


def found(**changed: str) -> dict[str, str]:
    return {"found": "1", "receive_host": "mail.melnikov.example", "receive_port": "993", "receive_security": "tls"} | LIMITS | changed


def of_manager(cast: Cast, app: Flask, **values: Any) -> str:
    """The manager's own account, with a password; where an admin finds it."""
    with transaction() as session:
        session.add(
            MailAccount(
                **{
                    "kind": "person",
                    "person_id": cast.people["manager"],
                    "address": "manager@melnikov.example",
                    "host": "mail.melnikov.example",
                    "port": 465,
                    "security": "tls",
                    "username": "manager",
                    "sealed_password": seal("own-word", app.config["POTOK"].seal_key),
                    "timeout_s": 1,
                }
                | values
            )
        )
    return f"/settings/mail/person-{cast.people['manager']}"


def stored() -> MailAccount:
    db.session.rollback()
    return db.session.scalars(select(MailAccount)).one()


def password_of(app: Flask) -> str:
    return unseal(stored().sealed_password, app.config["POTOK"].seal_key)


def test_without_a_server_of_receiving_nothing_is_connected_to(owner: Signed, manager: Signed, cast: Cast, app: Flask) -> None:
    """An empty host would be this very machine, at any port."""
    of_manager(cast, app)
    with imap_server() as here:
        assert manager.post("/me/mail/receiving", receiving(host="", port=str(here.port), security="none")).status_code == 303
        message = {"email": "<potok.test.1@potok>"}
        assert manager.post("/me/mail/check/mailbox", message).status_code == 404
        assert owner.post(f"/settings/mail/person-{cast.people['manager']}/check/mailbox", message, htmx=True).status_code == 404
        assert here.given == 0


def test_what_was_found_is_held_to_the_ports_of_mail_too(manager: Signed, cast: Cast, app: Flask) -> None:
    of_manager(cast, app, receive_host="mail.melnikov.example")
    answer = manager.post("/me/mail/sending", sending() | found(receive_port="22"))
    assert answer.status_code == 422 and stored().receive_port == 993
    assert manager.post("/me/mail/sending", sending() | found()).status_code == 303


def test_without_encryption_another_port_is_another_server(owner: Signed, cast: Cast, app: Flask) -> None:
    settings = of_manager(cast, app, security="none", receive_host="mail.melnikov.example", receive_security="none")
    assert owner.post(f"{settings}/sending", sending(security="none", port="2525")).status_code == 422
    assert owner.post(f"{settings}/receiving", receiving(security="none", port="1143")).status_code == 422
    assert owner.post(f"{settings}/sending", sending(security="none") | found(receive_port="1143")).status_code == 422
    assert password_of(app) == "own-word"


def test_another_authority_is_trusted_only_with_the_password(owner: Signed, cast: Cast, app: Flask) -> None:
    settings = of_manager(cast, app)
    pem = trustme.CA().cert_pem.bytes().decode()
    answer = owner.post(f"{settings}/other", LIMITS | {"ca_pem": pem})
    assert answer.status_code == 422 and stored().ca_pem == ""
    assert owner.post(f"{settings}/other", LIMITS | {"ca_pem": pem, "password": "new-word"}).status_code == 303
    assert stored().ca_pem == pem.strip() and password_of(app) == "new-word"
    assert owner.post(f"{settings}/other", LIMITS | {"ca_pem": pem}).status_code == 303  # the same one
    assert owner.post(f"{settings}/other", LIMITS).status_code == 303  # none
    assert password_of(app) == "new-word"


@pytest.mark.parametrize("pem", ["-----BEGIN CERTIFICATE-----\nпривет", "\0", "-----BEGIN CERTIFICATE-----\n\0\n-----END CERTIFICATE-----"])
def test_a_certificate_that_is_none_is_refused_at_its_field(owner: Signed, cast: Cast, app: Flask, pem: str) -> None:
    settings = of_manager(cast, app, sealed_password="")
    assert owner.post(f"{settings}/other", LIMITS | {"ca_pem": pem}).status_code in (303, 422)
    assert stored().ca_pem == ""


def test_a_zero_in_a_certificate_harms_no_database(owner: Signed, cast: Cast, app: Flask) -> None:
    settings = of_manager(cast, app, sealed_password="")
    pem = trustme.CA().cert_pem.bytes().decode()
    assert owner.post(f"{settings}/other", LIMITS | {"ca_pem": pem + "\0"}).status_code == 303
    assert stored().ca_pem == pem.strip()


@pytest.mark.parametrize("word", ["a\r\nA1 DELETE INBOX", "a\0b", "a\x01b"])
def test_a_password_is_one_line(manager: Signed, cast: Cast, app: Flask, word: str) -> None:
    of_manager(cast, app)
    assert manager.post("/me/mail/sending", sending(password=word)).status_code == 422
    assert manager.post("/me/mail/receiving", receiving(password=word)).status_code == 422
    assert password_of(app) == "own-word"


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".ru", "й" * 60 + ".ru"])
def test_a_name_that_dns_does_not_know_is_refused_at_its_field(manager: Signed, cast: Cast, app: Flask, host: str) -> None:
    assert manager.post("/me/mail/sending", sending(host=host)).status_code == 422


@pytest.fixture
def google(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["POTOK"] = replace(app.config["POTOK"], oauth_google_id="id", oauth_google_secret="secret")
    monkeypatch.setattr(oauth_client, "finish", lambda *_: seal('{"access_token": "t"}', "seal"))


def state_of(answer: Any) -> str:
    return str(answer.headers["HX-Redirect"].partition("state=")[2].partition("&")[0])


def test_a_token_goes_to_its_services_servers_only(owner: Signed, manager: Signed, cast: Cast, app: Flask, google: None) -> None:
    """An admin could have written another server before the employee signs in, or while."""
    ours = sending(host="smtp.gmail.com", address="manager@gmail.com")
    assert manager.post("/me/mail/oauth/google", sending(), htmx=True).status_code == 422
    assert manager.post("/me/mail/oauth/google", ours | found(receive_host="imap.evil.example"), htmx=True).status_code == 422
    assert manager.post("/me/mail/oauth/google", ours | {"security": "none", "port": "25"}, htmx=True).status_code == 422
    begun = manager.post("/me/mail/oauth/google", ours | found(receive_host="imap.gmail.com"), htmx=True)
    settings = f"/settings/mail/person-{cast.people['manager']}"
    assert owner.post(f"{settings}/sending", sending(host="evil.example")).status_code == 303
    assert manager.get(f"/oauth/mail?state={state_of(begun)}&code=x").status_code == 302
    assert (stored().oauth, stored().sealed_token) == ("", "")
    begun = manager.post("/me/mail/oauth/google", ours, htmx=True)
    assert manager.get(f"/oauth/mail?state={state_of(begun)}&code=x").status_code == 302
    assert stored().oauth == "google"
    assert owner.post(f"{settings}/sending", sending(host="evil.example")).status_code == 422


def test_a_sign_in_that_somebody_else_began_in_this_browser_is_over(manager: Signed, cast: Cast, app: Flask, google: None) -> None:
    begun = manager.post("/me/mail/oauth/google", sending(host="smtp.gmail.com"), htmx=True)
    with manager.client.session_transaction() as cookie:
        assert cookie["mail_oauth"]["person"] == cast.people["manager"]
        cookie["mail_oauth"] = cookie["mail_oauth"] | {"person": cast.people["designer"]}
    assert manager.get(f"/oauth/mail?state={state_of(begun)}&code=x").status_code == 404


def test_a_renewed_token_takes_no_newer_ones_place(cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    key = app.config["POTOK"].seal_key
    of_manager(cast, app, oauth="google", sealed_password="", sealed_token=seal('{"refresh_token": "old"}', key))
    account: Account = as_account(stored(), app.config["POTOK"])
    db.session.rollback()

    def sign_in_meanwhile(_ask: object) -> dict[str, Any]:
        with transaction() as session:
            session.scalars(select(MailAccount)).one().sealed_token = seal('{"refresh_token": "new"}', key)
        return {"access_token": "t", "expires_in": 3600}

    monkeypatch.setattr(oauth_client, "_asked", sign_in_meanwhile)
    assert oauth_client.fresh(account, app.config["POTOK"]) == "t"
    assert unseal(stored().sealed_token, key) == '{"refresh_token": "new"}'


def test_the_environments_account_is_changed_by_nobody_here(owner: Signed, cast: Cast, app: Flask) -> None:
    app.config["POTOK"] = replace(app.config["POTOK"], smtp_host="127.0.0.1", smtp_port=free_port(), smtp_password="env-word")
    assert owner.get("/settings/mail/environment/sending").status_code == 200
    for part, values in (
        ("sending", sending()),
        ("receiving", receiving()),
        ("other", LIMITS),
        ("remove", {}),
        ("oauth/google", sending()),
    ):
        assert owner.post(f"/settings/mail/environment/{part}", values).status_code in (404, 422)
    assert (stored().kind, stored().host, stored().sealed_password) == ("environment", "127.0.0.1", "")
