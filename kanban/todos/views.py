"""To-dos: on an order's page, and «My work»."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import todos
from kanban.db import db
from kanban.errors import Conflict, Invalid
from kanban.htmx import current_page, fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.http.kept import follows_feed
from kanban.ids import read_id
from kanban.models import TODO_KINDS, Todo
from kanban.policy import require_write
from kanban.queries.order import find_shown
from kanban.todos.forms import KIND_WORDS, read_todo, typed_todo
from kanban.todos.queries import my_work, team_of, todos_of_order
from kanban.transactions import Turn, transaction

bp = Blueprint("work", __name__)


@bp.get("/work")
@signed_in
@follows_feed
def show() -> ResponseReturnValue:
    return render_template("work/page.html", **_work())


@bp.get("/orders/<int:order_id>/todos")
@signed_in
def of_order(order_id: int) -> ResponseReturnValue:
    """The order's to-dos alone."""
    return fragment(_of_order(order_id))


@bp.post("/orders/<int:order_id>/todos/add")
@signed_in
def add(order_id: int) -> ResponseReturnValue:
    actor = person()
    require_write(actor)
    try:
        fields = read_todo(request.form)
        with transaction(Turn.SHARED) as session:
            todos.add(session, actor, order_id, fields, key=request.form.get("key", "")[:64])
    except Invalid as invalid:
        if is_htmx():
            raise
        return _form_page(order_id, None, dict(request.form), str(invalid.reason))
    return _answer(order_id)


@bp.get("/todos/<int:todo_id>/edit")
@signed_in
def edit(todo_id: int) -> ResponseReturnValue:
    require_write(person())
    todo = todos.find_todo(db.session(), todo_id)
    return _form_page(todo.order_id, todo, typed_todo(todo) | {"back": "work" if request.args.get("back") == "work" else ""})


@bp.post("/todos/<int:todo_id>/change")
@signed_in
def change(todo_id: int) -> ResponseReturnValue:
    actor = person()
    require_write(actor)
    version = read_id(request.form.get("version")) or 0
    try:
        fields = read_todo(request.form)
        with transaction(Turn.SHARED) as session:
            order_id = todos.change(session, actor, todo_id, fields, version=version).order_id
    except (Invalid, Conflict) as refused:
        todo = todos.find_todo(db.session(), todo_id)
        code = 409 if isinstance(refused, Conflict) else 422
        return _form_page(todo.order_id, todo, dict(request.form), str(refused.reason), code, version if code == 422 else None)
    return redirect(_back(order_id), 303)


@bp.post("/todos/<int:todo_id>/done")
@signed_in
def done(todo_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        order_id = todos.done(session, person(), todo_id).order_id
    return _answer(order_id)


@bp.post("/todos/<int:todo_id>/undone")
@signed_in
def undone(todo_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        order_id = todos.undone(session, person(), todo_id).order_id
    return _answer(order_id)


@bp.post("/todos/<int:todo_id>/remove")
@signed_in
def remove(todo_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        order_id = todos.remove(session, person(), todo_id)
    return redirect(_back(order_id), 303)


def _answer(order_id: int) -> ResponseReturnValue:
    """The part of the page that asked, drawn anew; without JavaScript back to that page."""
    if not is_htmx():
        return redirect(_back(order_id), 303)
    if current_page()[0] == url_for("work.show"):
        return fragment(render_template("work/_list.html", **_work(current_page()[1].get("kind", ""))))
    return fragment(_of_order(order_id))


def _back(order_id: int) -> str:
    if request.form.get("back") == "work":
        return url_for("work.show")
    return url_for("orders.show", order_id=order_id, _anchor="todos")


def _work(kind: str | None = None) -> dict[str, object]:
    kind = request.args.get("kind", "") if kind is None else kind
    return {"work": my_work(db.session(), person(), kind if kind in TODO_KINDS else ""), "kind_words": KIND_WORDS}


def _of_order(order_id: int) -> str:
    order = find_shown(db.session(), order_id)
    return render_template("work/_of_order.html", order=order, **order_values(order_id))


def order_values(order_id: int) -> dict[str, object]:
    """What the order's page shows of to-dos, and whom a comment may mention."""
    session = db.session()
    return {
        "todos": todos_of_order(session, person(), order_id),
        "team": team_of(session) if person().access != "viewer" else None,
        "kind_words": KIND_WORDS,
    }


def _form_page(
    order_id: int, todo: Todo | None, typed: dict[str, str], reason: str = "", code: int | None = None, version: int | None = None
) -> ResponseReturnValue:
    """The form with what was typed; on a conflict it carries the version as it is now, so that a second save is meant."""
    order = find_shown(db.session(), order_id)
    version = version or (todo.version if todo else None)
    page = render_template(
        "work/edit.html",
        order=order,
        todo=todo,
        typed=typed,
        reason=reason,
        version=version,
        team=team_of(db.session(), todo.person_id if todo else None),
        kind_words=KIND_WORDS,
    )
    return page, code or (422 if reason else 200)
