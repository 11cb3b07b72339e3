"""Settings → Message templates: list, editor, preview with a real order."""

from typing import TypedDict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.facts import read_facts
from kanban.forms.fields import many_lines, one_line
from kanban.htmx import fragment
from kanban.http.guard import admin_only, person
from kanban.i18n import _, force_locale
from kanban.ids import read_id
from kanban.models import Event, Order
from kanban.settings import setting
from kanban.transactions import transaction
from rules.definition import texts
from rules.definition.channels import TemplateKind
from rules.definition.texts import TEMPLATE_FIELDS, Block, Problem
from rules.editing.templates import remove_template, save_template
from rules.models import Template
from rules.queries.templates import all_templates, example_order, example_orders, find_template, last_move, template_usage
from rules.running.template_values import template_values
from rules.transports.sms_length import SmsLength, sms_length

bp = Blueprint("templates", __name__, url_prefix="/settings/templates")


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    session = db.session()
    return render_template("message_templates/page.html", rows=all_templates(session), used=template_usage(session))


@bp.get("/new")
@admin_only
def new() -> ResponseReturnValue:
    """?kind=short: a text for SMS, messengers and notices."""
    return _editor(Template(kind=_kind(request.args.get("kind")), name="", subject="", text="", skip_empty=True))


@bp.get("/<int:template_id>")
@admin_only
def edit(template_id: int) -> ResponseReturnValue:
    return _editor(find_template(db.session(), template_id))


@bp.post("/save")
@admin_only
def save() -> ResponseReturnValue:
    template_id = read_id(request.form.get("template_id"))
    stored = find_template(db.session(), template_id) if template_id else None
    typed = _typed(TemplateKind(stored.kind) if stored else _kind(request.form.get("kind")))
    problems = _check(typed)
    if not typed.name:
        problems.insert(0, Problem("name", 1, 1, _("Enter a name for the template.")))
    if problems:
        typed.id = template_id  # type: ignore[assignment]  # None while it is new
        return _editor(typed, problems, 422)
    with transaction() as session:
        template = save_template(session, person(), template_id, typed)
    flash(_("Saved. Rules now send the new text."))
    return redirect(url_for("templates.edit", template_id=template.id), 303)


@bp.post("/preview")
@admin_only
def preview() -> ResponseReturnValue:
    """The message, or the short text with its length, as it would look for an order; redrawn as one types."""
    typed = _typed(_kind(request.form.get("kind")))
    return fragment(render_template("message_templates/_preview.html", template=typed, **_preview(typed, _check(typed))))


@bp.post("/<int:template_id>/remove")
@admin_only
def remove(template_id: int) -> ResponseReturnValue:
    with transaction() as session:
        remove_template(session, person(), template_id)
    return redirect(url_for("templates.show"), 303)


def _kind(text: str | None) -> TemplateKind:
    return TemplateKind.SHORT if text == "short" else TemplateKind.EMAIL


def _check(template: Template) -> list[Problem]:
    return texts.check(None if template.kind == TemplateKind.SHORT else template.subject, template.text)


def _typed(kind: TemplateKind) -> Template:
    form = request.form
    subject = "" if kind is TemplateKind.SHORT else one_line(form.get("subject", "")) or ""
    return Template(
        kind=kind.value,
        name=(one_line(form.get("name", "")) or "")[:120],
        subject=subject,
        text=many_lines(form.get("text", "")) or "",
        skip_empty=form.get("skip_empty") == "1",
    )


def _editor(template: Template, problems: list[Problem] | None = None, code: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown = _preview(template, problems if problems is not None else _check(template) if template.id else [])
    html = render_template(
        "message_templates/edit.html",
        template=template,
        problems=problems or [],
        used=template_usage(session)[template.id or 0],
        fields=TEMPLATE_FIELDS,
        labels=_labels(),
        orders=example_orders(session),
        **shown,
    )
    return html, code


def _labels() -> dict[str, str]:
    """How an e-mail calls each field: in the firm's language, which need not be that of the page."""
    with force_locale(setting(db.session(), "language")):
        return {field.name: _(field.label) for field in TEMPLATE_FIELDS}


class Preview(TypedDict):
    """values of every field for the example order, and the message made of them, if it can be made."""

    example: Order | None
    event: Event | None
    values: dict[str, str]
    subject: str
    plain: str
    blocks: list[Block]
    length: SmsLength | None
    most_short: int
    company: str


def _preview(template: Template, problems: list[Problem]) -> Preview:
    session = db.session()
    order = example_order(session, read_id(request.values.get("order")))
    event = last_move(session, order.id) if order else None
    values: dict[str, str] = {}
    subject = plain = ""
    if order is not None:
        with force_locale(setting(session, "language")):
            values = template_values(session, order, event, read_facts(event.facts if event else None))
        subject, plain = _rendered(template, values) if not problems else ("", "")
    return Preview(
        example=order,
        event=event,
        values=values,
        subject=subject,
        plain=plain,
        blocks=texts.blocks_of(plain),
        length=sms_length(plain) if order else None,
        most_short=texts.MOST_SHORT,
        company=setting(session, "company"),
    )


def _rendered(template: Template, values: dict[str, str]) -> tuple[str, str]:
    """(subject, text); empty where they can't be made of this order."""
    try:
        if template.kind == TemplateKind.SHORT:
            return "", texts.render_short(template.text, values, template.skip_empty)
        return texts.render_subject(template.subject, values), texts.render_text(template.text, values, template.skip_empty)
    except texts.TextError:
        return "", ""
