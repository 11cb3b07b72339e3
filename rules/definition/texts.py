"""Message templates: the fields a template may name, and Liquid held to what can do no harm.

Templates are data. Only allow-listed tags and filters pass; every value is a plain text; sizes are bounded at save.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TextIO

from liquid import BoundTemplate, Environment, RenderContext, StrictUndefined
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidError
from liquid.span import Span

from kanban.fields import BUILT_IN, Catalogue
from kanban.translation import N_, _

TAGS = ("if", "unless", "comment")
FILTERS = ("default", "upcase", "downcase", "capitalize", "strip")
MOST_SUBJECT = 400
MOST_TEXT = 20_000
MOST_SHORT = 1000  # what SMSC.ru takes; fifteen SMS in Russian
MOST_NODES = 500
MOST_INSIDE = 300  # characters between {{ and }}
_OPEN = re.compile(r"\{\{|\{%")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

# Around each value in a rendered text, and for a line break within one: noncharacters, which no text of ours may hold (Unicode, 23.7).
_BEGIN, _END, _BREAK = "\ufdd0", "\ufdd1", "\ufdd2"
_VALUE = re.compile(f"{_BEGIN}([^{_END}]*){_END}")


@dataclass(frozen=True)
class TemplateField:
    """A field of the list beside the composer: {{ order.<name> }}."""

    name: str
    label: str
    group: str


# Columns of the order are taken from the catalogue; these are made from more than a column. In the order of the list.
_LISTED = (
    TemplateField("number", N_("Number"), N_("Order")),
    "title",
    TemplateField("status", N_("Status"), N_("Order")),
    TemplateField("status_before", N_("Status before"), N_("Order")),
    TemplateField("organisation", N_("Organisation"), N_("Order")),
    TemplateField("tags", N_("Tags"), N_("Order")),
    "description",
    "total",
    "paid",
    TemplateField("paid_share", N_("Percentage paid"), N_("Money")),
    TemplateField("balance", N_("Balance due"), N_("Money")),
    "order_on",
    "ship_on",
    "installation_on",
    TemplateField("customer", N_("Customer"), N_("Customer")),
    TemplateField("phone", N_("Phone"), N_("Customer")),
    TemplateField("email", N_("E-mail"), N_("Customer")),
    TemplateField("address", N_("Installation address"), N_("Customer")),
    TemplateField("responsible", N_("Responsible person"), N_("People")),
    TemplateField("author", N_("Author"), N_("People")),
    TemplateField("people", N_("People by role"), N_("People")),
    TemplateField("moved_by", N_("Who did it"), N_("People")),
    TemplateField("moved_at", N_("When"), N_("People")),
    TemplateField("production_number", N_("Production order's number"), N_("Production")),
    TemplateField("production_status", N_("Production order's status"), N_("Production")),
)


def template_fields(catalogue: Catalogue) -> tuple[TemplateField, ...]:
    """What a template may name, by groups: the columns that are in no list of ours stand at the end of their group."""
    columns = {one.name: TemplateField(one.name, one.label, one.email_group) for one in catalogue.columns if one.email_group}
    listed = [columns.pop(one) if isinstance(one, str) else one for one in _LISTED if not isinstance(one, str) or one in columns]
    groups = list(dict.fromkeys(one.group for one in [*listed, *columns.values()]))
    return tuple(one for group in groups for one in [*listed, *columns.values()] if one.group == group)


TEMPLATE_FIELDS = template_fields(BUILT_IN)
NAMES = frozenset(field.name for field in TEMPLATE_FIELDS)


@dataclass(frozen=True)
class Problem:
    """Why a template can't be saved. line and column count from 1, in `part` (subject or text)."""

    part: str
    line: int
    column: int
    message: str


class TextError(Exception):
    """A template that could not be rendered."""


class _MarkedNode(OutputNode):
    """A field that marks where its value begins and ends."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(_BEGIN) + super().render_to_output(context, buffer) + buffer.write(_END)


class _MarkedOutput(Output):
    node_class = _MarkedNode


def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined)
    environment.add_tag(_MarkedOutput)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in (*TAGS, "content", "output", "illegal", "#")}
    environment.filters = {name: make for name, make in environment.filters.items() if name in FILTERS}
    return environment


_liquid = _environment()


@lru_cache(maxsize=500)
def _parsed(source: str) -> BoundTemplate:
    return _liquid.from_string(source)


def render(source: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in. Raises TextError."""
    return _unmarked(_rendered(source, values))


