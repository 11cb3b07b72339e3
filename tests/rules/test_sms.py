"""How many SMS a text takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.transports.sms_length import SmsLength, sms_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", SmsLength(0, 0, 160)),
        ("a" * 160, SmsLength(1, 160, 160)),
        ("a" * 161, SmsLength(2, 161, 306)),
        ("a" * 306, SmsLength(2, 306, 306)),
        ("a" * 307, SmsLength(3, 307, 459)),
        ("€" * 80, SmsLength(1, 160, 160)),
        ("a" * 152 + "€" + "b" * 7, SmsLength(2, 161, 306)),
        ("a" * 152 + "€" + "b" * 152, SmsLength(3, 306, 459)),  # the sign of two septets moves whole into the second part
        ("Заказ К-0001: Оплачен.", SmsLength(1, 22, 70)),
        ("я" * 70, SmsLength(1, 70, 70)),
        ("я" * 71, SmsLength(2, 71, 134)),
        ("я" * 135, SmsLength(3, 135, 201)),
        ("a" * 69 + "ё", SmsLength(1, 70, 70)),
        ("я" * 69 + "😀", SmsLength(2, 71, 134)),
        ("я" * 66 + "😀" + "я" * 66, SmsLength(3, 134, 201)),
        ("quote «»", SmsLength(1, 8, 70)),
        ("line\nline", SmsLength(1, 9, 160)),
        ("tab\tis not GSM", SmsLength(1, 14, 70)),
    ],
)
def test_parts(text: str, length: SmsLength) -> None:
    assert sms_length(text) == length


@given(st.text(max_size=400))
def test_a_text_always_fits_into_its_parts_and_not_into_one_less(text: str) -> None:
    length = sms_length(text)
    assert length.used <= length.most
    each = 153 if length.most % 153 == 0 or length.most == 160 else 67
    assert length.parts <= 1 or length.used > (length.parts - 1) * (each - 1)
    assert sms_length(text + "a").parts >= length.parts
