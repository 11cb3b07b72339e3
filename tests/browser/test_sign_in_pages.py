"""Signing in, in a browser, in both languages: an invitation from the letter to the board, where one is signed in, the journal, the
password once more."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import faults
from tests.browser.board import until
from tests.browser.conftest import Site, Visits
from tests.browser.test_seed_case import text_of

WORDS = {
    "ru": {
        "add": "Сотрудник",
        "name": "ФИО",
        "save": "Добавить",
        "again": "ещё раз",
        "go": "Сохранить",
        "out": "Завершить вход",
        "journal": "Журнал безопасности",
        "ask": "Это вы?",
        "on": "Дальше",
    },
    "en": {
        "add": "Employee",
        "name": "Full name",
        "save": "Add",
        "again": "once more",
        "go": "Save",
        "out": "Sign out",
        "journal": "Security log",
        "ask": "Confirm it's you",
        "on": "Continue",
    },
}
NEW = "another-quiet-word-7"


def in_language(page: Page, site: Site, language: str) -> None:
    page.goto(site.url + "/me")
    page.locator(f"form[action='/me/language'] button[value={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_from_the_invitation_to_the_board(visit: Visits, site: Site, browser: Browser, language: str) -> None:
    words, admin = WORDS[language], visit("melnikov")
    in_language(admin, site, language)
    admin.goto(site.url + "/settings/people")
    admin.get_by_role("link", name=words["add"], exact=True).click()
    person = admin.locator("#person")
    person.locator("[name=name]").fill("Нина Новая")
    person.locator("[name=email]").fill("nina@melnikov.example")
    person.locator("select[name=language]").select_option(language)
    assert not faults(admin)
    person.get_by_role("button", name=words["save"], exact=True).click()
    admin.wait_for_url(re.compile("/settings/people/[0-9]+"))
    until(lambda: any("nina@" in str(one["To"]) for one in site.mail.mail))
    text = next(text_of(one) for one in site.mail.mail if "nina@" in str(one["To"]))
    link = re.search(r"/invitation/\S+", text)
    assert link, text
    context = browser.new_context(locale=f"{language}-RU", viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(site.url + link[0])
    page.locator("#password").fill("1234567890")
    page.locator("#again").fill("1234567890")
    page.get_by_role("button", name=words["go"], exact=True).click()
    expect(page.locator("#password-error-1")).to_be_visible()
    assert not faults(page)
    page.locator("#password").fill(NEW)
    page.locator("#again").fill(NEW)
    page.get_by_role("button", name=words["go"], exact=True).click()
    page.wait_for_url(re.compile("/boards/1"))
    page.goto(site.url + "/me")
    assert not faults(page)
    context.close()
    admin.goto(site.url + "/settings/journal")
    expect(admin.locator("h1")).to_have_text(words["journal"])
    expect(admin.locator("main tbody tr").first).to_contain_text("Нина Новая")
    assert not faults(admin)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_where_one_is_signed_in_and_the_password_once_more(visit: Visits, site: Site, language: str) -> None:
    words, here, elsewhere = WORDS[language], visit("melnikov"), visit("melnikov")
    in_language(here, site, language)
    places = here.locator("#places li")
    expect(places).to_have_count(2)
    with visit.allows("401 /live*", "failed /live*", "401 /bell*", "401 /fresh*"):
        places.get_by_role("button", name=re.compile(words["out"])).click()
        expect(places).to_have_count(1)
        elsewhere.goto(site.url + "/boards/1")
    expect(elsewhere).to_have_url(re.compile("/sign-in"))
    site.forget_confirmations()
    here.goto(site.url + "/settings/people/2")
    expect(here.locator("h1")).to_have_text(words["ask"])
    assert not faults(here)
    here.locator("#confirm_password").fill(site.people["melnikov"][1])
    here.get_by_role("button", name=words["on"]).click()
    expect(here).to_have_url(re.compile("/settings/people/2"))
    # a form that was open too long waits behind the question, and nothing that was typed is lost
    here.locator("#person [name=phone]").fill("+7 900 765-43-21")
    site.forget_confirmations()
    with visit.expects("403 /settings/people/2/change"):
        here.locator("#person .form-foot button").click()
        expect(here.locator("h1")).to_have_text(words["ask"])
    here.locator("#confirm_password").fill(site.people["melnikov"][1])
    here.get_by_role("button", name=words["on"]).click()
    expect(here.locator("#person [name=phone]")).to_have_value("+7 900 765-43-21")


def test_what_was_typed_outlives_a_sign_in_that_somebody_ends(visit: Visits, site: Site) -> None:
    page, admin = visit("belova"), visit("melnikov")
    page.goto(site.url + "/orders/1")
    page.locator("textarea[name=text]").first.fill("Позвонить по поводу фасадов")
    admin.goto(site.url + "/settings/people/2")
    with visit.allows("401 /live*", "failed /live*", "401 /bell*", "401 /fresh*", "401 /orders/1*"):
        admin.locator("form[action$='/sign-out'] button").first.click()
        expect(page).to_have_url(re.compile("/sign-in"), timeout=20_000)
        page.locator("#email").fill(site.people["belova"][0])
        page.locator("#password").fill(site.people["belova"][1])
        page.locator("form.stack button[type=submit]").click()
    expect(page).to_have_url(re.compile("/orders/1"))
    expect(page.locator("textarea[name=text]").first).to_have_value("Позвонить по поводу фасадов")
    page.reload()
    expect(page.locator("textarea[name=text]").first).to_have_value("")


def test_a_link_to_hand_over_is_copied(visit: Visits, site: Site) -> None:
    admin = visit("melnikov", permissions=["clipboard-read", "clipboard-write"])
    admin.goto(site.url + "/settings/people/2")
    admin.locator("#entry button[name=by]").nth(1).click()
    link = admin.locator("#link")
    expect(link).to_be_visible()
    admin.locator("[data-copies=link]").click()
    expect(admin.locator("[data-copies=link]")).to_have_text("Скопировано")
    assert admin.evaluate("navigator.clipboard.readText()") == link.input_value()
    assert not faults(admin)
