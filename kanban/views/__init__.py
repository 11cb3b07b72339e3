"""HTTP: pages, fragments, and the one way errors become answers."""

from flask import Flask

from kanban.views import boards, doors, errors, export, first_steps, health, live, orders, personal, search, setup, sign_in, way, work
from kanban.views.marks import init_marks
from kanban.views.parts import init_parts
from kanban.views.settings import backups, company, journal, people, statuses
from kanban.views.words import init_words


def register(app: Flask) -> None:
    errors.init_errors(app)
    init_marks(app)
    init_parts(app)
    init_words(app)
    for module in (
        backups, boards, company, doors, export, first_steps, health, journal, live, orders, people, personal, search, setup, sign_in,
        statuses, way, work,
    ):  # fmt: skip
        app.register_blueprint(module.bp)
    app.context_processor(doors.for_every_page)
