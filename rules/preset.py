"""The rules section of a preset: templates, the matrix, and a list of rules."""

from typing import Any

from sqlalchemy.orm import Session

from kanban.boards import find_status
from kanban.i18n import force_locale
from kanban.presets import Loaded
from rules import matrix
from rules.actions import recipient, send_email
from rules.cells import Column
from rules.models import Template
from rules.rules import RuleFields, add_rule


def load_rules(session: Session, loaded: Loaded, language: str) -> dict[str, Template]:
    """Makes what the section says. Returns the templates by key."""
    section = loaded.rules
    templates: dict[str, Template] = {}
    for position, (key, content) in enumerate(section.get("templates", {}).items()):
        subject = content.get("subject")
        templates[key] = Template(
            kind="letter" if subject else "short", name=content["name"][language], subject=subject[language] if subject else "",
            text=content["text"][language].strip(), position=position,
        )  # fmt: skip
    session.add_all(templates.values())
    session.flush()
    if section.get("matrix") == "answering":
        _fill_matrix(session, loaded, templates, language)
    for content in section.get("list", []):
        _add(session, content, loaded, templates, language)
    return templates


def _fill_matrix(session: Session, loaded: Loaded, templates: dict[str, Template], language: str) -> None:
    keys = {role.id: key for key, role in loaded.roles.items()}
    for made in loaded.statuses.values():
        status = find_status(session, made.id)
        cells: dict[Column, int] = {("role", role.id): templates[keys[role.id]].id for role in status.answering}
        with force_locale(language):
            matrix.write_row(session, status, cells)


def _add(session: Session, content: dict[str, Any], loaded: Loaded, templates: dict[str, Template], language: str) -> None:
    status = loaded.statuses[content["status"]].id if "status" in content else None
    fields = RuleFields(
        content["name"][language], loaded.boards[content["board"]].id, content["trigger"], status,
        {"all": [_criterion(one, loaded) for one in content.get("when", [])]}, _actions(content, loaded, templates),
        active=content.get("active", True),
    )  # fmt: skip
    add_rule(session, None, fields)


def _criterion(content: dict[str, Any], loaded: Loaded) -> dict[str, Any]:
    value = loaded.statuses[content["status"]].id if "status" in content else content.get("value")
    return {"field": content["field"], "op": content["op"], "value": value}


def _actions(content: dict[str, Any], loaded: Loaded, templates: dict[str, Template]) -> list[dict[str, Any]]:
    if "set_status" in content:
        return [{"do": "set_status", "status": loaded.statuses[content["set_status"]].id}]
    to = [recipient(kind) if kind not in loaded.roles else recipient("role", loaded.roles[kind].id) for kind in content["to"]]
    return [send_email(templates[content["template"]].id, to)]
