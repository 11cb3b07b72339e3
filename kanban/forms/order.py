"""The order's form, whole or as the quick add at the top of a board."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from wtforms import DateField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Optional

from kanban.emails import clean_email
from kanban.errors import Invalid
from kanban.forms.fields import MoneyField, PotokForm, TagsField, line, text_area
from kanban.i18n import _, _l
from kanban.ids import read_id
from kanban.models import Order
from kanban.orders import OrderFields
from kanban.queries.quick import QuickChoices

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


def _sensible(_form: Any, field: Any) -> None:
    if field.data and not EARLIEST <= field.data < LATEST:
        raise ValidationError(_("Choose a day between 2000 and 2100."))


def _day(label: Any) -> DateField:
    return DateField(label, [Optional(), _sensible])


def _text(value: object) -> str:
    """A choice as it is posted; a field that was not posted is empty."""
    return "" if value is None else str(value)


class OrderForm(PotokForm):
    customer_name = line(_l("Customer"), 120, DataRequired(_l("Write who orders.")))
    customer_phone = line(_l("Phone"), 40)
    customer_email = line(_l("E-mail"), 254)
    title = line(_l("Title"), 200)
    organisation_id = SelectField(_l("Organisation"), coerce=_text, default="")
    responsible_id = SelectField(_l("Responsible"), coerce=_text, default="")
    order_on = _day(_l("Order date"))
    ship_on = _day(_l("Ship date"))
    installation_on = _day(_l("Installation date"))
    installation_address = line(_l("Installation address"), 400)
    total = MoneyField(_l("Total"))
    paid = MoneyField(_l("Paid"))
    tags = TagsField(_l("Tags"))
    description = text_area(_l("Description and wishes"), 10_000)

    def validate_customer_email(self, field: Any) -> None:
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
            customer_name=self.customer_name.data or "", customer_phone=self.customer_phone.data or "",
            customer_email=self.customer_email.data or "", title=self.title.data or "",
            organisation_id=read_id(self.organisation_id.data), responsible_id=read_id(self.responsible_id.data),
            order_on=self.order_on.data, ship_on=self.ship_on.data, installation_on=self.installation_on.data,
            installation_address=self.installation_address.data or "", total=self.total.data or 0, paid=self.paid.data or 0,
            tags=self.tags.data or [], description=self.description.data or "", people=people,
        )  # fmt: skip


def form_of(order: Order) -> OrderForm:
    """The form filled with what the order says now."""
    return OrderForm(
        formdata=None, customer_name=order.customer.name, customer_phone=order.customer.phone, customer_email=order.customer.email,
        title=order.title, organisation_id=str(order.organisation_id or ""), responsible_id=str(order.responsible_id or ""),
        order_on=order.order_on, ship_on=order.ship_on, installation_on=order.installation_on,
        installation_address=order.installation_address, total=order.total, paid=order.paid, tags=list(order.tags),
        description=order.description,
    )  # fmt: skip


class QuickForm(PotokForm):
    """What is enough to begin with."""

    customer_name = line(_l("Customer"), 120, DataRequired(_l("Write who orders.")))
    customer_phone = line(_l("Phone"), 40)
    title = line(_l("Title"), 200)
    total = MoneyField(_l("Total"))
    ship_on = _day(_l("Ship date"))
    responsible_id = SelectField(_l("Responsible"), coerce=_text)
    organisation_id = SelectField(_l("Organisation"), coerce=_text)


def quick_form(choices: QuickChoices) -> QuickForm:
    """With what may be chosen; a field that is not posted is as it would stand in the form."""
    form = QuickForm(responsible_id=str(choices.responsible_id), organisation_id=_text(choices.organisation_id))
    for field, offered in ((form.responsible_id, choices.people), (form.organisation_id, choices.firms)):
        field.choices = [SelectChoice("", "—"), *(SelectChoice(str(one.id), one.name) for one in offered)]
    return form
