"""Mail accounts: the firm's own, employees', and named ones."""

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base

ACCOUNT_KINDS = ("system", "person", "named", "environment")


class Outlet:
    """What every way out has: how much may leave in an hour and a day (0: as much as there is), and how it does.

    paused_until: nothing is tried before then, because the other side said so. failures: refusals in a row.
    """

    per_hour: Mapped[int] = mapped_column(default=0)
    per_day: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_error_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def weight(self) -> int:
        """What one message counts for against the limits."""
        return 1

    @property
    def is_row(self) -> ColumnElement[bool]:
        """The condition that finds this row."""
        raise NotImplementedError


class MailAccount(Outlet, Base):
    """A mailbox messages go out from. Passwords and tokens are sealed (rules.mail.accounts).

    kind: system (one), person (one each), named (info@…), or environment (the SMTP_ settings: its password is not here).
    security, receive_security: tls, starttls or none. receive_host: "" where nothing is received.
    oauth: "" (a password), google or microsoft. per_letter: recipients of a message, 0: any number.
    copy_to_self: a blind copy of each message to its own address. keep_sent: a copy in the folder of sent messages.
    fall_back: what it can't send goes by the system account. ca_pem: certificates of an authority of one's own.
    """

    __tablename__ = "mail_account"
    __table_args__ = (Index(None, "kind"), NEVER_REUSED | UNSEEN)  # rules name accounts by number: none is given twice

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), default="system")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), unique=True)
    address: Mapped[str] = mapped_column(String(254))
    sender_name: Mapped[str] = mapped_column(String(120), default="")
    host: Mapped[str] = mapped_column(String(254))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(10))
    username: Mapped[str] = mapped_column(String(254), default="")
    sealed_password: Mapped[str] = mapped_column(Text, default="")
    oauth: Mapped[str] = mapped_column(String(12), default="")
    sealed_token: Mapped[str] = mapped_column(Text, default="")
    timeout_s: Mapped[int] = mapped_column(default=20)
    receive_host: Mapped[str] = mapped_column(String(254), default="")
    receive_port: Mapped[int] = mapped_column(default=993)
    receive_security: Mapped[str] = mapped_column(String(10), default="tls")
    receive_username: Mapped[str] = mapped_column(String(254), default="")
    copy_to_self: Mapped[bool] = mapped_column(default=False)
    keep_sent: Mapped[bool] = mapped_column(default=False)
    sent_folder: Mapped[str] = mapped_column(String(120), default="")
    fall_back: Mapped[bool] = mapped_column(default=True)
    per_letter: Mapped[int] = mapped_column(default=0)
    ca_pem: Mapped[str] = mapped_column(Text, default="")

    @property
    def weight(self) -> int:
        """A copy to oneself is a message too."""
        return 2 if self.copy_to_self else 1

    @property
    def is_row(self) -> ColumnElement[bool]:
        return MailAccount.id == self.id
