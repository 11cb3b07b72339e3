"""HTTP: the pages, and where every subject's views are registered."""

from flask import Flask

from kanban.http import errors, filters, icons, kept, session
from kanban.todos import views as todos
from kanban.views import (
    boards,
    export,
    first_steps,
    health,
    home,
    live,
    many,
    marks,
    moves,
    orders,
    parts,
    personal,
    search,
    setup,
    sign_in,
    way,
)
from kanban.views.settings import backups, company, gates, journal, people, statuses


def register(app: Flask) -> None:
    errors.init_errors(app)
    icons.init_icons(app)
    kept.init_kept(app)
    parts.init_parts(app)
    filters.init_filters(app)
    for module in (
        backups,
        boards,
        company,
        export,
        first_steps,
        gates,
        health,
        home,
        journal,
        live,
        many,
        marks,
        moves,
        orders,
        people,
        personal,
        search,
        setup,
        sign_in,
        statuses,
        todos,
        way,
    ):
        app.register_blueprint(module.bp)
    app.context_processor(session.for_every_page)
