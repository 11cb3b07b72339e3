"""The project itself: docs that are true, texts that are translated, migrations that fit the models."""

import dataclasses
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from babel.messages.pofile import read_po
from flask import Flask

from commands.migrate import downgrade, upgrade
from kanban.config import Config
from kanban.db import Base, db, table
from kanban.fields import FieldType
from kanban.i18n import force_locale
from kanban.models import Event, Order, Setting
from kanban.orders.fields import search_text
from kanban.settings import settings
from kanban.words.comparisons import comparison_label, comparison_word
from tests.cast import make_cast

ROOT = Path(__file__).parent.parent


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_every_setting_is_in_the_table_and_every_row_is_a_setting() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([A-Z_]+)`", table, re.M))
    assert rows == {field.name.upper() for field in dataclasses.fields(Config)} | {"LANG", "INSTANCE"}


def test_defaults_in_the_table_are_the_defaults() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", table, re.M))
    for field in dataclasses.fields(Config):
        if field.default != "" and field.name not in ("retry_cap_s", "retry_for_s"):
            assert stated[field.name.upper()].strip(" `") == str(field.default), field.name


def test_every_text_is_translated_into_russian() -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "babel.messages.frontend",
            "--quiet",
            "extract",
            "-F",
            "translations/babel.cfg",
            "-k",
            "_l",
            "-k",
            "N_",
            "-o",
            "translations/messages.pot",
            ".",
        ],
        cwd=ROOT,
        check=True,
    )
    with (ROOT / "translations" / "messages.pot").open("rb") as file:
        wanted = {message.id for message in read_po(file) if message.id}
    with (ROOT / "translations" / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="ru")
    have = {message.id: message for message in catalogue if message.id}
    missing = [id_ for id_ in wanted if id_ not in have or not all(_strings(have[id_].string)) or have[id_].fuzzy]
    assert not missing, missing


def test_translations_keep_their_placeholders() -> None:
    with (ROOT / "translations" / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        for message in read_po(file, locale="ru"):
            if not message.id:
                continue
            source = set(re.findall(r"%\((\w+)\)", " ".join(_strings(message.id))))
            for text in _strings(message.string):
                assert set(re.findall(r"%\((\w+)\)", text)) <= source, message.id


def _strings(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload, no-any-return]


def test_migrations_make_the_models(bare_app: Flask) -> None:
    Base.metadata.drop_all(db.engine)
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    upgrade(bare_app)
    with db.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


def test_a_full_database_migrates_down_and_up(bare_app: Flask) -> None:
    Base.metadata.drop_all(db.engine)
    upgrade(bare_app)
    cast = make_cast("ru")
    cast.move(cast.place(), "prepaid")
    db.session.remove()
    downgrade(bare_app, "base")
    upgrade(bare_app)
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM person")) == 0
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


def test_facts_stay_as_they_were_however_they_are_kept(bare_app: Flask) -> None:
    Base.metadata.drop_all(db.engine)
    upgrade(bare_app)
    cast = make_cast("ru")
    cast.move(cast.place(tags=["камень", "«срочно»"]), "prepaid")
    before = db.session.scalars(sa.select(Event.facts).order_by(Event.id)).all()
    db.session.remove()
    downgrade(bare_app, "0004")
    upgrade(bare_app)
    assert len(before) == 2 and db.session.scalars(sa.select(Event.facts).order_by(Event.id)).all() == before
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"country": "RU", "public_holidays": "yes"}),
        ({"language": "ru"}, {"country": "RU", "public_holidays": "yes"}),
        ({"language": "en"}, {"country": "RU", "public_holidays": ""}),
        ({"language": "ru", "holidays": ""}, {"country": "RU", "public_holidays": ""}),
        ({"language": "ru", "holidays": "KZ"}, {"country": "KZ", "public_holidays": "yes"}),
    ],
)
def test_orders_are_found_in_any_spelling_and_the_calendar_stays(bare_app: Flask, before: dict[str, str], after: dict[str, str]) -> None:
    Base.metadata.drop_all(db.engine)
    upgrade(bare_app)
    cast = make_cast("ru")
    order = cast.place(customer_name="Семён\u00adова", customer_phone="8 (912) 345-67-89", tags=["Ёлка"])
    db.session.remove()
    downgrade(bare_app, "0006")
    with db.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM setting"))
        for name, value in before.items():
            connection.execute(sa.insert(table(Setting)), {"name": name, "value": {"value": value}})
        old = connection.scalar(sa.select(table(Order).c.search))
    upgrade(bare_app)
    assert old == search_text(order).replace("семенова", "семён\u00adова").replace("елка", "ёлка")
    assert db.session.scalar(sa.select(Order.search)) == search_text(order)
    found = settings(db.session())
    assert {name: found[name] for name in after} == after
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


