"""The order's form, whole or as the quick add at the top of a board."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import assert_never

from wtforms import DateField, IntegerField, SelectField, ValidationError
from wtforms import Field as WtField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, NumberRange, Optional

from kanban.emails import clean_email
from kanban.errors import Invalid
from kanban.fields import Catalogue, Field, FieldType, FieldValue, catalogue_of
from kanban.forms.fields import MoneyField, PotokForm, TagsField, line, text_area
from kanban.i18n import _, _l
from kanban.ids import read_id
from kanban.models import Order
from kanban.orders import OrderFields
from kanban.queries.quick import QuickChoices

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


def _sensible(_form: object, field: WtField) -> None:
    if field.data and not EARLIEST <= field.data < LATEST:
        raise ValidationError(_("Choose a day between 2000 and 2100."))


def _day(label: object) -> DateField:
    return DateField(label, [Optional(), _sensible])


def _text(value: object) -> str:
    """A choice as it is posted; a field that was not posted is empty."""
    return "" if value is None else str(value)


LONG = 1000  # characters, from which on a text has several lines


class OrderForm(PotokForm):
    """What every board's orders have. The columns of the catalogue are added by form_class."""

    catalogue: Catalogue
    customer_name = line(_l("Customer"), 120, DataRequired(_l("Enter the customer's name.")))
    customer_phone = line(_l("Phone"), 40)
    customer_email = line(_l("E-mail"), 254)
    organisation_id = SelectField(_l("Organisation"), coerce=_text, default="")
    responsible_id = SelectField(_l("Responsible person"), coerce=_text, default="")
    tags = TagsField(_l("Tags"))

    @property
    def further(self) -> list[str]:
        """Columns that follow behind those the page has laid out."""
        return [column.name for column in self.catalogue.further]

    def validate_customer_email(self, field: WtField) -> None:
        if field.data:
            try:
                field.data = clean_email(field.data)
            except Invalid as error:
                raise ValidationError(str(error.reason)) from error

    def fields(self, roles: Mapping[str, str]) -> OrderFields:
        """The typed fields. roles: the form's «role-<id>» values, by name."""
        chosen = {read_id(name[5:]): read_id(value) for name, value in roles.items() if name.startswith("role-")}
        people = {role: person for role, person in chosen.items() if role and person}
        return OrderFields(
            self.customer_name.data or "",
            self.customer_phone.data or "",
            self.customer_email.data or "",
            read_id(self.organisation_id.data),
            read_id(self.responsible_id.data),
            self.tags.data or [],
            people,
            {column.name: self._value(column) for column in self.catalogue.columns},
        )

    def _value(self, column: Field) -> FieldValue:
        typed: FieldValue = self[column.name].data
        return column.empty if typed in (None, "") else typed


@cache
def form_class(catalogue: Catalogue) -> type[OrderForm]:
    columns = {column.name: _form_field(column) for column in catalogue.columns}
    return type("OrderForm", (OrderForm,), {**columns, "catalogue": catalogue})


def _form_field(column: Field) -> WtField:
    label = _l(column.label)
    match column.type:
        case FieldType.TEXT:
            return text_area(label, column.most) if column.most > LONG else line(label, column.most)
        case FieldType.MONEY:
            return MoneyField(label)
        case FieldType.DATE:
            return _day(label)
        case FieldType.NUMBER:
            between = _l("Enter a whole number between 0 and %(most)s.", most=column.most)
            return IntegerField(label, [Optional(), NumberRange(0, column.most, between)])
        case FieldType.TAGS | FieldType.REFERENCE | FieldType.REFERENCES:
            raise TypeError(f"{column.name} is no plain column")
        case _:
            assert_never(column.type)


def form_of(order: Order) -> OrderForm:
    """The form filled with what the order says now."""
    return form_class(catalogue_of(order.board_id))(formdata=None, **values_in(order))


def values_in(order: Order) -> dict[str, object]:
    """What the order says now, by the names of the form's fields."""
    return {
        "customer_name": order.customer.name,
        "customer_phone": order.customer.phone,
        "customer_email": order.customer.email,
        "organisation_id": str(order.organisation_id or ""),
        "responsible_id": str(order.responsible_id or ""),
        "tags": list(order.tags),
        **{column.name: getattr(order, column.name) for column in catalogue_of(order.board_id).columns},
    }


class QuickForm(PotokForm):
    """What is enough to begin with."""

    customer_name = line(_l("Customer"), 120, DataRequired(_l("Enter the customer's name.")))
    customer_phone = line(_l("Phone"), 40)
    title = line(_l("Title"), 200)
    total = MoneyField(_l("Total"))
    ship_on = _day(_l("Ship date"))
    responsible_id = SelectField(_l("Responsible person"), coerce=_text)
    organisation_id = SelectField(_l("Organisation"), coerce=_text)


def quick_form(choices: QuickChoices) -> QuickForm:
    """With what may be chosen; a field that is not posted is as it would stand in the form."""
    form = QuickForm(responsible_id=str(choices.responsible_id), organisation_id=_text(choices.organisation_id))
    for field, offered in ((form.responsible_id, choices.people), (form.organisation_id, choices.firms)):
        field.choices = [SelectChoice("", "—"), *(SelectChoice(str(one.id), one.name) for one in offered)]
    return form
