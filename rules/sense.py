"""Whether a rule makes sense as it is to be saved. Whatever wrote it: the editor, the matrix, a file."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from kanban.criteria import ALWAYS, DAYS, LISTS, MAX_DEPTH, comparisons
from kanban.emails import clean_email
from kanban.errors import Invalid
from kanban.facts import Field, find_field
from kanban.forms.fields import MOST_MONEY
from kanban.i18n import _
from kanban.models import PHASES, Board, Role, Status
from kanban.people import clean_chat, clean_phone
from rules.actions import CHANNEL_OF, COPIES, NOT_BY, addressed, channel_of, template_kind
from rules.evaluator import LIST, OF_TIME, WITH_STATUS
from rules.fields import MOST_ADDRESSES, MOST_GROUPS, MOST_NESTED, MOST_ROWS, RuleFields
from rules.models import TRIGGERS, Template
from rules.running.changes import DATES, require_change
from rules.running.due import LATER_UNITS, MOST_LATER, MOST_OFFSET, UNITS
from rules.running.senders import REPLY_TO, account_id

CLEAN = {"email": clean_email, "sms": clean_phone, "chat": clean_chat}  # of other addresses, by channel


def require_sense(session: Session, fields: RuleFields) -> None:
    """Raises Invalid."""
    if fields.trigger not in TRIGGERS:
        raise Invalid(_("Choose when the rule starts."), "trigger")
    if session.get(Board, fields.board_id) is None:
        raise Invalid(_("This board no longer exists."), "board_id")
    _require_trigger(session, fields)
    _require_criteria(session, fields.criteria, 0)
    criteria, groups, depth = _counted(fields.criteria)
    if criteria > MOST_ROWS or groups > MOST_GROUPS or depth > MOST_NESTED or len(fields.actions) > MOST_ROWS:
        words = _("A rule holds at most %(rows)s criteria, %(rows)s actions and %(groups)s groups, %(deep)s of them one within the other.",
                  rows=MOST_ROWS, groups=MOST_GROUPS, deep=MOST_NESTED)  # fmt: skip
        raise Invalid(words, "criteria")
    for action in fields.actions:
        _require_action(session, action, fields.trigger)
    if not fields.actions:
        raise Invalid(_("Choose what the rule does."), "actions")


def _require_trigger(session: Session, fields: RuleFields) -> None:
    options = fields.options
    if fields.trigger in WITH_STATUS:
        status = session.get(Status, fields.status_id) if fields.status_id is not None else None
        if status is None or (status.board_id == fields.board_id) != (fields.trigger != "linked"):
            raise Invalid(
                _("Choose a status of another board.") if fields.trigger == "linked" else _("Choose a status of this board."), "status_id"
            )
    known = find_field(str(options.get("field"))) if fields.trigger == "field" else None
    if fields.trigger == "field" and (known is None or known.group not in ("order", "role")):
        raise Invalid(_("Choose the field."), "options")
    if fields.trigger == "all_linked" and options.get("phase") not in PHASES:
        raise Invalid(_("Choose the phase."), "options")
    if fields.trigger in OF_TIME:
        _require_time(fields)
    if fields.trigger == LIST:
        _require_list(fields)
    if fields.trigger == "hand" and not (0 < len(options.get("button", "")) <= 60):
        raise Invalid(_("Write what the button says."), "options")
    if fields.trigger == "paid" and not (1 <= options.get("percent", 0) <= 100 or options.get("sum", 0) > 0):
        raise Invalid(_("Give a share from 1 to 100 per cent, or a sum."), "options")


def _require_time(fields: RuleFields) -> None:
    options = fields.options
    unit, offset = options.get("unit"), options.get("offset")
    if unit not in UNITS or not isinstance(offset, int) or abs(offset) > MOST_OFFSET[unit] or (fields.trigger != "date" and offset < 1):
        raise Invalid(_("Give a number of hours or days."), "options")
    if fields.trigger == "date" and options.get("field") not in DATES:
        raise Invalid(_("Choose the date."), "options")
    if fields.trigger == "date":
        _require_time_of_day(options)


def _require_time_of_day(options: dict[str, Any]) -> None:
    if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", options.get("at", "")):
        raise Invalid(_("Give a time of day such as 09:00."), "options")


def _require_list(fields: RuleFields) -> None:
    days = fields.options.get("days")
    if not days or not set(days) <= set(range(1, 8)):
        raise Invalid(_("Choose at least one day of the week."), "options")
    _require_time_of_day(fields.options)
    if any(action["do"] not in CHANNEL_OF or action.get("after") for action in fields.actions):
        raise Invalid(_("A list only sends messages, and at once."), "actions")
    if any(action.get("from") == "responsible" or action.get("reply_to") for action in fields.actions):
        raise Invalid(_("A list is about many orders: it goes by the firm's account or a named one, and answers go there."), "from")
    if any(one["kind"] in ("mover", "previous") for action in fields.actions for one in addressed(action)):
        raise Invalid(_("Nobody made a list, and nobody was responsible before: choose other readers."), "to")
    if any(action.get(place) for action in fields.actions for place in COPIES):
        raise Invalid(_("Each reader of a list gets their own: there are no copies of it."), "actions")


def _require_action(session: Session, action: dict[str, Any], trigger: str) -> None:
    after = action.get("after")
    if after and not (after.get("unit") in LATER_UNITS and 1 <= after.get("number", 0) <= MOST_LATER[after["unit"]]):
        raise Invalid(_("Give how long the action waits: a number of minutes, hours or days."), "actions")
    if action["do"] not in CHANNEL_OF:
        require_change(session, action)
        return
    if not action["to"]:
        raise Invalid(_("Choose who gets the message."), "to")
    template = session.get(Template, action["template"])
    if template is None or template.kind != template_kind(channel_of(action), trigger):
        raise Invalid(_("Choose a message template."), "template")
    _require_readers(action)
    wish, answers = action.get("from", ""), action.get("reply_to", "")
    knows = isinstance(wish, str) and (wish in ("", "responsible") or account_id(wish) is not None)
    if not knows or not isinstance(answers, str) or answers not in REPLY_TO:
        raise Invalid(_("This choice no longer exists."), "from")


def _require_readers(action: dict[str, Any]) -> None:
    channel = channel_of(action)
    if any(one["kind"] in NOT_BY.get(channel, ()) for one in addressed(action)):
        raise Invalid(_("Customers have no bell and no messenger here: choose employees."), "to")
    if channel != "email" and action.keys() & set(COPIES):
        raise Invalid(_("Only letters have copies."), "to")
    for place in ("to", *COPIES):
        typed = [str(one["address"]) for one in action.get(place, []) if one["kind"] == "address"]
        if len(typed) > MOST_ADDRESSES:
            raise Invalid(_("At most %(most)s addresses stand in one place.", most=MOST_ADDRESSES), "to")
        for address in typed:
            if CLEAN[channel](address) != address:
                raise Invalid(_("This is no address: %(address)s", address=address[:60]), "to")


def _counted(node: Any, depth: int = 0) -> tuple[int, int, int]:
    """(criteria, groups within, how deep they stand) of a tree."""
    if "field" in node:
        return 1, 0, 0
    group = next((name for name in ("all", "any") if isinstance(node.get(name), list)), None)
    parts = [_counted(part, depth + 1) for part in node[group]] if group else []
    deepest = max((part[2] for part in parts), default=0)
    return sum(part[0] for part in parts), sum(part[1] for part in parts) + (depth > 0), max(deepest, depth)


def _require_criteria(session: Session, node: Any, depth: int) -> None:
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        raise Invalid(_("These criteria can't be understood."), "criteria")
    group = next((name for name in ("all", "any") if isinstance(node.get(name), list)), None)
    if "field" in node:
        _require_criterion(session, node)
    elif group is None:
        raise Invalid(_("These criteria can't be understood."), "criteria")
    else:
        for part in node[group]:
            _require_criteria(session, part, depth + 1)


def _require_criterion(session: Session, node: Mapping[str, Any]) -> None:
    known = find_field(str(node["field"]))
    role = session.get(Role, int(known.name[5:])) if known is not None and known.group == "role" else known
    if known is None or role is None:
        raise Invalid(_("A criterion asks for a field there is not."), "criteria")
    op, value = node.get("op"), node.get("value")
    if op not in comparisons(known.kind):
        raise Invalid(_("The field “%(field)s” can't be compared so.", field=_(known.label) if known.label else known.name), "criteria")
    if op in ALWAYS:
        return
    is_list = op in LISTS or op == "between"
    values = value if is_list and isinstance(value, list) else [] if is_list else [value]
    enough = len(values) == 2 if op == "between" else bool(values)
    if not enough or not all(_fits(known, op, one) for one in values):
        raise Invalid(_("This value can't be used here."), "criteria")


def _fits(known: Field, op: str, value: Any) -> bool:
    """Whether a value has the type of its field."""
    if known.kind in ("money", "number", "reference", "references") or op in DAYS:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_MONEY
    if known.kind != "date":
        return isinstance(value, str) and 0 < len(value) <= 200 and not (op in LISTS and "," in value)
    try:
        return bool(date.fromisoformat(value).isoformat() == value)
    except (TypeError, ValueError):
        return False
