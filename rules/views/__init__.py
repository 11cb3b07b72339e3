"""Settings pages of rules, templates and mail; the log of messages."""

from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from kanban.views import health as health_page
from rules.mail.hints import is_sign_in, mail_hint
from rules.post.outbox import oldest_waiting, waiting_count
from rules.transports.gateway_hints import gateway_hint
from rules.views import (
    bell,
    buttons,
    gateways,
    hosts,
    mail_steps,
    matrix,
    messages,
    pause,
    process,
    runs,
    templates,
    trials,
    unsubscribe,
    why,
)
from rules.words.reasons import dropped_words


def register(app: Flask) -> None:
    app.add_template_filter(gateway_hint)
    app.add_template_filter(mail_hint)
    app.add_template_filter(is_sign_in)
    app.add_template_filter(dropped_words)
    for module in (bell, buttons, gateways, hosts, messages, mail_steps, matrix, pause, process, runs, templates, trials, unsubscribe, why):
        app.register_blueprint(module.bp)
    app.context_processor(pause.for_every_page)
    if health not in health_page.checks:
        health_page.checks.append(health)


def health(session: Session, now: datetime) -> dict[str, object]:
    """The oldest message that should have left, and how many wait."""
    due = oldest_waiting(session, now)
    return {"oldest_waiting_at": due.isoformat() if due else None, "waiting": waiting_count(session)}
