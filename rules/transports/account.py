"""A mail account as a transport needs it."""

from dataclasses import dataclass, field

from rules.transports.reach import NOWHERE_INSIDE, Reach


@dataclass(frozen=True)
class Account:
    """What a transport needs to know. security: tls from the first byte, starttls, or none. token: of oauth."""

    address: str
    sender_name: str
    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    timeout_s: int = 20
    ca_file: str = ""
    stored_id: int | None = None
    ca_pem: str = ""
    name_servers: str = ""
    oauth: str = ""
    token: str = field(default="", repr=False)
    copy_to_self: bool = False
    per_letter: int = 0
    receive_host: str = ""
    receive_port: int = 993
    receive_security: str = "tls"
    receive_username: str = ""
    keep_sent: bool = False
    sent_folder: str = ""
    reach: Reach = NOWHERE_INSIDE
    is_sealed: bool = False  # its secret was sealed with another key: nothing is signed in to with it


class Sealed(OSError):
    """The secret of an account can't be opened, and must be typed again."""

    def __init__(self) -> None:
        super().__init__("the password was sealed with another key: type it again")
