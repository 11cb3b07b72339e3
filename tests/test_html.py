"""What tests make of HTML."""

import pytest

from tests.html import flat


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<b>a</b>\n  <i>b</i>", "<b>a</b> <i>b</i>"),
        ("<b>a</b><i>b</i>", "<b>a</b><i>b</i>"),
        ("<span>5</span>\n   orders", "<span>5</span> orders"),
        ("<ul>\n  <li>\n    <a\n      href='x'>a</a>\n  </li>\n</ul>\n", "<ul><li><a href='x'>a</a></li></ul>"),
        ("<p>a  b</p>", "<p>a  b</p>"),
        ("<textarea>one\n\n   two</textarea>", "<textarea>one\n\n   two</textarea>"),
    ],
)
def test_white_space_that_shows_stays(html: str, expected: str) -> None:
    assert flat(html) == expected
