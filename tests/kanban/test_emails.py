"""Addresses: those of a firm's own mail server too; a refusal is in the reader's language."""

import pytest
from flask import Flask

from kanban.emails import clean_email
from kanban.errors import Invalid
from kanban.i18n import force_locale
from rules.worker import Worker
from tests.cast import PASSWORD, TOKEN, Cast, Signed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ivan@firma.local", "ivan@firma.local"),
        ("root@mailhost", "root@mailhost"),
        (" ivan@localhost ", "ivan@localhost"),
        ("Ivan@Mail.Firma.LOCAL", "Ivan@mail.firma.local"),
        ("иван@пример.рф", "иван@пример.рф"),
        ("a\u200b@b.ru\u00ad", "a@b.ru"),
    ],
)
def test_an_address_is_kept(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


REFUSED = {
    "иван": "нет знака @",
    "@b.ru": "до @",
    "a@": "после @",
    "a b@c.ru": "пробел",
    "a@b@c.ru": "«@»",
    "Иван<a@b.ru>": "«<»",
    "a..b@c.ru": "точк",
    "a@firma.local.": "точк",
    "a@-b.ru": "«-b.ru»",
    "a@x.test": "«x.test»",
    "a@[10.0.0.1]": "«[»",
    "a" * 250 + "@b.ru": "длинн",
}


@pytest.mark.one_database
def test_a_refusal_is_in_the_readers_language(app: Flask) -> None:
    for typed, reason in REFUSED.items():
        with force_locale("ru"), pytest.raises(Invalid) as refusal:
            clean_email(typed)
        assert reason in str(refusal.value.reason), typed
        assert "address" not in str(refusal.value.reason) and "sign" not in str(refusal.value.reason)


@pytest.mark.parametrize("address", ["ivan@firma.local", "ivan@mailhost"])
def test_an_employee_of_a_firm_with_its_own_mail_server_signs_in(app: Flask, cast: Cast, address: str) -> None:
    owner = Signed(app.test_client(), cast.email("owner"))
    person = {"name": "Иван", "email": address, "access": "staff", "language": "", "active": "y"}
    assert owner.post("/settings/people/add", person | {"entry": "password", "password": PASSWORD}).status_code == 303
    assert Signed(app.test_client(), address).get("/first-password").status_code == 200, "a typed password is changed first"
    client = app.test_client()
    token = TOKEN.search(client.get("/reset").text)[1]  # type: ignore[index]
    client.post("/reset", data={"email": address, "csrf_token": token})
    Worker(app).step()
    assert cast.messages(kind="reset")[0].address == address
    order = cast.place()
    change = {"customer_name": "Ли", "customer_email": address, "version": "1"}
    assert owner.post(f"/orders/{order.id}/change", change).status_code == 303
    assert owner.post(f"/orders/{order.id}/change", change | {"customer_email": "ли", "version": "2"}).text.count("нет знака @") == 1
