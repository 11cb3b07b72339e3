"""orders are found however a word is spelled; the firm's country is one setting"""

import sqlalchemy as sa
from alembic import op
from unicodedata import category, normalize

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 1000

customer = sa.table("customer", sa.column("id", sa.Integer), *(sa.column(name, sa.String) for name in ("name", "phone", "email")))
order = sa.table(
    "order",
    sa.column("id", sa.Integer),
    sa.column("customer_id", sa.Integer),
    sa.column("tags", sa.JSON),
    *(sa.column(name, sa.String) for name in ("number", "title", "installation_address", "search")),
)
setting = sa.table("setting", sa.column("name", sa.String), sa.column("value", sa.JSON))


def upgrade() -> None:
    _write_search(fold)
    found = {name: str(value["value"]) for name, value in op.get_bind().execute(sa.select(setting.c.name, setting.c.value))}
    if found.get("holidays"):
        _write("country", found["holidays"])
    elif "holidays" in found or (found and found.get("language") != "ru"):  # nothing is found where nobody has begun
        _write("public_holidays", "")  # weekends only, as before
    op.execute(setting.delete().where(setting.c.name == "holidays"))


def downgrade() -> None:
    _write_search(str.casefold)
    found = {name: str(value["value"]) for name, value in op.get_bind().execute(sa.select(setting.c.name, setting.c.value))}
    if "country" in found and found.get("public_holidays", "yes"):
        _write("holidays", found["country"])
    op.execute(setting.delete().where(setting.c.name.in_(("country", "public_holidays", "worked_days"))))


def _write(name, value):
    op.execute(setting.delete().where(setting.c.name == name))
    op.get_bind().execute(setting.insert(), {"name": name, "value": {"value": value}})


def _write_search(folded) -> None:
    """As kanban.orders.fields.search_text had it when this was written."""
    connection, last = op.get_bind(), 0
    change = order.update().where(order.c.id == sa.bindparam("of")).values(search=sa.bindparam("text"))
    rows_of = (
        sa.select(
            order.c.id,
            order.c.number,
            customer.c.name,
            order.c.title,
            customer.c.phone,
            customer.c.email,
            order.c.installation_address,
            order.c.tags,
        )
        .join_from(order, customer, customer.c.id == order.c.customer_id)
        .order_by(order.c.id)
        .limit(BATCH)
    )
    while rows := connection.execute(rows_of.where(order.c.id > last)).all():
        last = rows[-1].id
        connection.execute(change, [{"of": row.id, "text": folded(_text(row))} for row in rows])


def _text(row) -> str:
    digits = "".join(sign for sign in row.phone if sign.isdecimal())
    parts = (row.number, row.name, row.title, row.phone, digits, row.email, row.installation_address, " ".join(row.tags))
    return " ".join(part for part in parts if part)


def fold(text: str) -> str:
    """As kanban.fold had it when this was written."""
    if text.isascii():
        return text.lower()
    if not text.isprintable():
        text = "".join(sign for sign in text if category(sign) != "Cf")
    return normalize("NFC", normalize("NFC", normalize("NFC", text).casefold()).replace("ё", "е"))
