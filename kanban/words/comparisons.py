"""Comparisons in words: as they stand in a sentence, and as the editor offers them."""

from kanban.criteria import Comparison
from kanban.fields import FieldType
from kanban.i18n import N_, _

C = Comparison
OPS = {
    C.EQUALS: N_("is"),
    C.NOT_EQUALS: N_("is not"),
    C.IN_LIST: N_("is one of"),
    C.NOT_IN_LIST: N_("is not one of"),
    C.FILLED: N_("is filled in"),
    C.EMPTY: N_("is empty"),
    C.MORE: N_("is more than"),
    C.LESS: N_("is less than"),
    C.AT_LEAST: N_("is at least"),
    C.AT_MOST: N_("is at most"),
    C.BETWEEN: N_("is between"),
    C.CONTAINS: N_("contains"),
    C.NOT_CONTAINS: N_("does not contain"),
    C.STARTS_WITH: N_("starts with"),
    C.WITHIN_NEXT: N_("is within the next"),
    C.WITHIN_LAST: N_("was no earlier than"),
    C.CHANGED: N_("has changed"),
    C.CHANGED_FROM: N_("has changed from"),
    C.CHANGED_TO: N_("has changed to"),
}
# As the editor offers them; above, as they stand in a sentence.
OP_LABELS = {
    C.EQUALS: N_("equals"),
    C.NOT_EQUALS: N_("does not equal"),
    C.IN_LIST: N_("in the list"),
    C.NOT_IN_LIST: N_("not in the list"),
    C.FILLED: N_("filled in"),
    C.EMPTY: N_("empty"),
    C.MORE: N_("more than"),
    C.LESS: N_("less than"),
    C.CONTAINS: N_("contains"),
    C.AT_LEAST: N_("at least"),
    C.AT_MOST: N_("at most"),
    C.BETWEEN: N_("between"),
    C.NOT_CONTAINS: N_("does not contain"),
    C.STARTS_WITH: N_("starts with"),
    C.WITHIN_NEXT: N_("within the next (days)"),
    C.WITHIN_LAST: N_("within the last (days)"),
    C.CHANGED: N_("changed"),
    C.CHANGED_FROM: N_("changed from"),
    C.CHANGED_TO: N_("changed to"),
}
DATE_OP_LABELS = {
    C.MORE: N_("after"),
    C.LESS: N_("before"),
    C.AT_LEAST: N_("on or after"),
    C.AT_MOST: N_("on or before"),
}
DATE_OPS = {
    C.MORE: N_("is after"),
    C.LESS: N_("is before"),
    C.AT_LEAST: N_("is on or after"),
    C.AT_MOST: N_("is on or before"),
}


def comparison_word(kind: FieldType, op: Comparison) -> str:
    word = DATE_OPS.get(op) if kind is FieldType.DATE else None
    return _(word or OPS[op])


def comparison_label(kind: FieldType, op: Comparison) -> str:
    word = DATE_OP_LABELS.get(op) if kind is FieldType.DATE else None
    return _(word or OP_LABELS[op])
