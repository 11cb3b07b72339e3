"""Settings → Who is told: statuses × roles."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.db import db, transaction
from kanban.errors import NotFound
from kanban.htmx import fragment, is_htmx
from kanban.i18n import _
from kanban.ids import read_id
from kanban.models import Person, Role, Status
from kanban.views.guard import admin_only, person
from rules import matrix
from rules.actions import recipient, recipients_of, send_email, sends
from rules.cells import WHO, Column
from rules.lookup import Lookup, load_lookup
from rules.models import Message, Rule
from rules.running.recipients import MOST_HOLDERS, load_everybody
from rules.trying.advice import already_words, template_name
from rules.trying.twice import Sending, already_told, holds_in, load_samples

bp = Blueprint("matrix", __name__, url_prefix="/settings/told")


@dataclass(frozen=True)
class Cell:
    """template: id of the letter where the cell is on; others: rules with criteria that tell this recipient too. twice: in
    words, who gets another letter here already, and the rule that sends it."""

    status_id: int
    column: str
    template: int | None
    others: tuple[Rule, ...]
    twice: tuple[tuple[str, int], ...] = ()


@bp.get("")
@admin_only
def show() -> Any:
    return render_template("matrix/page.html", **_values())


@bp.post("/<int:status_id>/<column>")
@admin_only
def set_cell(status_id: int, column: str) -> Any:
    """template: the letter's id; empty: switched off; `on`: with the letter that fits the column best."""
    key = _column(column)
    raw = request.form.get("template", "")
    with transaction() as session:
        is_many = key[0] == "role" and holders_of(session, key[1] or 0) > MOST_HOLDERS
        template = _fitting(session, key) if raw == "on" else read_id(raw)
        is_open = raw == "on" and (template is None or is_many)  # the letter has to be chosen first, and many confirmed
        if not is_open:
            matrix.set_cell(session, person(), status_id, key, template, many=is_many)
    if not is_htmx():
        return redirect(url_for("matrix.show", choose=f"{status_id}-{column}" if is_open else None), 303)
    values = _values()
    if is_open:
        return fragment(_cell_html(values, status_id, column))
    status = values["lookup"].statuses[status_id]
    return fragment(
        render_template("matrix/_changed.html", status=status, cell=values["cells"][status_id][column], column=column, **values)
    )


def _cell_html(values: dict[str, Any], status_id: int, column: str) -> str:
    """The cell with its letters to choose from."""
    status = values["lookup"].statuses.get(status_id)
    if status is None:
        raise NotFound(_("There is no such status."))
    cell = values["cells"][status_id][column]
    return render_template("matrix/_cell.html", cell=cell, status=status, lookup=values["lookup"], choosing=True, holders=values["holders"],
                           most_holders=MOST_HOLDERS)  # fmt: skip


def _values() -> dict[str, Any]:
    session = db.session()
    lookup = load_lookup(session)
    columns = [f"role-{id_}" for id_ in lookup.roles] + list(WHO)
    rules = session.scalars(
        select(Rule)
        .where(Rule.trigger_key.startswith("entered:"), Rule.active, ~Rule.log_only)
        .options(joinedload(Rule.version))
        .order_by(Rule.id)
    ).all()
    cells = {status.id: {column: _cell(status, column, rules) for column in columns} for status in lookup.statuses.values()}
    _mark_twice(session, lookup, cells, rules)
    rows = [cell for row in cells.values() for cell in row.values()]
    return {
        "lookup": lookup, "columns": columns, "cells": cells, "holders": _holders(lookup), "sent": _sent(),
        "marks": sum(cell.template is not None for cell in rows), "rule_count": sum(rule.in_matrix for rule in rules),
        "groups": _groups(lookup), "who": WHO, "most_holders": MOST_HOLDERS,
    }  # fmt: skip


def _cell(status: Status, column: str, rules: Any) -> Cell:
    key = _column(column)
    own = next((rule for rule in rules if rule.in_matrix and rule.status_id == status.id), None)
    template = matrix.live_cells(own).get(key)
    others = tuple(
        rule for rule in rules
        if not rule.in_matrix and rule.status_id == status.id
        and key in [(one["kind"], one.get("id")) for one in recipients_of(rule.version.actions)]
    )  # fmt: skip
    return Cell(status.id, column, template, others)


