"""The watch over the browser sees each kind of fault, also on pages a person went to later; what is named does not fail a test."""

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Site, Visits

FAULTS = {
    "console.error('something is wrong')": "something is wrong",
    "setTimeout(() => { throw new Error('thrown later') })": "page error: thrown later",
    "Promise.reject(new Error('nobody listens'))": "page error: nobody listens",
    "fetch('/nowhere')": "404 /nowhere",
    "fetch('/orders/1/move', { method: 'POST' })": "4?? /orders/*/move",
    "fetch('/live/since?last=broken')": "failed /live/since*",
    "htmx.ajax('GET', '/nowhere', { target: '#main', swap: 'none' })": "404 /nowhere",
    "htmx.ajax('GET', '/me', { target: '#nowhere' }).catch(() => {})": "htmx:targetError",
    "htmx.swap('#toasts', '<p id=nowhere hx-swap-oob=true></p>', { swapStyle: 'none' })": "htmx:oobErrorNoTarget nowhere",
    "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')": "CSP style-src-attr inline",
    "fetch('https://elsewhere.example/')": "CSP connect-src https://elsewhere.example/",
}


@pytest.fixture
def visits(browser: Browser, site: Site) -> Visits:
    return Visits(browser, site)


def test_each_kind_of_fault_is_seen(visits: Visits, site: Site) -> None:
    page = visits("melnikov")
    page.goto(site.url + "/boards/2")
    visits.watch.check()
    page.route("**/live/since*", lambda route: route.abort("connectionreset"))
    for script, fault in FAULTS.items():
        with visits.expects(fault):
            page.evaluate(f"() => {{ {script} }}")
        visits.watch.faults.clear()  # a browser says some of them twice
    page.context.close()


def test_what_nobody_named_fails_the_test_and_so_does_what_was_named_and_never_came(visits: Visits, site: Site) -> None:
    page = visits("melnikov")
    with visits.expects("404 /nowhere"):
        page.evaluate("() => fetch('/nowhere')")
    with visits.allows("404 /elsewhere"):
        pass
    visits.watch.check()
    page.goto(site.url + "/boards/2")
    page.evaluate("() => fetch('/nowhere')")
    with pytest.raises(AssertionError, match="404 /nowhere"):
        visits.watch.check()
    with pytest.raises(AssertionError, match=re.escape("did not come: ['409 *']")), visits.expects("409 *", wait_s=0.1):
        pass
    page.context.close()
