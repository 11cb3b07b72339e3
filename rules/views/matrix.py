"""Settings → Who is told: statuses × roles."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from kanban.db import db
from kanban.errors import NotFound
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import admin_only, person
from kanban.i18n import _
from kanban.ids import read_id
from kanban.models import Board, Status
from kanban.transactions import transaction
from rules.definition.actions import recipients_in
from rules.definition.cells import WHO, Column, column_of
from rules.definition.channels import Channel, TemplateKind
from rules.definition.content import RuleContent
from rules.definition.message_action import SendMessage
from rules.definition.recipients import Relation
from rules.editing import matrix
from rules.models import Rule
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.matrix import holders_of, matrix_rules, names_of_holders, rules_of_statuses, sent_by_status
from rules.queries.versions import fields_of
from rules.running.recipients import MOST_HOLDERS, load_everybody
from rules.trying.advice import already_words, sendings_of, template_name
from rules.trying.duplicates import Sending, already_told, load_samples

bp = Blueprint("matrix", __name__, url_prefix="/settings/told")


@dataclass(frozen=True)
class Cell:
    """template: id of the message where the cell is on; others: rules with criteria that tell this recipient too. twice: in
    words, who gets another message here already, and the rule that sends it."""

    status_id: int
    column: str
    template: int | None
    others: tuple[Rule, ...]
    twice: tuple[tuple[str, int], ...] = ()


Cells = dict[int, dict[str, Cell]]  # by status and column


class RuleRow(NamedTuple):
    """A rule that starts at a status, and what it says."""

    rule: Rule
    content: RuleContent


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    return render_template("matrix/page.html", **_values())


@bp.post("/<int:status_id>/<column>")
@admin_only
def set_cell(status_id: int, column: str) -> ResponseReturnValue:
    """template: the message's id; empty: switched off; `on`: with the message that fits the column best."""
    chosen = _column(column)
    raw = request.form.get("template", "")
    with transaction() as session:
        is_many = chosen.role_id is not None and holders_of(session, chosen.role_id) > MOST_HOLDERS
        template_id = _fitting(session, chosen) if raw == "on" else read_id(raw)
        is_open = raw == "on" and (template_id is None or is_many)  # the message has to be chosen first, and many confirmed
        if not is_open:
            matrix.set_cell(session, person(), status_id, chosen, template_id, everyone=is_many)
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
    """The cell with its messages to choose from."""
    status = values["lookup"].statuses.get(status_id)
    if status is None:
        raise NotFound(_("Status not found."))
    return render_template("matrix/_cell.html", cell=values["cells"][status_id][column], status=status, choosing=True, **values)


def _values() -> dict[str, Any]:
    """What the page's templates are given."""
    session = db.session()
    lookup = load_rule_lookup(session)
    columns = [*(f"role-{id_}" for id_ in lookup.roles), *WHO]
    rows = [RuleRow(rule, fields_of(rule).content) for rule in rules_of_statuses(session)]
    cells = {status_id: {column: _cell(status_id, column, rows) for column in columns} for status_id in lookup.statuses}
    _mark_twice(session, lookup, cells, rows)
    holders = names_of_holders(session)
    return {
        "lookup": lookup,
        "columns": columns,
        "cells": cells,
        "holders": {id_: holders.get(id_, []) for id_ in lookup.roles},
        "sent": sent_by_status(session),
        "marks": sum(cell.template is not None for row in cells.values() for cell in row.values()),
        "rule_count": sum(row.rule.in_matrix for row in rows),
        "groups": _groups(lookup),
        "most_holders": MOST_HOLDERS,
        "templates": lookup.templates_of(TemplateKind.EMAIL),
    }


def _cell(status_id: int, name: str, rows: Sequence[RuleRow]) -> Cell:
    column = _column(name)
    here = [row for row in rows if row.rule.status_id == status_id]
    own = next((row.rule for row in here if row.rule.in_matrix), None)
    others = tuple(row.rule for row in here if not row.rule.in_matrix and _tells(row.content, column))
    return Cell(status_id, name, matrix.live_cells(own).get(column), others)


def _tells(content: RuleContent, column: Column) -> bool:
    return column in map(column_of, recipients_in(content.actions))


def _mark_twice(session: Session, lookup: RuleLookup, cells: Cells, rows: Sequence[RuleRow]) -> None:
    """Cells whose readers get another message at the same move: as it is today, on the newest orders."""
    sent: dict[int, list[Sending]] = defaultdict(list)
    for rule, _content in rows:
        status = lookup.statuses.get(rule.status_id or 0)
        if status is not None:
            sent[status.id] += sendings_of(rule, status)
    rivals = {id_: sendings for id_, sendings in sent.items() if len({one.action.template_id for one in sendings}) > 1}
    if not rivals:
        return
    directory = load_everybody(session, recipients_in(one.action for sendings in rivals.values() for one in sendings))
    samples = load_samples(session, {lookup.statuses[id_].board_id for id_ in rivals})
    for id_, sendings in rivals.items():
        for name, cell in cells[id_].items():
            if cell.template is not None:
                action = SendMessage(Channel.EMAIL, cell.template, (_column(name).recipient(),))
                found = already_told(action, sendings, samples[lookup.statuses[id_].board_id], directory)
                words = ((already_words(one, template_name(lookup, one.template_id)), one.rule_id) for one in found)
                cells[id_][name] = replace(cell, twice=tuple(words))


def _groups(lookup: RuleLookup) -> list[tuple[Board, list[Status]]]:
    """Statuses in the order an order goes its way: a work board stands behind the status it comes after."""
    groups: list[tuple[Board, list[Status]]] = []
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


def _column(name: str) -> Column:
    """Raises NotFound."""
    if name in WHO:
        return Column(name)
    kind, _dash, number = name.partition("-")
    role_id = read_id(number)
    if kind != "role" or role_id is None:
        raise NotFound(_("Column not found."))
    return Column("role", role_id)


def _fitting(session: Session, column: Column) -> int | None:
    """The message this recipient gets elsewhere in the matrix; else the first there is. Customers never get a message that
    was written for staff unless someone chose it: None."""
    for rule in matrix_rules(session):
        template_id = matrix.live_cells(rule).get(column)
        if template_id:
            return template_id
    first = next((template.id for template in load_rule_lookup(session).templates_of(TemplateKind.EMAIL)), None)
    if first is None:
        raise NotFound(_("Create a message template first."))
    return None if column.kind == Relation.CUSTOMER else first
