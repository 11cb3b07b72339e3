"""What axe finds on a page as it stands: in light all it looks for, in dark and in forced colours what depends on colours."""

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe(f"if (!window.axe) {{ {AXE_SCRIPT} }}")  # reading it takes as long as a small page does
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
LOOKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "dark": ({"color_scheme": "dark", "forced_colors": "none"}, COLOURS),
    "forced colours": ({"color_scheme": "light", "forced_colors": "active"}, COLOURS),
    "light": ({"color_scheme": "light", "forced_colors": "none"}, ALL),
}
OPTIONS = {"resultTypes": ["violations"], "preload": False, "iframes": False, "selectors": False}  # what else there is takes time only
# Siblings that differ in their words only, as the rows of a log do: axe looks at two of them.
DROP_REPEATED = """() => {
  const state = /^aria-(pressed|current|selected|invalid|disabled|expanded)$/
  const looks = (name) => /^(class|style|type|role|hidden|open|data-(?!id$|url$|order$|card$).*)$/.test(name) || state.test(name)
  const shape = (one) => [
    one.localName, [...one.attributes].map(({ name, value }) => [name, looks(name) ? value : value.trim() !== ""]),
    [...one.childNodes].map((child) => child.nodeType === Node.ELEMENT_NODE ? shape(child) : child.textContent.trim() !== ""),
  ]
  for (const parent of document.querySelectorAll("main :is(tbody, ul, ol, .cards)")) {
    const seen = new Map()
    for (const child of [...parent.children]) {
      const key = JSON.stringify(shape(child))
      seen.set(key, (seen.get(key) ?? 0) + 1)
      if (seen.get(key) > 2) child.remove()
    }
  }
}"""


def faults(page: Page, looks: Iterable[str] = tuple(LOOKS)) -> list[str]:
    """What axe calls serious or critical, in words. The page needs reduced motion, so that no colour is on its way to another."""
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    found = []
    for look in looks:
        media, rules = LOOKS[look]
        page.emulate_media(**media)
        result = AXE.run(page, options=OPTIONS | {"runOnly": rules}).response
        found += [
            f"{look} {page.url.split('/', 3)[3]} {one['id']}: {one['nodes'][0]['html'][:160]}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    return found
