"""The page that asks for the password once more."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import PasswordField
from wtforms.validators import DataRequired

from kanban.forms.fields import PotokForm
from kanban.i18n import _l

OWN = ("csrf_token", "confirm_password")


class ConfirmForm(PotokForm):
    confirm_password = PasswordField(_l("Password"), [DataRequired(_l("Enter your password."))])


def confirm_page(form: ConfirmForm | None = None, *, again: str = "", target: str = "", code: int = 200) -> ResponseReturnValue:
    """again: the path of a POST that was held up; its fields wait in the page. target: the page to go on to."""
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in OWN] if again else []
    html = render_template("sign_in/confirm.html", form=form or ConfirmForm(formdata=None), again=again, kept=kept, target=target)
    return html, code