def _mark_twice(session: Session, lookup: Lookup, cells: dict[int, dict[str, Cell]], rules: Sequence[Rule]) -> None:
    """Cells whose readers get another letter at the same move: as it is today, on the newest orders."""
    at: dict[int, list[Sending]] = defaultdict(list)
    for rule in rules:
        status = lookup.statuses.get(rule.status_id or 0)
        for action in sends(rule.version.actions):
            if status is not None and "after" not in action:
                at[status.id].append(Sending(rule.id, rule.name, action, holds_in(status, rule.version.criteria)))
    at = {id_: sent for id_, sent in at.items() if len({one.action["template"] for one in sent}) > 1}
    if not at:
        return
    directory = load_everybody(session, recipients_of(one.action for sent in at.values() for one in sent))
    samples = load_samples(session, {lookup.statuses[id_].board_id for id_ in at})
    for id_, sent in at.items():
        for column, cell in cells[id_].items():
            if cell.template is not None:
                action = send_email(cell.template, [recipient(*_column(column))])
                found = already_told(action, sent, samples[lookup.statuses[id_].board_id], directory)
                words = ((already_words(one, template_name(lookup, one.template)), one.rule_id) for one in found)
                cells[id_][column] = replace(cell, twice=tuple(words))


def _groups(lookup: Lookup) -> list[tuple[Any, list[Status]]]:
    """Statuses in the order an order goes its way: a work board stands behind the status it comes after."""
    groups: list[tuple[Any, list[Status]]] = []
    placed: set[int] = set()
    for board in lookup.boards.values():
        if board.id in placed:
            continue
        placed.add(board.id)
        part: list[Status] = []
        for status in lookup.statuses_of(board.id):
            part.append(status)
            for work in lookup.boards.values():
                if work.way_after_id == status.id and work.id not in placed:
                    groups += [(board, part), (work, lookup.statuses_of(work.id))]
                    placed.add(work.id)
                    part = []
        if part:
            groups.append((board, part))
    return groups


def holders_of(session: Session, role_id: int) -> int:
    """How many people who work here hold a role."""
    return session.scalar(select(func.count()).select_from(Role).join(Person.held_roles).where(Person.active, Role.id == role_id)) or 0


def _holders(lookup: Lookup) -> dict[int, list[str]]:
    """Names of those who work here and hold each role."""
    found: dict[int, list[str]] = {id_: [] for id_ in lookup.roles}
    for role_id, name in db.session.execute(select(Role.id, Person.name).select_from(Person).join(Person.held_roles)
                                            .where(Person.active).order_by(Person.name, Person.id)):  # fmt: skip
        found[role_id].append(name)
    return found


def _sent() -> dict[int, int]:
    """Letters of the last 30 days by the status they tell of."""
    rows = db.session.execute(
        select(Rule.status_id, func.count(Message.id))
        .join(Message, Message.rule_id == Rule.id)
        .where(Message.created_at > clock.now() - timedelta(days=30), Message.state != "cancelled", Rule.status_id.is_not(None))
        .group_by(Rule.status_id)
    )
    counts: dict[int, int] = defaultdict(int)
    for status_id, count in rows:
        counts[status_id or 0] += count
    return counts


def _column(column: str) -> Column:
    if column in WHO:
        return (column, None)
    kind, _dash, number = column.partition("-")
    role_id = read_id(number)
    if kind != "role" or role_id is None:
        raise NotFound(_("There is no such column."))
    return ("role", role_id)


def _fitting(session: Any, key: Column) -> int | None:
    """The letter this recipient gets elsewhere in the matrix; else the first there is. Customers never get a letter that
    was written for staff unless someone chose it: None."""
    rules = session.scalars(select(Rule).where(Rule.in_matrix, Rule.active).options(joinedload(Rule.version)).order_by(Rule.id))
    for rule in rules:
        template = matrix.live_cells(rule).get(key)
        if template:
            return template
    first = next((template.id for template in load_lookup(session).templates_of("letter")), None)
    if first is None:
        raise NotFound(_("Write a message template first."))
    return None if key == ("customer", None) else first
