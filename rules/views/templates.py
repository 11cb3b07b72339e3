"""Settings → Message templates: list, editor, preview with a real order."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from kanban.db import db, table, transaction
from kanban.errors import Conflict, NotFound
from kanban.forms.fields import many_lines, one_line
from kanban.htmx import fragment
from kanban.i18n import _, force_locale
from kanban.ids import read_id
from kanban.models import Event, Order
from kanban.policy import require_admin
from kanban.settings import setting
from kanban.views.guard import admin_only, person
from rules import texts
from rules.models import Rule, RuleVersion, Template
from rules.post.sms import sms_length
from rules.running.letter_values import letter_values
from rules.stored import templates_in
from rules.texts import LETTER_FIELDS, Problem

bp = Blueprint("templates", __name__, url_prefix="/settings/templates")


@bp.get("")
@admin_only
def show() -> Any:
    rows = db.session.scalars(select(Template).order_by(Template.position, Template.id)).all()
    return render_template("message_templates/page.html", rows=rows, used=_used())


@bp.get("/new")
@admin_only
def new() -> Any:
    """?kind=short: a text for SMS, messengers and notices."""
    return _editor(Template(kind=_kind(request.args.get("kind")), name="", subject="", text="", skip_empty=True))


@bp.get("/<int:template_id>")
@admin_only
def edit(template_id: int) -> Any:
    return _editor(_find(template_id))


@bp.post("/save")
@admin_only
def save() -> Any:
    require_admin(person())
    template_id = read_id(request.form.get("template_id"))
    typed = _typed(_find(template_id).kind if template_id else _kind(request.form.get("kind")))
    problems = _check(typed)
    if not typed.name:
        problems.insert(0, Problem("name", 1, 1, _("Give the template a name.")))
    if problems:
        typed.id = template_id  # type: ignore[assignment]  # None while it is new
        return _editor(typed, problems, 422)
    with transaction() as session:
        template = session.get(Template, template_id) if template_id else Template(kind=typed.kind, position=_last_position(session) + 1)
        if template is None:
            raise NotFound(_("There is no such template."))
        template.name, template.subject, template.text, template.skip_empty = typed.name, typed.subject, typed.text, typed.skip_empty
        session.add(template)
    flash(_("Saved. Rules send the new text from now on."))
    return redirect(url_for("templates.edit", template_id=template.id), 303)


@bp.post("/preview")
@admin_only
def preview() -> Any:
    """The letter, or the short text with its length, as it would look for an order; redrawn as one types."""
    typed = _typed(_kind(request.form.get("kind")))
    return fragment(render_template("message_templates/_preview.html", template=typed, **_preview(typed, _check(typed))))


@bp.post("/<int:template_id>/remove")
@admin_only
def remove(template_id: int) -> Any:
    with transaction() as session:
        if _used().get(template_id):
            raise Conflict(_("Rules use this template, so it can't be removed."))
        template = session.get(Template, template_id)
        if template is None:
            raise NotFound(_("There is no such template."))
        session.delete(template)
    return redirect(url_for("templates.show"), 303)


def _kind(text: str | None) -> str:
    return "short" if text == "short" else "letter"


def _check(template: Template) -> list[Problem]:
    return texts.check(None if template.kind == "short" else template.subject, template.text)


def _typed(kind: str) -> Template:
    form = request.form
    subject = "" if kind == "short" else one_line(form.get("subject", "")) or ""
    return Template(
        kind=kind, name=(one_line(form.get("name", "")) or "")[:120], subject=subject, text=many_lines(form.get("text", "")) or "",
        skip_empty=form.get("skip_empty") == "1",
    )  # fmt: skip


def _find(template_id: int) -> Template:
    template = db.session.get(Template, template_id)
    if template is None:
        raise NotFound(_("There is no such template."))
    return template


def _last_position(session: Any) -> int:
    return session.scalar(select(func.max(Template.position))) or 0


def _used() -> dict[int, int]:
    """{template id: how many rules send it}"""
    counts: dict[int, int] = {}
    stored = select(table(RuleVersion).c.actions).join(table(Rule), table(Rule).c.version_id == table(RuleVersion).c.id)
    for (actions,) in db.session.connection().execute(stored):
        for id_ in templates_in(actions):  # also of a rule that can't be read: it may be mended
            counts[id_] = counts.get(id_, 0) + 1
    return counts


def _editor(template: Template, problems: list[Problem] | None = None, code: int = 200) -> Any:
    shown = _preview(template, problems if problems is not None else _check(template) if template.id else [])
    html = render_template(
        "message_templates/edit.html", template=template, problems=problems or [], used=_used().get(template.id or 0, 0),
        fields=LETTER_FIELDS, labels=_labels(), orders=_orders(), **shown,
    )  # fmt: skip
    return html, code


def _labels() -> dict[str, str]:
    """How an e-mail calls each field: in the firm's language, which need not be that of the page."""
    with force_locale(setting(db.session(), "language")):
        return {one.name: _(one.label) for one in LETTER_FIELDS}


def _orders() -> list[Order]:
    return list(db.session.scalars(select(Order).order_by(Order.id.desc()).limit(30).options(joinedload(Order.customer))))


def _preview(template: Template, problems: list[Problem]) -> dict[str, Any]:
    """values of every field for the example order, and the letter made of them, if it can be made."""
    session = db.session()
    order = session.scalar(
        select(Order)
        .where(Order.id == (read_id(request.values.get("order")) or _example_id()))
        .options(
            joinedload(Order.status), joinedload(Order.customer), joinedload(Order.organisation), joinedload(Order.responsible),
            joinedload(Order.author), selectinload(Order.people),
        )
    )  # fmt: skip
    if order is None:
        return {"example": None, "values": {}, "subject": "", "blocks": [], "plain": "", "length": None, "most_short": texts.MOST_SHORT}
    event = session.scalar(
        select(Event).where(Event.order_id == order.id, Event.kind.in_(("order.moved", "order.placed"))).order_by(Event.id.desc()).limit(1)
    )
    with force_locale(setting(session, "language")):
        values = letter_values(session, order, event)
    try:
        subject, plain = _rendered(template, values) if not problems else ("", "")
    except texts.TextError:
        subject = plain = ""
    return {
        "example": order, "event": event, "values": values, "subject": subject, "plain": plain, "blocks": texts.table_rows(plain),
        "length": sms_length(plain), "most_short": texts.MOST_SHORT, "company": setting(session, "company"),
    }  # fmt: skip


def _rendered(template: Template, values: dict[str, str]) -> tuple[str, str]:
    if template.kind == "short":
        return "", texts.render_short(template.text, values, template.skip_empty)
    return texts.render_subject(template.subject, values), texts.render_text(template.text, values, template.skip_empty)


def _example_id() -> int:
    return db.session.scalar(select(Order.id).order_by(Order.source_id.is_(None), Order.id.desc()).limit(1)) or 0
