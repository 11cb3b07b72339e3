"""Checks that several actions share."""

from kanban.errors import Invalid
from rules.definition import texts

MOST_DAYS = 3650


def require_template(text: str) -> None:
    """Raises Invalid where it is no template that can be rendered."""
    problems = texts.check(None, text)
    if problems:
        raise Invalid(problems[0].message, "actions")
