"""The demo workshop: some weeks of a firm's work, made by the verbs and the rules themselves at their own times.

Nothing of it is left to send: it was written while no mail account was set, so its e-mails lie in the tray.
"""

from datetime import time

from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import actor_of
from kanban.calendar import load_calendar
from kanban.config import Config
from kanban.first_steps import hide as hide_first_steps
from kanban.models import Person
from kanban.presets import load_preset
from kanban.presets.demo import DemoPerson, content_in, load_firm
from kanban.presets.past import Past, PastStep
from rules.editing.process_import import load_rules
from rules.logs import bell
from rules.post.demo_past import set_aside
from rules.running import reminders

BEGAN = 36  # working days before today: before the first order
LAST_READ = time(17, 30)  # of the day before the last: what the bell has rung since is unread


def fill(session: Session, config: Config, cast: list[DemoPerson], language: str) -> dict[str, Person]:
    """Fills an empty database; the listeners are to be wired (app.py). Returns the people by key."""
    content, calendar, today = content_in(language), load_calendar(session), clock.today()
    with clock.fixed_at(clock.at(calendar.shift(today, -BEGAN), time(9))):
        loaded = load_preset(session, "kitchen", language)
        firm = load_firm(session, content, loaded, cast, language)
        loaded.rules |= {"list": [*loaded.rules["list"], *content["rules"]]}
        load_rules(session, loaded, language)
        hide_first_steps(session, actor_of(session, firm.people["owner"]))
    actors = {key: actor_of(session, person) for key, person in firm.people.items()}
    past = Past(loaded, actors, firm.organisations, calendar, today)
    steps = past.steps(content)
    steps += [PastStep(at, lambda session: reminders.ring(session, clock.now(), config)) for at in past.calls]
    steps.append(PastStep(clock.at(calendar.shift(today, -2), LAST_READ), lambda session: _read_bells(session, firm.people)))
    for step in sorted(steps, key=lambda step: step.at):
        with clock.fixed_at(step.at):
            step.make(session)
    set_aside(session)
    return firm.people


def _read_bells(session: Session, people: dict[str, Person]) -> None:
    set_aside(session)
    for person in people.values():
        bell.read_all(session, person.id)
