"""What a rule saw and what it wanted, in words: of a criterion that did not hold, and of a start condition."""

from dataclasses import dataclass

from kanban import i18n
from kanban.criteria import CHANGES, Verdict
from kanban.facts import Facts
from kanban.fields import Field, FieldGroup
from kanban.i18n import _
from kanban.words.criteria import condition_of, few, value_words
from rules.definition.evaluator import Payment, payments_in
from rules.definition.judgement import Failed
from rules.definition.triggers import AllLinked, Paid, Trigger
from rules.queries.lookup import RuleLookup
from rules.words.triggers import phase_word


@dataclass(frozen=True)
class Compared:
    """number: of a criterion, 0 of a start condition. seen: "" where nothing is known. about: what more is to say of it."""

    number: int
    name: str
    seen: str
    wanted: str
    about: str = ""


def compared(failed: Failed, facts: Facts, board_id: int, lookup: RuleLookup) -> Compared:
    verdict = failed.verdict
    criterion = verdict.criterion
    known = lookup.field(criterion.name, board_id) if criterion is not None and criterion.field is not None else None
    if criterion is None or known is None:
        return Compared(failed.number, _("A criterion uses a field that does not exist."), "", "")
    condition = condition_of(criterion, board_id, lookup)
    wanted = " ".join(part for part in (condition.op, condition.value) if part)
    seen, about = _seen(known, verdict, facts, lookup)
    return Compared(failed.number, known.label if known.group is FieldGroup.ROLE else _(known.label), seen, wanted, about)


def _seen(known: Field, verdict: Verdict, facts: Facts, lookup: RuleLookup) -> tuple[str, str]:
    """(the value in words, what more is to say)."""
    if known.name.startswith("linked."):
        return _seen_linked(known, facts, lookup)
    is_change = verdict.criterion is not None and verdict.criterion.op in CHANGES
    if is_change and facts.was is not None:
        now, was = value_words(known, verdict.seen, lookup), facts.was
        return (f"{value_words(known, was[known.name], lookup)} → {now}", "") if known.name in was else (now, _("did not change"))
    if verdict.truth is None and (verdict.seen is None or is_change):
        return "", _("this was not recorded at that time")
    about = _("this can't be compared") if verdict.truth is None else ""
    return value_words(known, verdict.seen, lookup), about


def _seen_linked(known: Field, facts: Facts, lookup: RuleLookup) -> tuple[str, str]:
    if not facts.linked:
        return "", _("there was no linked order")
    name = known.name.partition(".")[2]
    words = [f"{order.number}: {value_words(known, order.fields[name], lookup)}" for order in facts.linked if name in order.fields]
    return few(words), "" if words else _("this was not recorded at that time")


def start_compared(trigger: Trigger, facts: Facts) -> Compared:
    """Of a start condition that did not hold (rules.definition.evaluator.starts)."""
    match trigger:
        case Paid():
            return _paid(trigger, facts)
        case AllLinked():
            orders = [order for order in facts.linked or () if not order.is_source]
            seen = few([f"{order.number}: {phase_word(order.phase)}" for order in orders])
            wanted = _("all in the phase “%(phase)s”", phase=phase_word(trigger.phase))
            return Compared(0, _("Linked orders"), seen, wanted, "" if orders else _("there was no linked order"))
    return Compared(0, _("Start condition"), "", "")


def _paid(trigger: Paid, facts: Facts) -> Compared:
    """What was paid before and after, as the condition counts it: in money or in per cent."""
    share = i18n.money(trigger.sum) if trigger.sum is not None else f"{trigger.percent or 0}\u00a0%"
    wanted, payments = _("from below %(share)s to at least that much", share=share), payments_in(facts)
    if payments is None:
        return Compared(0, _("Payment"), "", wanted, _("this was not recorded at that time"))
    words = [i18n.money(one.paid) if trigger.sum is not None else _share(one) for one in payments]
    return Compared(0, _("Payment"), " → ".join(words), wanted)


def _share(payment: Payment) -> str:
    return _("no total") if payment.total <= 0 else f"{payment.paid * 100 // payment.total}\u00a0%"
