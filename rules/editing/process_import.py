"""The rules section of a process as a file: templates, the matrix, and a list of rules, made or changed by name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.boards import find_status
from kanban.errors import Forbidden, Invalid, NotFound
from kanban.fields import BUILT_IN
from kanban.i18n import _, force_locale
from kanban.json_reader import JsonObject, Malformed
from kanban.models import Status
from kanban.policy import require_admin
from kanban.presets import load_process
from kanban.presets.keys import FileKeys, file_keys
from kanban.presets.loaded import Content, ImportedThing, Loaded, named, of_key, words
from kanban.references import ReferenceKind
from kanban.transactions import transaction
from rules.definition import texts
from rules.definition.cells import WHO, Column, actions_of, told_in_full
from rules.definition.channels import TemplateKind
from rules.definition.content import RuleFields, StoredContent, read_content
from rules.definition.message_action import CHANNEL_OF
from rules.definition.recipients import RECIPIENT_KINDS, Relation
from rules.editing import matrix
from rules.editing.verbs import add_rule, change_rule
from rules.models import MailAccount, Rule, Template
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.versions import fields_of, find_rule
from rules.words.actions import relation_word
from rules.words.differences import differences

RECIPIENT_PLACES = ("to", "cc", "bcc")


def load_rules(session: Session, loaded: Loaded, language: str, actor: Actor | None = None) -> dict[str, Template]:
    """Makes or changes what the section says; notes it in `loaded.found`. Returns the templates by key. Raises Invalid for what
    leads nowhere; a rule that makes no sense here is skipped, and says why."""
    section = loaded.rules
    if set(loaded.roles) & set(RECIPIENT_KINDS):
        raise Invalid(_("This key is not allowed for a role: %(key)s", key=", ".join(set(loaded.roles) & set(RECIPIENT_KINDS))), "file")
    here = session.scalars(select(Template).order_by(Template.id)).all()
    templates = {key: _template(session, content, here, loaded, language) for key, content in (section.get("templates") or {}).items()}
    with force_locale(language):
        for key, row in (section.get("matrix") or {}).items():
            _row(session, actor, find_status(session, of_key(loaded.statuses, key, "status").id), row, loaded, templates)
    accounts = {one.address.casefold(): one.id for one in session.scalars(select(MailAccount).order_by(MailAccount.id.desc()))}
    of_rules = {ReferenceKind.TEMPLATE: templates}, {ReferenceKind.ACCOUNT: accounts}
    keys, known = file_keys(session, loaded).along(*of_rules), _Known.load(session)
    for content in section.get("list") or []:
        _rule(session, actor, content, loaded, keys, known, language)
    return templates


def _template(session: Session, content: Content, here: Sequence[Template], loaded: Loaded, language: str) -> Template:
    name = named(content["name"], language, 120)
    subject, text = words(content.get("subject"), language).strip(), words(content["text"], language).strip()
    kind = TemplateKind.EMAIL if subject else TemplateKind.SHORT
    problems = texts.check(subject if subject else None, text)
    if problems:
        raise Invalid(_("Template “%(name)s”: %(reason)s", name=name, reason=problems[0].message), "file")
    known = loaded.match("template", name, [one for one in here if one.kind == kind])
    after = {_("subject"): subject, _("text"): text, _("lines without a value"): content.get("skip_empty", True)}
    before: dict[str, object] | None = (
        {_("subject"): known.subject, _("text"): known.text.strip(), _("lines without a value"): known.skip_empty} if known else None
    )
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
        column = Column(who) if who in WHO else Column("role", of_key(loaded.roles, who, "role").id)
        template = of_key(templates, key, "template")
        if template.kind != TemplateKind.EMAIL:
            raise Invalid(_("Template “%(name)s”: “Who is notified” only takes e-mail templates.", name=template.name), "file")
        cells[column] = template.id
    known = matrix.matrix_rule(session, status.id)
    names = {template.id: template.name for template in session.scalars(select(Template))}
    roles = {role.id: role.name for role in loaded.roles.values()}

    def in_words(cells: Mapping[Column, int]) -> dict[str, str]:
        return {_column_word(column, roles): names.get(template_id, "?") for column, template_id in cells.items()}

    live = in_words(matrix.live_cells(known))
    after = in_words(cells) | {who: "" for who in live if who not in in_words(cells)}
    if not loaded.note("matrix", status.name, None if known is None else live, after) or not (cells or known):
        return
    if known is None:
        matrix.write_row(session, status, cells)
    elif actor is not None and cells:
        fields = fields_of(known)
        actions = actions_of(cells, told_in_full(fields.content.actions))
        change_rule(session, actor, known.id, replace(fields.with_actions(actions), active=True))
    elif actor is not None:
        session.delete(known)
        session.flush()


def _column_word(column: Column, roles: Mapping[int, str]) -> str:
    return roles.get(column.role_id, "?") if column.role_id is not None else relation_word(Relation(column.kind))


def _rule(session: Session, actor: Actor | None, content: Content, loaded: Loaded, keys: FileKeys, known: "_Known", language: str) -> None:
    name = named(content["name"], language, 120)
    try:
        with session.begin_nested():
            _write(session, actor, _read(content, name, language, loaded, keys), loaded, known)
    except (Invalid, NotFound, Forbidden) as refused:
        loaded.found.append(ImportedThing("rule", name, "skipped", (str(refused.reason),)))
    except Malformed as malformed:
        loaded.found.append(ImportedThing("rule", name, "skipped", (malformed.words,)))
    except ValueError as error:
        loaded.found.append(ImportedThing("rule", name, "skipped", (_("Could not be read: %(what)s", what=str(error)[:200]),)))


@dataclass
class _Known:
    """What there is before the list is read: rules by board, and the names of what rules point at."""

    rules: dict[int, list[Row[int, str, int]]]
    lookup: RuleLookup

    @classmethod
    def load(cls, session: Session) -> "_Known":
        rules: dict[int, list[Row[int, str, int]]] = defaultdict(list)
        for row in session.execute(select(Rule.id, Rule.name, Rule.board_id).where(~Rule.in_matrix).order_by(Rule.id)):
            rules[row.board_id].append(row)
        return cls(rules, load_rule_lookup(session))


def _write(session: Session, actor: Actor | None, fields: RuleFields, loaded: Loaded, here: _Known) -> None:
    found = loaded.match("rule", fields.name, here.rules[fields.content.board_id])
    known = found.id if found is not None else None
    if known is None or actor is None:
        add_rule(session, actor, fields)
        loaded.found.append(ImportedThing("rule", fields.name, "new"))
        return
    before = fields_of(find_rule(session, known))
    details = differences(before, fields, here.lookup)
    modes = [(one.active, one.log_only, one.paused_until) for one in (before, fields)]
    details += [_("mode changed")] if modes[0] != modes[1] else []
    change_rule(session, actor, known, fields)
    loaded.found.append(ImportedThing("rule", fields.name, "changed" if details else "same", tuple(details)))


def _read(content: Content, name: str, language: str, loaded: Loaded, keys: FileKeys) -> RuleFields:
    """Raises Invalid, Malformed."""
    mode, when = content.get("mode", "on"), content.get("when") or []
    options = dict(content.get("options") or {})
    if "button" in options:
        options["button"] = words(options["button"], language)
    stored = StoredContent(
        content["board"],
        content["trigger"],
        content.get("status"),
        options,
        when if isinstance(when, dict) else {"all": when},
        [_action(action, language, loaded) for action in content["do"]],
        bool(content.get("tell_actor")),
    )
    return RuleFields(
        name,
        read_content(stored, BUILT_IN, keys),
        mode != "draft",
        mode == "log" or bool(content.get("log")),
        clock_time(content.get("until", "")) if mode == "paused" else None,
    )


def clock_time(text: str) -> datetime:
    """Raises ValueError."""
    at = datetime.fromisoformat(text)
    if not 2000 <= at.year <= 2100:
        raise ValueError(text)
    return at if at.tzinfo else clock.at(at.date(), at.time())


def _action(content: Content, language: str, loaded: Loaded) -> JsonObject:
    """An action of the file as one is stored, but for its keys."""
    made: JsonObject = dict(content)
    made |= {name: words(content[name], language) for name in ("text", "tag") if name in content}
    if content["do"] in CHANNEL_OF:
        places = {place: content.get(place) or [] for place in RECIPIENT_PLACES if place == "to" or place in content}
        made |= {place: [_recipient(one, loaded) for one in named_here] for place, named_here in places.items()}
    return made


def _recipient(one: str | Content, loaded: Loaded) -> JsonObject:
    """«manager», «author», {role: manager, many: true}, {person: address} or {address: address}."""
    if isinstance(one, str):
        return {"kind": "role", "id": one} if one in loaded.roles or one not in RECIPIENT_KINDS else {"kind": one}
    if "address" in one:
        return {"kind": "address", "address": one["address"]}
    kind = "role" if "role" in one else "person"
    return {"kind": kind, "id": one.get(kind)} | ({"many": True} if one.get("many") and kind == "role" else {})


class _Looked(Exception):
    """Ends the transaction of a preview."""


def read_process(content: Content, actor: Actor, language: str, *, keep: bool) -> list[ImportedThing]:
    """What a file makes and changes; kept, or only looked at: a preview does it all and takes it back. Raises Invalid, Forbidden."""
    require_admin(actor)
    found: list[ImportedThing] = []
    try:
        with transaction() as session:
            loaded = load_process(session, actor, content, language)
            load_rules(session, loaded, language, actor)
            found = loaded.found
            if not keep:
                raise _Looked
    except _Looked:
        pass
    return found