def _rendered(source: str, values: Mapping[str, str]) -> str:
    """The text with marks around its values; what is typed holds none."""
    plain = {name: _unmarked(value) for name, value in values.items()}
    try:
        return _parsed(_unmarked(source)).render(order=plain)
    except LiquidError as error:
        raise TextError(str(error)) from error


def _unmarked(text: str) -> str:
    return text.replace(_BEGIN, "").replace(_END, "").replace(_BREAK, "")


def render_text(source: str, values: Mapping[str, str], skip_empty: bool) -> str:
    """The text; with skip_empty, lines of the template whose fields all came out empty are left out. Lines of a value stay."""
    text = _rendered(source, values).replace("\r\n", "\n").replace("\r", "\n")
    if skip_empty:
        lines = _VALUE.sub(lambda value: value[0].replace("\n", _BREAK), text).split("\n")
        text = "\n".join(line.replace(_BREAK, "\n") for line in lines if not _is_empty(line))
    return _unmarked(text).strip()


def _is_empty(line: str) -> bool:
    """Whether a line of a template has fields, and none of them says anything."""
    values = _VALUE.findall(line)
    return bool(values) and not any(value.replace(_BREAK, "").strip() for value in values)


def render_short(source: str, values: Mapping[str, str], skip_empty: bool) -> str:
    """The text of an SMS, a messenger or a notice, cut where it grew too long. Raises TextError where nothing is left."""
    text = render_text(source, values, skip_empty)
    if not text:
        raise TextError("the text is empty for this order")
    return text if len(text) <= MOST_SHORT else text[: MOST_SHORT - 1] + "…"


def head_of(text: str) -> str:
    """What the log calls a text that has no subject: its first line."""
    return text.splitlines()[0].strip()[:120]


def render_subject(source: str, values: Mapping[str, str]) -> str:
    """One line, whatever the fields hold, so that nothing typed into an order becomes a header."""
    return " ".join(render(source, values).split())[:MOST_SUBJECT]


def check(subject: str | None, text: str) -> list[Problem]:
    """What stands against saving this template; empty where nothing does. subject: None where there is none."""
    problems = []
    message = (("subject", subject or "", MOST_SUBJECT), ("text", text, MOST_TEXT))
    for part, source, most in message if subject is not None else (("text", text, MOST_SHORT),):
        if not source.strip():
            problems.append(Problem(part, 1, 1, _("This can't be empty.")))
        elif len(source) > most:
            problems.append(Problem(part, 1, 1, _("This is too long: at most %(most)s characters.", most=most)))
        else:
            problems.extend(_problems(part, source))
    return problems


def _problems(part: str, source: str) -> list[Problem]:
    too_much = _too_much(source)
    if too_much is not None:
        return [Problem(part, *_place(source, too_much), _("This is too complex for a message. Use only fields and simple conditions."))]
    try:
        analysis = _liquid.from_string(source).analyze()
    except LiquidError as error:
        index = getattr(error.token, "start_index", -1) if error.token else -1
        return [Problem(part, *_place(source, index if index >= 0 else _first_open(source)), _sentence(error))]
    found = [Problem(part, *_place(source, span.index), _no_filter()) for span in _others(analysis.filters, FILTERS)]
    found += [Problem(part, *_place(source, span.index), _no_tag()) for span in _others(analysis.tags, TAGS)]
    for spans in analysis.variables.values():
        for variable in spans:
            path = ".".join(str(segment) for segment in variable.segments)
            if len(variable.segments) != 2 or variable.segments[0] != "order" or str(variable.segments[1]) not in NAMES:
                found.append(Problem(part, *_place(source, variable.span.index), _unknown(path)))
    if sum(len(spans) for spans in analysis.variables.values()) > MOST_NODES:
        found.append(Problem(part, 1, 1, _("This text has too many fields.")))
    ranged = _range(source) if not found else None
    if ranged is not None:
        found = [Problem(part, *_place(source, ranged), _("Number ranges can't be used here."))]
    if not found:
        found = _trial(part, source)
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def _insides(source: str) -> Iterator[tuple[int, str, bool]]:
    """(place, inside, whether it ends in time) of every {{ … }} and {% … %}; the text after one without an end is its inside."""
    at = _OPEN.search(source)
    while at is not None:
        end = source.find("}}" if at.group() == "{{" else "%}", at.end(), at.end() + MOST_INSIDE)
        yield at.start(), source[at.end() : end if end >= 0 else at.end() + MOST_INSIDE], end >= 0
        at = _OPEN.search(source, end + 2) if end >= 0 else None


