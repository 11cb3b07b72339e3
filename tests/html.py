"""HTML as tests compare it."""

import re

_TAG = re.compile(r"""<[a-zA-Z/](?:[^<>"']|"[^"]*"|'[^']*')*>""")
_KEPT = re.compile(r"<(textarea|pre)\b.*?</\1>", re.S)
_BLOCKS = (
    "p|div|main|header|footer|nav|section|article|aside|ul|ol|li|dl|dt|dd|table|caption|thead|tbody|tfoot|tr|td|th|form|fieldset|legend"
    "|details|summary|select|optgroup|option|h[1-6]|br|hr|html|head|body|meta|link|title|script|template|input"
)
_BESIDE_BLOCK = re.compile(rf""" ?(</?(?:{_BLOCKS})\b(?:[^<>"']|"[^"]*"|'[^']*')*>) ?""")


def flat(html: str) -> str:
    """Without the lines of its template: white space is one blank, and none where a block begins or ends. textarea and pre are kept."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"<kept {len(kept) - 1}>"

    html = _TAG.sub(lambda tag: re.sub(r"\s*\n\s*", " ", tag[0]), _KEPT.sub(keep, html))
    html = re.sub(r"\s*\n\s*| {3,}", " ", html)  # a line that begins after a block of Jinja has lost its newline
    html = _BESIDE_BLOCK.sub(r"\1", html)
    return re.sub(r"<kept (\d+)>", lambda place: kept[int(place[1])], html)
