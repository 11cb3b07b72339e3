"""Where a secret goes: it is sent to the server it was typed for, and to another one only once it is typed again."""

from dataclasses import dataclass

from kanban.i18n import N_

TYPE_AGAIN = N_("The server has changed: enter the password again. It is only sent to the server it was entered for.")


@dataclass(frozen=True)
class End:
    """With a verified certificate any port is the same server's; without one it's anybody's."""

    host: str
    is_verified: bool
    port: int


def end_of(host: str, port: int, *, is_verified: bool) -> End:
    return End(host.casefold().rstrip("."), is_verified, 0 if is_verified else port)


def must_be_typed(before: End, after: End, *, has_secret: bool, is_typed: bool) -> bool:
    """Whether what is kept would go to another server than before, which could be used to read it."""
    return has_secret and not is_typed and before != after