def test_a_mail_account_of_the_first_tables_is_the_firms_own_afterwards(bare_app: Flask) -> None:
    Base.metadata.drop_all(db.engine)
    upgrade(bare_app, "0001")
    with db.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO mail_account (address, sender_name, host, port, security, username, sealed_password, timeout_s, last_error,"
                " changed_at) VALUES ('a@b.example', '', 'mail.b.example', 465, 'tls', 'a', 'x', 20, '', '2026-11-24 08:00:00')"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO message (key, kind, channel, name, address, subject, text, layout, language, message_id, state, due_at,"
                " attempts, error, created_at) VALUES ('k', 'rule', 'email', '', 'c@d.example', 's', 't', '{}', 'ru', '<m>', 'waiting',"
                " '2026-11-24 08:00:00', 0, '', '2026-11-24 08:00:00')"
            )
        )
    upgrade(bare_app)
    with db.engine.connect() as connection:
        account = connection.execute(sa.text("SELECT kind, fall_back, receive_port, per_day FROM mail_account")).one()
        message = connection.execute(sa.text("SELECT state, account_id, note FROM message")).one()
    assert tuple(account) == ("system", True, 993, 0) and tuple(message) == ("waiting", None, "")
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


def test_every_comparison_has_its_words() -> None:
    from kanban.criteria import comparisons

    for kind in FieldType:
        for op in comparisons(kind):
            assert comparison_word(kind, op) and comparison_label(kind, op)


def test_nothing_names_a_registry_or_a_secret() -> None:
    pattern = re.compile(r"(pypi|pythonhosted|npmjs|deb\.debian)\.(org|com)")
    for name in tracked():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".txt", ".toml", ".yaml", ".html", "") and path.is_file() and name != "tests/test_project.py":
            assert not pattern.search(path.read_text(encoding="utf-8", errors="ignore")), name


def test_views_ask_the_database_through_queries() -> None:
    """Views know a session, and hand it on: what is read is written down in a room of its own."""
    views = [*(ROOT / "kanban" / "views").rglob("*.py"), *(ROOT / "rules" / "views").rglob("*.py"), *(ROOT / "kanban").glob("*/views.py")]
    assert len(views) > 30
    assert not [path.name for path in views if re.search(r"^(from sqlalchemy import|import sqlalchemy)", path.read_text(), re.M)]


def test_templates_have_no_inline_script_or_style() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        if path.parts[-2:] == ("messages", "frame.html"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|style=\"|<script(?![^>]*src=)|\son\w+=\"|hx-on", text), path


def test_templates_name_what_is_there() -> None:
    """Such as kanban.queries.cards.Card: a module, and what stands in it."""
    named = {
        (path.name, name)
        for path in (ROOT / "templates").rglob("*.html")
        for comment in re.findall("{#.*?#}", path.read_text(), re.S)
        for name in re.findall(r"\b(?:kanban|rules)(?:\.\w+)+", comment)
    }
    assert named

    def stands(name: str) -> bool:
        module, _, thing = name.rpartition(".")
        whole, file = (ROOT / one.replace(".", "/") for one in (name, module))
        if whole.is_dir() or whole.with_suffix(".py").exists():
            return True
        text = file.with_suffix(".py").read_text() if file.with_suffix(".py").exists() else ""
        return re.search(rf"^(class|def) {thing}\b", text, re.M) is not None

    strays = sorted(one for one in named if not stands(one[1]))
    assert not strays, strays


