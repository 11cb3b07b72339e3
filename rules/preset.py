"""The rules section of a process as a file: templates, the matrix, and a list of rules, made or changed by name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.boards import find_status
from kanban.errors import Forbidden, Invalid, NotFound
from kanban.forms.fields import MOST_MONEY
from kanban.i18n import _, force_locale
from kanban.models import Organisation, Person, Status
from kanban.presets import Found, Loaded, named, of_key, words
from rules import matrix, texts
from rules.actions import CHANNEL_OF, COPIES, RECIPIENT_KINDS, recipient
from rules.cells import WHO, Column, actions_of, many_in
from rules.fields import RuleFields
from rules.lookup import Lookup, load_lookup
from rules.models import MailAccount, Rule, Template
from rules.pointers import MONEY, Change, with_pointers
from rules.rules import add_rule, change_rule, fields_of, find_rule
from rules.words.clauses import RECIPIENTS
from rules.words.differences import differences

UNITS = 100  # a file has sums in whole units


def load_rules(session: Session, loaded: Loaded, language: str, actor: Actor | None = None) -> dict[str, Template]:
    """Makes or changes what the section says; notes it in `loaded.found`. Returns the templates by key. Raises Invalid for what
    leads nowhere; a rule that makes no sense here is skipped, and says why."""
    section = loaded.rules
    if set(loaded.roles) & set(RECIPIENT_KINDS):
        raise Invalid(_("A role can't have this key: %(key)s", key=", ".join(set(loaded.roles) & set(RECIPIENT_KINDS))), "file")
    here = session.scalars(select(Template).order_by(Template.id)).all()
    templates = {key: _template(session, content, here, loaded, language) for key, content in (section.get("templates") or {}).items()}
    with force_locale(language):
        for key, row in (section.get("matrix") or {}).items():
            _row(session, actor, find_status(session, of_key(loaded.statuses, key, "status").id), row, loaded, templates)
    change, known = _ids(session, loaded, templates), _Known.load(session)
    for content in section.get("list") or []:
        _rule(session, actor, content, loaded, change, known, language)
    return templates


def _template(session: Session, content: Mapping[str, Any], here: Sequence[Template], loaded: Loaded, language: str) -> Template:
    name = named(content["name"], language, 120)
    subject, text = words(content.get("subject"), language).strip(), words(content["text"], language).strip()
    kind = "letter" if subject else "short"
    problems = texts.check(subject if subject else None, text)
    if problems:
        raise Invalid(_("Template “%(name)s”: %(reason)s", name=name, reason=problems[0].message), "file")
    known = loaded.match("template", name, [one for one in here if one.kind == kind])
    after = {_("subject"): subject, _("text"): text, _("lines without a value"): content.get("skip_empty", True)}
    before = known and {_("subject"): known.subject, _("text"): known.text.strip(), _("lines without a value"): known.skip_empty}
    template = known or Template(kind=kind, name=name, position=(session.scalar(select(func.max(Template.position))) or 0) + 1)
    if loaded.note("template", name, before, after):
        template.subject, template.text, template.skip_empty = subject, text, content.get("skip_empty", True)
    session.add(template)
    session.flush()
    return template


def _row(
    session: Session, actor: Actor | None, status: Status, row: Mapping[str, str], loaded: Loaded, templates: Mapping[str, Template]
) -> None:
    cells: dict[Column, int] = {}
    for who, key in row.items():
        column: Column = (who, None) if who in WHO else ("role", of_key(loaded.roles, who, "role").id)
        template = of_key(templates, key, "template")
        if template.kind != "letter":
            raise Invalid(_("Template “%(name)s”: the matrix takes letters.", name=template.name), "file")
        cells[column] = template.id
    known = matrix.matrix_rule(session, status.id)
    names = {template.id: template.name for template in session.scalars(select(Template))}
    roles = {role.id: role.name for role in loaded.roles.values()}

    def said(cells: Mapping[Column, int]) -> dict[str, str]:
        return {roles.get(column[1] or 0) or _(RECIPIENTS.get(column[0], column[0])): names.get(id_, "?") for column, id_ in cells.items()}

    live = matrix.live_cells(known)
    before = None if known is None else said(live)
    after = said(cells) | {who: "" for who in said(live) if who not in said(cells)}
    if not loaded.note("matrix", status.name, before, after) or not (cells or known):
        return
    if known is None:
        matrix.write_row(session, status, cells)
    elif actor is not None and cells:
        actions = actions_of(cells, many_in(known.version.actions))
        change_rule(session, actor, known.id, replace(fields_of(known), actions=actions, active=True))
    elif actor is not None:
        session.delete(known)
        session.flush()


def _rule(session: Session, actor: Actor | None, content: Mapping[str, Any], loaded: Loaded, change: Change, known: "_Known",
          language: str) -> None:  # fmt: skip
    name = named(content["name"], language, 120)
    try:
        with session.begin_nested():
            fields = with_pointers(_said(content, name, language, loaded), change)
            _write(session, actor, fields, loaded, known)
    except (Invalid, NotFound, Forbidden) as refused:
        loaded.found.append(Found("rule", name, "skipped", (str(refused.reason),)))
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:  # a file may hold anything
        loaded.found.append(Found("rule", name, "skipped", (_("It can't be understood: %(what)s", what=str(error)[:200]),)))


@dataclass
class _Known:
    """What there is before the list is read: rules by board, and the names of what rules point at."""

    rules: dict[int, list[Any]]
    lookup: Lookup

    @classmethod
    def load(cls, session: Session) -> "_Known":
        rules: dict[int, list[Any]] = defaultdict(list)
        for row in session.execute(select(Rule.id, Rule.name, Rule.board_id).where(~Rule.in_matrix).order_by(Rule.id)):
            rules[row.board_id].append(row)
        return cls(rules, load_lookup(session))


def _write(session: Session, actor: Actor | None, fields: RuleFields, loaded: Loaded, here: _Known) -> None:
    found = loaded.match("rule", fields.name, here.rules[fields.board_id])
    known = found.id if found is not None else None
    if known is None or actor is None:
        add_rule(session, actor, fields)
        loaded.found.append(Found("rule", fields.name, "new"))
        return
    before = fields_of(find_rule(session, known))
    details = differences(before, fields, here.lookup)
    modes = [(one.active, one.log_only, one.paused_until) for one in (before, fields)]
    details += [_("another mode")] if modes[0] != modes[1] else []
    change_rule(session, actor, known, fields)
    loaded.found.append(Found("rule", fields.name, "changed" if details else "same", tuple(details)))


def _said(content: Mapping[str, Any], name: str, language: str, loaded: Loaded) -> RuleFields:
    """The rule with the file's keys in the place of ids."""
    mode, when = content.get("mode", "on"), content.get("when") or []
    options = dict(content.get("options") or {})
    if "button" in options:
        options["button"] = words(options["button"], language)
    until = clock_time(content.get("until", "")) if mode == "paused" else None
    return RuleFields(
        name, content["board"], content["trigger"], content.get("status"), when if isinstance(when, dict) else {"all": when},
        [_action(action, language, loaded) for action in content["do"]], bool(content.get("tell_actor")), mode != "draft", options,
        mode == "log" or bool(content.get("log")), until,
    )  # fmt: skip


