"""Letters that wait in the outbox, by bulk insert: for tests and measurements that need many."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kanban import clock
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_id
from rules.post.layout import Chosen, ChosenAs, Layout, StatusMark

TEXT = "Заказ К-0038 теперь в статусе «Предоплата».\n\n" + "\n".join(
    f"{name}: значение поля" for name in ("Изделие", "Заказчик", "Сумма", "Оплачено")
)
LAYOUT = Layout(
    "ООО «Мельников»",
    1,
    before=StatusMark("Проект готов", "blue"),
    after=StatusMark("Предоплата", "amber"),
    chosen=Chosen(ChosenAs.ROLE, "Менеджер"),
)


def put_messages(
    addresses: Sequence[str], stem: str = "letter", *, due_at: datetime | None = None, apart_s: float = 0, account_id: int | None = None
) -> list[str]:
    """One letter to each address, in this order, due from `due_at` on (None: now) and `apart_s` apart. Returns their Message-IDs."""
    now = clock.now()
    entries = [
        OutboxEntry(
            f"{stem}-{n}:",
            "rule",
            Channel.EMAIL,
            "Ольга Белова",
            address,
            "К-0038: Предоплата",
            TEXT,
            "ru",
            "potok",
            (due_at or now) + timedelta(seconds=n * apart_s),
            now,
            account_id=account_id,
            layout=LAYOUT,
        )
        for n, address in enumerate(addresses)
    ]
    with transaction() as session:
        outbox.enqueue(session, [], entries)
    return [message_id(entry.key, entry.host) for entry in entries]
