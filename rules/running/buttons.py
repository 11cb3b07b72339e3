"""Rules that start by hand: buttons on an order, for the roles that a rule names."""

from dataclasses import dataclass, replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock, orders
from kanban.actor import Actor
from kanban.errors import Forbidden, NotFound
from kanban.events import Recorded, record
from kanban.i18n import _
from kanban.models import Order
from kanban.orders.place import repeated
from kanban.policy import may_administer, may_write
from kanban.snapshot import snapshot
from rules.definition.triggers import ByHand
from rules.models import Rule, RuleVersion
from rules.queries.versions import fields_of


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
    rules = session.scalars(
        select(Rule)
        .join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.board_id == board_id, Rule.active, RuleVersion.trigger == ByHand.kind)
        .where(or_(Rule.paused_until.is_(None), Rule.paused_until <= clock.now()))
        .options(joinedload(Rule.version))
        .order_by(Rule.id)
    )
    triggers = [(rule.id, fields_of(rule).content.trigger) for rule in rules]
    found = [Button(id_, trigger.button, frozenset(trigger.role_ids)) for id_, trigger in triggers if isinstance(trigger, ByHand)]
    return [button for button in found if button.is_for(actor)]


def press(session: Session, actor: Actor, order_id: int, rule_id: int, key: str = "") -> tuple[Order, Recorded | None]:
    """An event of the order that triggers this rule alone; asked again with the same key, none. Raises NotFound, Forbidden."""
    order = orders.find_order(session, order_id)
    button = next((found for found in buttons(session, order.board_id, actor) if found.rule_id == rule_id), None)
    if button is None:
        if session.get(Rule, rule_id) is None:
            raise NotFound(_("This button no longer exists. Reload the page."))
        raise Forbidden(_("You don't have access to this button."))
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    known = snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
    recorded = record(
        session,
        order,
        "order.asked",
        actor,
        facts=replace(known, rule_id=rule_id),
        key=key,
        after={"rule": {"id": rule_id, "name": button.text}},
    )
    return order, recorded
