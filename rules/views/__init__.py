"""Settings pages of rules, templates and mail; the log of letters."""

from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban.views import health as health_page
from rules.mail.hints import is_sign_in, mail_hint
from rules.models import Message
from rules.post.gateway_hints import gateway_hint
from rules.post.outbox import oldest_waiting
from rules.views import (
    bell,
    by_hand,
    gateways,
    hosts,
    letters,
    mail_steps,
    matrix,
    pause,
    process,
    runs,
    templates,
    trials,
    unsubscribe,
    why,
)
from rules.words.silence import dropped_words


def register(app: Flask) -> None:
    app.add_template_filter(gateway_hint)
    app.add_template_filter(mail_hint)
    app.add_template_filter(is_sign_in)
    app.add_template_filter(dropped_words)
    for module in (bell, by_hand, gateways, hosts, letters, mail_steps, matrix, pause, process, runs, templates, trials, unsubscribe, why):
        app.register_blueprint(module.bp)
    app.context_processor(pause.for_every_page)
    if health not in health_page.checks:
        health_page.checks.append(health)


def health(session: Session, now: datetime) -> dict[str, Any]:
    """The oldest letter that should have left, and how many wait."""
    due = oldest_waiting(session, now)
    waiting = session.scalar(select(func.count()).select_from(Message).where(Message.state == "waiting"))
    return {"oldest_waiting_at": due.isoformat() if due else None, "waiting": waiting}
