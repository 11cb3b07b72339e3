"""What a new firm still has to do before Potok works for it: read off what there is, until all is done or an administrator hides it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.i18n import N_
from kanban.models import Order, Person, Setting
from kanban.policy import require_admin
from kanban.settings import write_setting

HIDDEN = "first_steps_hidden"


@dataclass(frozen=True)
class FirstStep:
    """name: also of its link's end of the page. title, why, do: texts to be translated. endpoint, anchor: where it is done; "" on
    the board."""

    name: str
    title: str
    why: str
    do: str
    endpoint: str
    is_done: ColumnElement[bool]
    anchor: str = ""


@dataclass
class Others:
    """Steps of the other package, before those of this one: set by app.py."""

    steps: Sequence[FirstStep] = field(default_factory=tuple)


others = Others()
OWN = (
    FirstStep(
        "people",
        N_("Employees"),
        N_("Add the people who work on orders and their roles: e-mails are sent by role."),
        N_("Add an employee"),
        "people.new",
        select(func.count() > 1).select_from(Person).where(Person.active).scalar_subquery(),
        "person",
    ),
    FirstStep(
        "order",
        N_("First order"),
        N_("Add one, and those responsible for its status get an e-mail."),
        N_("Add an order"),
        "",
        exists(select(Order.id)),
    ),
)


@dataclass(frozen=True)
class FirstSteps:
    """steps: each with whether it is done."""

    steps: tuple[tuple[FirstStep, bool], ...]

    @property
    def done(self) -> int:
        return sum(is_done for _step, is_done in self.steps)

    @property
    def next(self) -> FirstStep:
        return next(step for step, is_done in self.steps if not is_done)


def first_steps(session: Session) -> FirstSteps | None:
    """By one statement; None once all are done, or they are hidden."""
    steps = (*others.steps, *OWN)
    hidden = exists(select(Setting.name).where(Setting.name == HIDDEN))
    is_hidden, *done = session.execute(select(hidden, *(step.is_done for step in steps))).one()
    if is_hidden or all(done):
        return None
    return FirstSteps(tuple((step, bool(is_done)) for step, is_done in zip(steps, done, strict=True)))


def hide(session: Session, actor: Actor) -> None:
    """For good, for all administrators. Raises Forbidden."""
    require_admin(actor)
    write_setting(session, HIDDEN, "yes")