def _too_much(source: str) -> int | None:
    """Where the source asks for what costs too much even to read: endless openings, long insides."""
    for count, (place, inside, ends) in enumerate(_insides(source)):
        if count >= MOST_NODES or "{{" in inside or (not ends and len(inside) >= MOST_INSIDE):
            return place
    return None


def _range(source: str) -> int | None:
    """Where (1..9) stands: it would be counted out, however long it is."""
    return next((place for place, inside, _ends in _insides(source) if ".." in _QUOTED.sub("", inside)), None)


def _trial(part: str, source: str) -> list[Problem]:
    """Filled with sample values once, so that what can't be rendered is told to its author and not to the log."""
    try:
        render(source, dict.fromkeys(NAMES, "1"))
        render(source, dict.fromkeys(NAMES, ""))
    except TextError as error:
        return [Problem(part, *_place(source, _first_open(source)), _("This is not a valid template: %(what)s.", what=str(error)))]
    return []


def _others(used: Mapping[str, list[Span]], allowed: tuple[str, ...]) -> list[Span]:
    return [span for name, spans in used.items() if name not in allowed for span in spans]


def _no_tag() -> str:
    return _("This tag can't be used here. Available tags: %(tags)s.", tags=", ".join(TAGS))


def _no_filter() -> str:
    return _("This filter can't be used here. Available filters: %(filters)s.", filters=", ".join(FILTERS))


def _unknown(path: str) -> str:
    near = nearest(path)
    if near is None:
        return _("The field %(field)s does not exist.", field=path)
    return _("The field %(field)s does not exist. Did you mean %(near)s?", field=path, near=f"order.{near.name}")


def nearest(path: str) -> TemplateField | None:
    """The field that was probably meant."""
    close = difflib.get_close_matches(path.rsplit(".", maxsplit=1)[-1], list(NAMES), n=1, cutoff=0.5)
    return next((field for field in TEMPLATE_FIELDS if close and field.name == close[0]), None)


def _sentence(error: LiquidError) -> str:
    text = str(error.args[0]) if error.args else ""
    if "unexpected tag" in text or "unknown tag" in text:
        return _no_tag()
    if "unknown filter" in text:
        return _no_filter()
    return _("This is not a valid template: %(what)s.", what=text)


def _first_open(source: str) -> int:
    return max(0, min((at for at in (source.find("{{"), source.find("{%")) if at >= 0), default=0))


def _place(source: str, index: int) -> tuple[int, int]:
    before = source[: max(0, index)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


_TAG, _FIELD = re.compile(r"\{%[^%]*%\}"), re.compile(r"\{\{\s*order\.([a-z_]+)[^}]*\}\}")


def readable(source: str) -> str:
    """A template as people read it in a sentence: fields by their names in brackets, and no tags."""
    labels = {field.name: _(field.label).lower() for field in TEMPLATE_FIELDS}
    return _FIELD.sub(lambda found: f"[{labels.get(found[1], found[1])}]", _TAG.sub("", source))


Block = tuple[str, Sequence[object]]


def blocks_of(text: str) -> list[Block]:
    """The text as blocks for the HTML frame: ("table", [(name, value), …]) and ("text", lines of a paragraph)."""
    blocks: list[tuple[str, list[tuple[str, str]], list[str]]] = []
    for line in text.splitlines():
        name, colon, value = line.partition(": ")
        if colon and value.strip() and 0 < len(name) <= 40 and "." not in name:
            if not blocks or blocks[-1][0] != "table":
                blocks.append(("table", [], []))
            blocks[-1][1].append((name.strip(), value.strip()))
        elif line.strip():
            if blocks and blocks[-1][0] == "text" and blocks[-1][2][-1] != "":
                blocks[-1][2].append(line)
            else:
                blocks.append(("text", [], [line]))
        elif blocks and blocks[-1][0] == "text":
            blocks[-1][2].append("")
    return [(kind, [line for line in lines if line != ""] if kind == "text" else rows) for kind, rows, lines in blocks]
