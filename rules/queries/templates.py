"""Message templates: all of them, how many rules send each, and an order to show one with."""

from collections import Counter

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.db import table
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Event, Order
from rules.models import Rule, RuleVersion, Template

MOST_EXAMPLES = 30


def all_templates(session: Session) -> list[Template]:
    return list(session.scalars(select(Template).order_by(Template.position, Template.id)))


def find_template(session: Session, template_id: int) -> Template:
    """Raises NotFound."""
    template = session.get(Template, template_id)
    if template is None:
        raise NotFound(_("Template not found."))
    return template


def last_position(session: Session) -> int:
    return session.scalar(select(func.max(Template.position))) or 0


def template_usage(session: Session) -> Counter[int]:
    """{template id: how many rules send it}. A rule that can't be read counts too: it may be mended."""
    stored = select(table(RuleVersion).c.actions).join(table(Rule), table(Rule).c.version_id == table(RuleVersion).c.id)
    return Counter(id_ for (actions,) in session.connection().execute(stored) for id_ in templates_in(actions))


def templates_in(actions: object) -> set[int]:
    """The templates that stored actions name, whatever shape they have."""
    rows = actions if isinstance(actions, list) else [actions]
    named = [row.get("template") for row in rows if isinstance(row, dict)]
    return {id_ for id_ in named if isinstance(id_, int)}


def example_orders(session: Session) -> list[Order]:
    """The newest, with their customers."""
    return list(session.scalars(_shown().order_by(Order.id.desc()).limit(MOST_EXAMPLES).options(joinedload(Order.customer))))


def example_order(session: Session, order_id: int | None) -> Order | None:
    """That order, or the newest that was made from another one, else the newest; with all that a template may name."""
    newest = select(Order.id).where(Order.removed_at.is_(None)).order_by(Order.source_id.is_(None), Order.id.desc()).limit(1)
    return session.scalar(
        _shown()
        .where(Order.id == (order_id or session.scalar(newest) or 0))
        .options(
            joinedload(Order.status),
            joinedload(Order.customer),
            joinedload(Order.organisation),
            joinedload(Order.responsible),
            joinedload(Order.author),
            selectinload(Order.people),
        )
    )


def _shown() -> Select[Order]:
    return select(Order).where(Order.removed_at.is_(None))


def last_move(session: Session, order_id: int) -> Event | None:
    """The event that a message about the order would most likely tell of."""
    kinds = ("order.moved", "order.placed")
    return session.scalar(select(Event).where(Event.order_id == order_id, Event.kind.in_(kinds)).order_by(Event.id.desc()).limit(1))
