"""Letters that wait in the outbox, by bulk insert: for tests and measurements that need many."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from kanban import clock
from kanban.db import transaction
from rules.post import outbox

TEXT = "Заказ К-0038 теперь в статусе «Предоплата».\n\n" + "\n".join(
    f"{name}: значение поля" for name in ("Изделие", "Заказчик", "Сумма", "Оплачено")
)
LAYOUT = {
    "firm": "ООО «Мельников»", "order_id": 1, "before": {"name": "Проект готов", "tone": "blue"},
    "after": {"name": "Предоплата", "tone": "amber"}, "why": {"kind": "role", "role": "Менеджер", "filled": False},
}  # fmt: skip


def put_letters(
    addresses: Sequence[str], stem: str = "letter", *, due_at: datetime | None = None, apart_s: float = 0, account_id: int | None = None
) -> list[str]:
    """One letter to each address, in this order, due from `due_at` on (None: now) and `apart_s` apart. Returns their Message-IDs:
    <stem.number@potok>."""
    now = clock.now()
    ids = [f"<{stem}.{n}@potok>" for n in range(len(addresses))]
    rows: list[dict[str, Any]] = [
        {"key": f"{stem}:{n}", "kind": "rule", "channel": "email", "name": "Ольга Белова", "address": address,
         "subject": "К-0038: Предоплата", "text": TEXT, "layout": LAYOUT, "language": "ru", "message_id": ids[n],
         "state": "waiting", "due_at": (due_at or now) + timedelta(seconds=n * apart_s), "attempts": 0, "error": "", "created_at": now,
         "account_id": account_id}
        for n, address in enumerate(addresses)
    ]  # fmt: skip
    with transaction() as session:
        outbox.enqueue(session, [], rows)
    return ids
