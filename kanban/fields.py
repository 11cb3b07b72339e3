"""The fields of an order: each is declared once, here. Forms, history, facts, criteria, e-mails and what rules set derive from it.

A new field of the order that is a column of its own takes a line in ORDER_FIELDS, the column, its migration, and its words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from kanban.references import ReferenceKind
from kanban.translation import N_

FieldValue = str | int | date | None  # of a column: money in kopecks (or cents)
MOST_MONEY = 10**15
_ROLE = re.compile("role:([0-9]{1,10})")


class FieldType(StrEnum):
    """In facts: dates are ISO texts, money is whole kopecks (or cents), a reference is {"id", "name"}, references are a list of them."""

    TEXT = "text"
    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    TAGS = "tags"
    REFERENCE = "reference"
    REFERENCES = "references"


class FieldGroup(StrEnum):
    """order: of the order itself; role: who fills a role on it; who: who did it; linked: of the orders it is linked with."""

    ORDER = "order"
    ROLE = "role"
    WHO = "who"
    LINKED = "linked"


class Choices(StrEnum):
    """What a reference is chosen from."""

    ORGANISATIONS = "organisations"
    PEOPLE = "people"
    STATUSES = "statuses"
    OTHER_STATUSES = "other_statuses"  # of the boards whose orders are linked with this board's
    ROLES = "roles"

    @property
    def kind(self) -> ReferenceKind:
        match self:
            case Choices.ORGANISATIONS:
                return ReferenceKind.ORGANISATION
            case Choices.PEOPLE:
                return ReferenceKind.PERSON
            case Choices.ROLES:
                return ReferenceKind.ROLE
        return ReferenceKind.STATUS


@dataclass(frozen=True)
class Field:
    """label: as forms and pages call it. unit: what stands behind a number.

    is_column: a column of the order, which people write; most: how long its text, or how large its number may be.
    is_criterion: criteria may ask for it, and facts keep it. rules_set: a rule may write it.
    email_group: under which head the list beside the composer of e-mails shows it; "" where e-mails can't name it.
    has_place: pages and forms have laid a place out for it; other columns follow behind those.
    """

    name: str
    type: FieldType
    label: str
    choices: Choices | None = None
    group: FieldGroup = FieldGroup.ORDER
    unit: str = ""
    is_column: bool = False
    most: int = 0
    is_criterion: bool = True
    rules_set: bool = False
    email_group: str = ""
    has_place: bool = False

    @property
    def role_id(self) -> int | None:
        """Of «role:3»."""
        found = _ROLE.fullmatch(self.name)
        return int(found[1]) if found else None

    @property
    def reference(self) -> ReferenceKind | None:
        """What its values point at."""
        return self.choices.kind if self.choices else None

    @property
    def empty(self) -> FieldValue:
        """What a column holds where nothing was written."""
        return "" if self.type is FieldType.TEXT else 0 if self.type is FieldType.MONEY else None


T, G, C = FieldType, FieldGroup, Choices
ORDER_FIELDS = (
    Field("organisation", T.REFERENCE, N_("Organisation"), C.ORGANISATIONS, rules_set=True),
    Field("status_before", T.REFERENCE, N_("Status before"), C.STATUSES),
    Field("status_after", T.REFERENCE, N_("Status after"), C.STATUSES),
    Field("responsible", T.REFERENCE, N_("Responsible person"), C.PEOPLE),
    Field("author", T.REFERENCE, N_("Author"), C.PEOPLE),
    Field("customer", T.TEXT, N_("Customer")),
    Field("title", T.TEXT, N_("Title"), is_column=True, has_place=True, most=200, rules_set=True, email_group=N_("Order")),
    Field("total", T.MONEY, N_("Total"), is_column=True, has_place=True, rules_set=True, email_group=N_("Money")),
    Field("paid", T.MONEY, N_("Paid"), is_column=True, has_place=True, rules_set=True, email_group=N_("Money")),
    Field("paid_percent", T.NUMBER, N_("Paid, per cent"), unit="%"),
    Field("tags", T.TAGS, N_("Tags")),
    Field("order_on", T.DATE, N_("Order date"), is_column=True, has_place=True, rules_set=True, email_group=N_("Dates")),
    Field("ship_on", T.DATE, N_("Ship date"), is_column=True, has_place=True, rules_set=True, email_group=N_("Dates")),
    Field("installation_on", T.DATE, N_("Installation date"), is_column=True, has_place=True, rules_set=True, email_group=N_("Dates")),
    Field("warranty_months", T.NUMBER, N_("Warranty, months"), is_column=True, most=600, rules_set=True, email_group=N_("Order")),
    Field("installation_address", T.TEXT, N_("Installation address"), is_column=True, has_place=True, most=400, is_criterion=False),
    Field(
        "description",
        T.TEXT,
        N_("Description and requests"),
        is_column=True,
        has_place=True,
        most=10_000,
        is_criterion=False,
        rules_set=True,
        email_group=N_("Order"),
    ),
    Field("blocked", T.TEXT, N_("Blocked: reason")),
    Field("actor", T.REFERENCE, N_("Who did it"), C.PEOPLE, G.WHO),
    Field("actor_roles", T.REFERENCES, N_("Roles of the person who did it"), C.ROLES, G.WHO),
    Field("linked_count", T.NUMBER, N_("Number of linked orders"), group=G.LINKED),
    Field("linked.number", T.TEXT, N_("Linked order: number"), group=G.LINKED),
    Field("linked.status", T.REFERENCE, N_("Linked order: status"), C.OTHER_STATUSES, G.LINKED),
    Field("linked.responsible", T.REFERENCE, N_("Linked order: responsible person"), C.PEOPLE, G.LINKED),
    Field("linked.total", T.MONEY, N_("Linked order: total"), group=G.LINKED),
    Field("linked.paid", T.MONEY, N_("Linked order: paid"), group=G.LINKED),
    Field("linked.ship_on", T.DATE, N_("Linked order: ship date"), group=G.LINKED),
)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The fields of a board's orders. Passed in to whoever reads, judges or shows fields: a board may have others one day."""

    fields: Mapping[str, Field] = field(default_factory=lambda: {one.name: one for one in ORDER_FIELDS})

    def find(self, name: str) -> Field | None:
        """«role:3» is who fills that role on the order."""
        found = self.fields.get(name)
        return replace(_NOBODY, name=name) if found is None and _ROLE.fullmatch(name) else found

    def criterion(self, name: str) -> Field | None:
        """A field that criteria may ask for."""
        found = self.find(name)
        return found if found is not None and found.is_criterion else None

    @property
    def criteria(self) -> Iterator[Field]:
        return (one for one in self.fields.values() if one.is_criterion)

    @property
    def columns(self) -> Iterator[Field]:
        return (one for one in self.fields.values() if one.is_column)

    @property
    def further(self) -> Iterator[Field]:
        """Columns for which pages and forms have no place laid out."""
        return (one for one in self.columns if not one.has_place)

    @property
    def settable(self) -> Iterator[Field]:
        """What a rule may write."""
        return (one for one in self.fields.values() if one.rules_set)

    @property
    def dates(self) -> Iterator[Field]:
        """Dates of the order, which rules of time count from."""
        return (one for one in self.columns if one.type is FieldType.DATE)


BUILT_IN = Catalogue()


def catalogue_of(board_id: int) -> Catalogue:
    """The fields of a board's orders. Every board has the built-in ones and no others, so far."""
    return BUILT_IN


def role_field(role_id: int, name: str) -> Field:
    """Who fills the role on an order, under the role's name."""
    return replace(_NOBODY, name=f"role:{role_id}", label=name)


_NOBODY = Field("", FieldType.REFERENCE, "", Choices.PEOPLE, FieldGroup.ROLE)
