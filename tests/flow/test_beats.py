"""Beats: web and worker write that they are there, pages say where no worker is, and watchdogs ask without a lock."""

import logging
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from kanban import beats, clock
from kanban.beats import WORKER_TOPIC, WebBeat
from kanban.db import db
from kanban.models import Beat, LiveChange, Part
from kanban.transactions import transaction
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.databases import held, path_of


def said() -> int:
    """How often pages were told to look."""
    db.session.rollback()
    return sum(WORKER_TOPIC in change.topics for change in db.session.scalars(select(LiveChange)))


def silence(minutes: int) -> None:
    with transaction() as session:
        session.execute(update(Beat).where(Beat.part == Part.WORKER).values(at=clock.now() - timedelta(minutes=minutes)))


def test_pages_say_since_when_no_worker_is_at_work(app: Flask, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    web: WebBeat = app.extensions["potok_beat"]
    owner, manager = Signed(app.test_client(), cast.email("owner")), Signed(app.test_client(), cast.email("manager"))
    Worker(app).step()
    web.look()
    assert said() == 0 and "Письма не уходят" not in owner.get("/bell").text
    silence(minutes=5)
    with caplog.at_level(logging.ERROR):
        web.look()
        web.look()
    assert said() == 1 and len(caplog.records) == 1, "once, not at each look"
    assert "Последний знак службы отправки" in owner.get("/bell").text
    told = manager.get("/bell").text
    assert "Письма ждут и уйдут позже" in told and "Последний знак" not in told
    Worker(app).step()
    web.look()
    assert said() == 2 and "Письма не уходят" not in owner.get("/bell").text and 'id="worker-state"' in owner.get("/bell").text


def test_a_worker_that_starts_beside_it_has_time(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    web = WebBeat("here")
    monkeypatch.setattr(web, "_run", lambda app: None)
    web.start(app)
    web.look()
    assert not web.worker.is_silent and said() == 0
    monkeypatch.setattr(web, "_looks_from", 0.0)
    web.look()
    assert web.worker.is_silent and said() == 1


def test_a_web_that_can_not_write_is_ill_and_yet_ready(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Worker(app).step()
    web: WebBeat = app.extensions["potok_beat"]
    monkeypatch.setattr(web, "_run", lambda app: None)
    web.start(app)
    web.look()
    client = app.test_client()
    report = client.get("/healthz")
    assert report.status_code == 200 and report.json["web"] == report.json["worker"] == "ok"
    assert report.json["web_wrote_at"][:16] == clock.now().isoformat()[:16]
    monkeypatch.setattr(web, "_wrote", web._wrote - beats.SILENT.total_seconds())
    report = client.get("/healthz")
    assert report.status_code == 503 and (report.json["web"], report.json["worker"]) == ("silent", "ok")
    assert client.get("/readyz").json == {"ready": True}
    monkeypatch.setattr("kanban.views.health.last_beat", lambda *_: 1 / 0)
    assert client.get("/readyz").status_code == 503


def test_names_of_long_ago_are_forgotten(app: Flask, cast: Cast) -> None:
    now = clock.now()
    with transaction() as session:
        beats.beat(session, Part.WEB, "gone", now - timedelta(days=2))
        beats.beat(session, Part.WORKER, "idle", now - timedelta(days=2))
        beats.beat(session, Part.WEB, "here", now)
    assert {(one.part, one.name) for one in db.session.scalars(select(Beat))} == {("web", "here"), ("worker", "idle")}


@pytest.mark.one_database
def test_a_stranger_takes_no_lock_of_a_writer(app_of_a_file: Flask, cast: Cast) -> None:
    with held(path_of(app_of_a_file)):
        client = app_of_a_file.test_client()
        codes = {path: client.get(path).status_code for path in ("/healthz", "/readyz", "/sign-in", "/reset", "/", "/boards/1", "/nothing")}
    assert codes == {"/healthz": 503, "/readyz": 200, "/sign-in": 200, "/reset": 200, "/": 302, "/boards/1": 302, "/nothing": 404}