def clock_time(text: str) -> datetime:
    """Raises ValueError."""
    at = datetime.fromisoformat(text)
    if not 2000 <= at.year <= 2100:
        raise ValueError(text)
    return at if at.tzinfo else clock.at(at.date(), at.time())


def _action(content: Mapping[str, Any], language: str, loaded: Loaded) -> dict[str, Any]:
    made = dict(content)
    for name in ("text", "tag"):
        if name in content:
            made[name] = words(content[name], language)
    if content["do"] in CHANNEL_OF:
        made["to"] = content.get("to") or []
        for place in ("to", *COPIES):
            if place in made:
                made[place] = [_recipient(one, loaded) for one in made[place]]
    return made


def _recipient(one: Any, loaded: Loaded) -> dict[str, Any]:
    """«manager», «author», {role: manager, many: true}, {person: address} or {address: address}."""
    if isinstance(one, str):
        return {"kind": "role", "id": one} if one in loaded.roles or one not in RECIPIENT_KINDS else recipient(one)
    if "address" in one:
        return recipient("address", address=one["address"])
    kind = "role" if "role" in one else "person"
    return {"kind": kind, "id": one[kind]} | ({"many": True} if one.get("many") and kind == "role" else {})


def _minor_units(number: Any) -> int:
    """A sum of the file. Raises Invalid."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    amount = Decimal(str(number)) * UNITS if is_number else Decimal("nan")
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount <= MOST_MONEY:
        raise Invalid(_("%(what)s is no sum: write a number with at most two digits after the point.", what=str(number)[:80]), "file")
    return int(amount)


def _ids(session: Session, loaded: Loaded, templates: Mapping[str, Template]) -> Change:
    """A key of the file → the id of what it stands for. Raises Invalid."""
    things: dict[str, Mapping[str, Any]] = {"board": loaded.boards, "status": loaded.statuses, "role": loaded.roles, "template": templates}
    people = {one.email.casefold(): one.id for one in session.scalars(select(Person))}
    organisations = {one.name.casefold(): one.id for one in session.scalars(select(Organisation))}
    accounts = {one.address.casefold(): one.id for one in session.scalars(select(MailAccount).order_by(MailAccount.id.desc()))}
    named_here = {"person": people, "organisation": organisations, "account": accounts}

    def change(kind: str, key: Any) -> Any:
        if kind == MONEY:
            return _minor_units(key)
        if kind in things:
            return of_key(things[kind], key, kind).id
        found = named_here[kind].get(str(key).casefold())
        if found is None:
            raise Invalid(_("%(what)s is not known here.", what=str(key)[:80]), "file")
        return found

    return change
