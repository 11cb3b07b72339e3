"""Fields as people fill them in: sums with spaces and commas, tags, one-line texts."""

import re
import unicodedata
from decimal import Decimal

from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.validators import Length
from wtforms.widgets import TextInput

from kanban import i18n
from kanban.i18n import _

MOST_MONEY = 10**15
_BREAKS = re.compile(r"[\s\u2028\u2029]+")
_INVISIBLE = {"Cc", "Cs", "Co", "Cn"}


def one_line(text: str | None) -> str | None:
    """No control characters, no line breaks, so that no field ever becomes a header; emoji and any script stay."""
    if text is None:
        return None
    text = "".join(sign if unicodedata.category(sign) not in _INVISIBLE or sign in "\n\r\t" else "" for sign in text)
    return _BREAKS.sub(" ", text).strip()


def many_lines(text: str | None) -> str | None:
    """Line breaks stay; other control characters go."""
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in _INVISIBLE).strip()


def line(label: object, most: int, *validators: object, **options: object) -> StringField:
    return StringField(label, [*validators, Length(max=most)], filters=[one_line], **options)


def text_area(label: object, most: int, *validators: object, **options: object) -> TextAreaField:
    return TextAreaField(label, [*validators, Length(max=most)], filters=[many_lines], **options)


class MoneyField(Field):  # type: ignore[misc]
    """«486 000», «486000,50», «486 000 ₽» → minor units; empty is 0."""

    widget = TextInput()
    data: int | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return i18n.amount(self.data) if self.data else ""

    def process_formdata(self, values: list[str]) -> None:
        if values:
            self.data = parse_money(values[0])


def parse_money(text: str) -> int:
    """Minor units. Raises ValueError with a sentence.

    A comma groups thousands in English, or where a point follows it, and never after a single 0.
    """
    plain = re.sub(r"[\s\u00a0\u202f₽$€£]|руб\.?|р\.", "", text.replace(i18n.currency_symbol(i18n.currency()), ""))
    if not plain:
        return 0
    if re.fullmatch(r"[1-9][0-9]{0,2}(,[0-9]{3})+" + (r"(\.[0-9]+)?" if i18n.language() == "en" else r"\.[0-9]+"), plain):  # 486,000.50
        plain = plain.replace(",", "")
    if not re.fullmatch(r"-?[0-9]{1,30}([.,][0-9]{1,10})?", plain):
        raise ValueError(_("Enter the amount in digits, such as 486 000."))
    if re.search(r"[.,][0-9]{3}", plain):
        raise ValueError(_("Use at most two digits after the decimal point: %(sum)s is ambiguous.", sum=text.strip()[:40]))
    amount = Decimal(plain.replace(",", "."))
    if amount < 0 or amount * i18n.MINOR_UNITS > MOST_MONEY:
        raise ValueError(_("Enter an amount between 0 and 10 trillion."))
    return int(amount * i18n.MINOR_UNITS)


class TagsField(Field):  # type: ignore[misc]
    """Words between commas → a list without repeats."""

    widget = TextInput()
    data: list[str] | None

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or [])

    def process_formdata(self, values: list[str]) -> None:
        words = (one_line(word) for word in (values[0] if values else "").split(","))
        self.data = list(dict.fromkeys(word for word in words if word))

    def post_validate(self, form: object, validation_stopped: bool) -> None:
        if len(self.data or []) > 20 or any(len(tag) > 40 for tag in self.data or []):
            raise ValidationError(_("At most 20 tags of up to 40 characters each."))


class PotokForm(FlaskForm):  # type: ignore[misc]
    """Every form: CSRF is asked for by the application for all of them at once, so it is not repeated here."""

    class Meta:
        csrf = False