def test_templates_fit_the_line() -> None:
    limit = int(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"])
    for name in tracked():
        if name.endswith(".html"):
            long = [number for number, line in enumerate((ROOT / name).read_text().splitlines(), 1) if len(line) > limit]
            assert not long, f"{name}: {long}"


def test_the_docs_of_rules_leave_nothing_out() -> None:
    """Every start, comparison, action and recipient there is stands in docs/rules.md, by its name in files."""
    from kanban.criteria import COMPARISONS, comparisons
    from rules.definition.actions import ChangeKind
    from rules.definition.message_action import CHANNEL_OF, Copy
    from rules.definition.recipients import RECIPIENT_KINDS
    from rules.definition.triggers import TriggerKind

    text = (ROOT / "docs" / "rules.md").read_text()
    known = {*TriggerKind, *CHANNEL_OF, *ChangeKind, *RECIPIENT_KINDS, *Copy} | {op for kind in COMPARISONS for op in comparisons(kind)}
    assert not sorted(name for name in known if f"`{name}`" not in text)
    named = set(re.findall(r"`([a-z_]+)`", text))
    assert not sorted(named - known)


def test_the_docs_call_things_as_the_screens_do(app: Flask) -> None:
    """The words before each code of docs/rules.md are the editor's; what docs quote, and the pages of settings they send to, is there."""
    from kanban.words.comparisons import OP_LABELS
    from rules.definition.actions import ChangeKind
    from rules.definition.message_action import CHANNEL_OF
    from rules.definition.triggers import TriggerKind
    from rules.words.actions import change_label
    from rules.words.triggers import trigger_label

    with force_locale("en"):
        labels = {kind: [trigger_label(kind)] for kind in TriggerKind} | {kind: [change_label(kind)] for kind in ChangeKind}
        labels |= {code: [channel.verb] for code, channel in CHANNEL_OF.items()}
    for op, label in OP_LABELS.items():
        labels[op] = [*labels.get(op, []), label]  # «changed» is a start and a comparison
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    said = re.findall(r"(?:^\| |, )([^|`,]+(?:, [^|`,]+)?) `(\w+)`(?= \||,)", text, re.M)
    assert len(said) > 35
    assert not [(words, code) for words, code in said if code in labels and words not in labels[code]]
    texts = english_texts()
    for path in (ROOT / "docs").glob("*.md"):
        named = re.findall(r"“([A-Z][^”]{2,50}?)[.…]?”", " ".join(path.read_text(encoding="utf-8").split()))
        assert not sorted(set(named) - texts - OF_THE_EXAMPLE), path.name


# Names of the demo's statuses, templates and texts, and what a file is called.
OF_THE_EXAMPLE = {
    "CSV",
    "Design ready",
    "Order {{ order.number }} is waiting for its payment",
    "Paid and ready to install",
    "Prepaid",
    "Ready to install",
    "To the manager",
    "Your kitchen is ready",
}


def english_texts() -> set[str]:
    """All texts of the interface, without what ends them."""
    with (ROOT / "translations" / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        ids = [message.id for message in read_po(file, locale="ru")]
    return {text.rstrip(".…") for id_ in ids for text in (id_ if isinstance(id_, tuple) else (id_,))}


def test_the_map_leads_to_what_is_there() -> None:
    """Each path of ARCHITECTURE.md exists, and each top-level module of both packages stands in it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:kanban|rules|commands|templates|static|docs|translations|tests)/[\w./-]*)`", text))
    assert len(named) > 80 and not sorted(path for path in named if not (ROOT / path).exists())
    assert len(re.findall(r"^\| .* \| .*`(?:kanban|rules|static)/", text, re.M)) >= 20
    modules = [path.name for package in ("kanban", "rules") for path in (ROOT / package).iterdir() if path.name[0] not in "_."]
    assert not sorted(name for name in modules if not re.search(rf"\b{re.escape(name)}\b", text))


# Words that had their day: by what the thing is called now, see the table in ARCHITECTURE.md.
RETIRED = (
    r"Said",
    r"Woken",
    r"\bMaker\b",
    r"\bDesk\b",
    r"\bCrew\b",
    r"LaneRun",
    r"go_home",
    r"require_sense",
    r"hand_over",
    r"stumbl\w*",
    r"silences?_of",
    r"\bThing\b",
    r"exchanged?\(",
)
STORED = r"per_letter|letter_deadline_s|LETTER_DEADLINE_S|letters_paused\w*|letters_resumed|\"letter\"|/letters\b|/settings/letters"
SIGNS = r"(?:small|Latin|few|with) letters|letters (?:outside|each|as agreed)|<letters|letter-spacing"


def test_retired_words_stay_out() -> None:
    """«letter» is a sign of a text; what is sent is a message, or an e-mail."""
    for path in [*(ROOT / "kanban").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search("|".join(RETIRED), text), path
        assert not re.search(r"letter", re.sub(f"{STORED}|{SIGNS}", "", text), re.I), path
