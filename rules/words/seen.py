"""What a rule saw and what it wanted, in words: of a criterion that did not hold, and of a start condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kanban import i18n
from kanban.criteria import CHANGES
from kanban.facts import Field, find_field, percent
from kanban.i18n import _
from rules.logs.why import Failed
from rules.lookup import Lookup
from rules.words.sentences import condition_of
from rules.words.starts import PHASE_WORDS

MOST_SHOWN = 5  # linked orders, tags and the like
MOST_SIGNS = 80


@dataclass(frozen=True)
class Compared:
    """number: of a criterion, 0 of a start condition. seen: "" where nothing is known. about: what more is to say of it."""

    number: int
    name: str
    seen: str
    wanted: str
    about: str = ""


def compared(failed: Failed, facts: Mapping[str, Any], lookup: Lookup) -> Compared:
    verdict = failed.verdict
    known = find_field(verdict.field, lookup.role_names)
    if known is None:
        return Compared(failed.number, _("A criterion asks for a field there is not."), "", "")
    condition = condition_of({"field": verdict.field, "op": verdict.op, "value": verdict.wanted}, lookup)
    name = known.label if known.group == "role" else _(known.label)
    wanted = " ".join(part for part in (condition.op, condition.value) if part)
    seen, about = _seen(known, verdict, facts, lookup)
    return Compared(failed.number, name, seen, wanted, about)


def _seen(known: Field, verdict: Any, facts: Mapping[str, Any], lookup: Lookup) -> tuple[str, str]:
    """(the value in words, what more is to say)."""
    if known.name.startswith("linked."):
        return _seen_linked(known, facts, lookup)
    was = facts.get("was")
    if verdict.op in CHANGES and isinstance(was, Mapping):
        now = value_words(known, verdict.seen, lookup)
        return (f"{value_words(known, was[known.name], lookup)} → {now}", "") if known.name in was else (now, _("did not change"))
    if verdict.truth is None and (verdict.seen is None or verdict.op in CHANGES):
        return "", _("this was not kept at that time")
    about = _("this can't be compared") if verdict.truth is None else ""
    return value_words(known, verdict.seen, lookup), about


def _seen_linked(known: Field, facts: Mapping[str, Any], lookup: Lookup) -> tuple[str, str]:
    orders = _linked(facts)
    if not orders:
        return "", _("there was no linked order")
    name = known.name.partition(".")[2]
    values = [(str(one.get("number", "")), one.get("fields", {})) for one in orders]
    words = [f"{number}: {value_words(known, fields[name], lookup)}" for number, fields in values if name in fields]
    return _few(words), "" if words else _("this was not kept at that time")


def value_words(known: Field, value: Any, lookup: Lookup) -> str:
    """A value as facts keep it, with the names of that time."""
    if value in (None, "", []):
        return _("empty")
    if isinstance(value, list):
        return _few([value_words(known, one, lookup) for one in value])
    if isinstance(value, Mapping):
        name = str(value.get("name", ""))
        return i18n.quoted(name) if known.choices in ("statuses", "other_statuses") else name
    if known.group == "role":
        person = lookup.people.get(value)
        return person.name if person else _("gone")
    return _plain(known, value)


def _plain(known: Field, value: Any) -> str:
    """A sum, a day, a number or a text."""
    if known.kind == "money" and isinstance(value, int):
        return i18n.money(value)
    if known.kind == "date":
        return i18n.day_long(_day(value)) or str(value)
    if known.kind == "number":
        return f"{value}\u00a0%" if known.name == "paid_percent" else str(value)
    text = str(value)
    return i18n.quoted(text if len(text) <= MOST_SIGNS else text[: MOST_SIGNS - 1] + "…")


def start_compared(trigger: str, options: Mapping[str, Any], facts: Mapping[str, Any]) -> Compared:
    """Of a start condition that did not hold (rules.evaluator.starts)."""
    if trigger == "paid":
        return _paid(options, facts)
    if trigger == "all_linked":
        word = PHASE_WORDS.get(str(options.get("phase")))
        orders = [one for one in _linked(facts) if not one.get("is_source")]
        seen = _few([f"{one.get('number', '')}: {_phase(one)}" for one in orders])
        wanted = _("all in the phase “%(phase)s”", phase=_(word) if word else _("gone"))
        return Compared(0, _("Linked orders"), seen, wanted, "" if orders else _("there was no linked order"))
    return Compared(0, _("Start condition"), "", "")


def _paid(options: Mapping[str, Any], facts: Mapping[str, Any]) -> Compared:
    """What was paid before and after, as the condition counts it: in money or in per cent."""
    fields, was = facts.get("fields"), facts.get("was")
    is_sum = "sum" in options
    share = i18n.money(options["sum"]) if is_sum else f"{options.get('percent', 0)}\u00a0%"
    wanted = _("from less than %(share)s to that much or more", share=share)
    if not isinstance(fields, Mapping) or not isinstance(was, Mapping) or not {"paid", "total", "status_before"} <= fields.keys():
        return Compared(0, _("Payment"), "", wanted, _("this was not kept at that time"))
    paid, total = fields["paid"], fields["total"]
    is_new = fields["status_before"] is None
    before = (0, total) if is_new else (was.get("paid", paid), was.get("total", total))
    words = [i18n.money(one) if is_sum else _share(one, of) for one, of in (before, (paid, total))]
    return Compared(0, _("Payment"), " → ".join(words), wanted)


def _share(paid: int, total: int) -> str:
    share = percent(paid, total)
    return _("no total") if share is None else f"{share}\u00a0%"


def _phase(order: Mapping[str, Any]) -> str:
    status = order.get("status")
    word = PHASE_WORDS.get(str(status.get("phase"))) if isinstance(status, Mapping) else None
    return _(word) if word else "?"


def _linked(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    linked = facts.get("linked")
    return [one for one in linked if isinstance(one, Mapping)] if isinstance(linked, list) else []


def _few(words: list[str]) -> str:
    return ", ".join(words[:MOST_SHOWN]) + ("…" if len(words) > MOST_SHOWN else "")


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
