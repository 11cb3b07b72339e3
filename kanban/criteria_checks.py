"""Whether criteria make sense as they are to be saved. Whatever wrote them: an editor or a file."""

from collections.abc import Callable
from datetime import date

from kanban.criteria import ALWAYS, DAYS, LISTS, SEVERAL, Comparison, Criterion, Group, Scalar, comparisons
from kanban.errors import Invalid
from kanban.fields import MOST_MONEY, Field, FieldType
from kanban.i18n import _
from kanban.references import Reference, ReferenceKind

# As much as the editor can show.
MOST_ROWS, MOST_GROUPS, MOST_NESTED = 30, 10, 3
MOST_TEXT = 200


def require_sensible(criteria: Group, has: Callable[[Reference], bool]) -> None:
    """has: whether there is what a reference points at. Raises Invalid."""
    for criterion in criteria.criteria:
        _require_criterion(criterion, has)


def is_too_much(criteria: Group) -> bool:
    groups, depth = _counted(criteria)
    return len(list(criteria.criteria)) > MOST_ROWS or groups > MOST_GROUPS or depth > MOST_NESTED


def _counted(group: Group, depth: int = 0) -> tuple[int, int]:
    """(groups within, how deep they stand) of a tree."""
    found = [_counted(part, depth + 1) for part in group.parts if isinstance(part, Group)]
    return sum(groups for groups, _depth in found) + (depth > 0), max((deep for _groups, deep in found), default=depth)


def _require_criterion(criterion: Criterion, has: Callable[[Reference], bool]) -> None:
    field = criterion.field
    if field is None or (field.role_id is not None and not has(Reference(ReferenceKind.ROLE, field.role_id))):
        raise Invalid(_("A criterion uses a field that does not exist."), "criteria")
    if criterion.op not in comparisons(field.type):
        raise Invalid(
            _("The field “%(field)s” can't be compared this way.", field=_(field.label) if field.label else field.name), "criteria"
        )
    if criterion.op in ALWAYS:
        return
    values = criterion.values
    is_enough = len(values) == 2 if criterion.op is Comparison.BETWEEN else bool(values)
    if not is_enough or isinstance(criterion.value, tuple) != (criterion.op in SEVERAL):
        raise Invalid(_("This value can't be used here."), "criteria")
    if not all(_fits(field, criterion.op, value) for value in values):
        raise Invalid(_("This value can't be used here."), "criteria")


def _fits(field: Field, op: Comparison, value: Scalar) -> bool:
    """Whether a value has the type of its field."""
    if op in DAYS or field.type in (FieldType.MONEY, FieldType.NUMBER, FieldType.REFERENCE, FieldType.REFERENCES):
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_MONEY
    if not isinstance(value, str):
        return False
    if field.type is not FieldType.DATE:
        return 0 < len(value) <= MOST_TEXT and not (op in LISTS and "," in value)
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
