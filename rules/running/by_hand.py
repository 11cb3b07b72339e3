"""Rules that start by hand: buttons on an order, for the roles that a rule names."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kanban import clock, facts, orders
from kanban.actor import Actor
from kanban.errors import Forbidden, NotFound
from kanban.events import Recorded, record
from kanban.i18n import _
from kanban.models import Order
from kanban.orders.place import repeated
from kanban.policy import may_administer, may_write
from rules.models import Rule, RuleVersion
from rules.stored import is_readable


@dataclass(frozen=True)
class Button:
    rule_id: int
    text: str
    roles: frozenset[int]

    def is_for(self, actor: Actor) -> bool:
        """Administrators press any; others those of their roles, or those of no role."""
        return may_administer(actor) or (may_write(actor) and (not self.roles or bool(self.roles & actor.role_ids)))


def buttons(session: Session, board_id: int, actor: Actor) -> list[Button]:
    """The buttons of a board's orders that this person may press, by one statement."""
    rows = session.execute(
        select(Rule.id, RuleVersion.options, RuleVersion.criteria, RuleVersion.actions)
        .join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.board_id == board_id, Rule.active, RuleVersion.trigger == "hand")
        .where(or_(Rule.paused_until.is_(None), Rule.paused_until <= clock.now()))
        .order_by(Rule.id)
    )
    readable = [(id_, options) for id_, options, criteria, actions in rows if is_readable("hand", options, criteria, actions)]
    found = [Button(id_, options["button"], frozenset(options.get("roles") or [])) for id_, options in readable]
    return [one for one in found if one.is_for(actor)]


def press(session: Session, actor: Actor, order_id: int, rule_id: int, key: str = "") -> tuple[Order, Recorded | None]:
    """An event of the order that wakes this rule alone; asked again with the same key, none. Raises NotFound, Forbidden."""
    order = orders.find_order(session, order_id)
    button = next((one for one in buttons(session, order.board_id, actor) if one.rule_id == rule_id), None)
    if button is None:
        if session.get(Rule, rule_id) is None:
            raise NotFound(_("This button is gone. Reload the page."))
        raise Forbidden(_("This button is not for you."))
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    known = facts.snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
    recorded = record(
        session, order, "order.asked", actor, facts=known | {"rule": rule_id}, key=key,
        after={"rule": {"id": rule_id, "name": button.text}},
    )  # fmt: skip
    return order, recorded
