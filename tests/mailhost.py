"""A mail host as a small works has one: a real Postfix and a real Dovecot of our own, at the real ports of a loopback address.

All of it lives in one temporary folder; /etc/postfix, /etc/dovecot and system services are not touched. Nothing can leave the
machine: Postfix knows one domain, delivers it into Maildirs, and has no SMTP client among its services.

tests/install_mail.sh installs what is needed; `IS_HERE` says whether it's there. Dovecot 2.4 has another configuration language.
"""

import base64
import email
import email.policy
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import IO

import trustme

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
POSTFIX = shutil.which("postfix", path=PATH)
DOVECOT = shutil.which("dovecot", path=PATH)


def is_here() -> bool:
    """Postfix, Dovecot 2.3 with its IMAP, flock, and root: only root may have ports under 1024 and processes of several users."""
    if not (POSTFIX and DOVECOT and Path("/usr/lib/dovecot/imap").exists() and shutil.which("flock") and os.geteuid() == 0):
        return False
    return subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, check=False).stdout.startswith("2.3.")


IS_HERE = is_here()
ADDRESS = "127.0.0.25"
USERS = {"potok@kuhni.example": "app-password", "client@kuhni.example": "client-password"}
OWNER = 5000  # uid and gid of the Maildirs; needs no entry in /etc/passwd
LOCK_S, START_S, STOP_S = 120, 30, 30

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/postfix-data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_protocols = ipv4
inet_interfaces = loopback-only
myhostname = {name}
myorigin = {domain}
mynetworks =
mydestination =
relay_domains =
alias_maps =
local_recipient_maps =
notify_classes =
biff = no
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/postfix/mailboxes
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
virtual_transport = virtual
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
local_transport = error:nobody is local here
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_tls_chain_files = {folder}/server.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/run/auth-postfix
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient,
    check_policy_service unix:{folder}/run/quota-postfix
"""

MASTER_CF = """\
{address}:587 inet n - n - - smtpd -o syslog_name=postfix/submission
{address}:465 inet n - n - - smtpd -o syslog_name=postfix/submissions -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

# quota-status answers Postfix at RCPT, so that a full mailbox refuses as the big hosts' do. Failed sign-ins are not slowed down.
DOVECOT_CONF = """\
base_dir = {folder}/run
state_dir = {folder}/dovecot-state
log_path = {folder}/dovecot.log
instance_name = {folder}
protocols = imap
listen = {address}
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = {owner}
mail_location = maildir:~/Maildir:UTF-8
mail_plugins = quota
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/words
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/homes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:mailbox
  quota_vsizes = yes
  quota_grace = 0
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = {full_answer}
}}
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = 993
    ssl = yes
  }}
}}
service auth {{
  unix_listener auth-postfix {{
    user = postfix
    mode = 0600
  }}
}}
service quota-status {{
  executable = quota-status -p postfix
  client_limit = 1
  unix_listener quota-postfix {{
    user = postfix
    mode = 0600
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

# The keeper lives as long as its standard input is open, which is as long as the tests' process lives, even when that is killed.
# flock holds the address for one run at a time until all has ended.
KEEPER = """\
dovecot -c "$1/dovecot.conf" </dev/null || exit 1
if postfix -c "$1/postfix" start </dev/null; then
    : >"$1/up"
    cat >/dev/null
    postfix -c "$1/postfix" stop </dev/null
fi
pid=$(cat "$1/run/master.pid") && kill "$pid"
for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
[ -e "$1/up" ] && rm -rf "$1"
"""


@dataclass
class MailHost:
    """`with MailHost(ca) as host:` answers at host.address: 587 (STARTTLS), 465 (TLS), 143 (STARTTLS), 993 (TLS).

    users: address → password. login: "address", or "local" where people sign in with the part before the @ and nothing else.
    names: what the certificate is for beside the IP address; mail.DOMAIN when empty. The address is one run's at a time: a second
    waits. Raises RuntimeError with the end of the logs when the start fails.
    """

    ca: trustme.CA
    domain: str = "kuhni.example"
    users: dict[str, str] = field(default_factory=lambda: dict(USERS))
    login: str = "address"
    names: tuple[str, ...] = ()
    address: str = ADDRESS
    full_answer: str = "552 5.2.2 Mailbox is full"
    folder: Path = field(init=False)
    _full: set[str] = field(init=False, default_factory=set)
    _keeper: "subprocess.Popen[bytes]" = field(init=False)
    _stdin: IO[bytes] = field(init=False)

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def login_name(self, address: str) -> str:
        """What this person signs in with."""
        return address.partition("@")[0] if self.login == "local" else address

    def mailbox(self, address: str, folder: str = "INBOX") -> list[EmailMessage]:
        """The letters in a folder of the mailbox, oldest first; nothing is marked as seen."""
        return [email.message_from_bytes(message, policy=email.policy.default) for message in self.files(address, folder)]

    def files(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The same, as they are on disk."""
        home = self.folder / "mail" / address / "Maildir"
        place = home if folder == "INBOX" else home / f".{folder.replace('/', '.')}"
        found = sorted([*place.glob("new/*"), *place.glob("cur/*")], key=lambda path: path.name)
        return [path.read_bytes() for path in found]

    def arrived(self, address: str, count: int = 1, folder: str = "INBOX", within_s: float = 10) -> list[EmailMessage]:
        """The mailbox as soon as it holds `count` letters. Delivery comes a moment after the 250. AssertionError when it doesn't."""
        end = time.monotonic() + within_s
        while len(messages := self.mailbox(address, folder)) < count:
            assert time.monotonic() < end, f"{len(messages)} of {count} letters after {within_s} s\n{self.log_tail()}"
            time.sleep(0.02)
        return messages

    def set_full(self, address: str, full: bool = True) -> None:
        """From now on RCPT to this address is answered with full_answer, and IMAP APPEND with [OVERQUOTA]; or no more."""
        (self._full.add if full else self._full.discard)(address)
        self._write_homes()
        end = time.monotonic() + 5
        while (self._policy(address) == self.full_answer) != full:  # Dovecot looks at the file once a second
            assert time.monotonic() < end, f"Dovecot did not see the quota\n{self.log_tail()}"
            time.sleep(0.05)

    def log_tail(self, lines: int = 15) -> str:
        found = [path for path in sorted(self.folder.glob("*.log")) if path.stat().st_size]
        return "\n".join(f"{path.name}:\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) for path in found)

    def __enter__(self) -> "MailHost":
        assert POSTFIX and DOVECOT, "Postfix and Dovecot are absent: see IS_HERE"
        self.folder = Path(tempfile.mkdtemp(prefix="potok-mail-", dir="/tmp"))  # a socket's path is 107 characters at most
        try:
            self._write()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_keeper"):
            self._stdin.close()
            self._keeper.wait(STOP_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        self.folder.chmod(0o755)  # the daemons' own users come through here
        for name in ("postfix", "spool", "postfix-data", "dovecot-state", "mail"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "postfix-data", "postfix")
        os.chown(self.folder / "mail", OWNER, OWNER)
        names = self.names or (f"mail.{self.domain}",)
        self.ca.cert_pem.write_to_path(self.ca_file)
        certificate = self.ca.issue_cert(*names, self.address)
        self._write_file("server.pem", certificate.private_key_and_cert_chain_pem.bytes().decode(), 0o600)
        self._write_file("server.key", certificate.private_key_pem.bytes().decode(), 0o600)
        values = {
            "folder": self.folder,
            "address": self.address,
            "name": names[0],
            "domain": self.domain,
            "owner": OWNER,
            "full_answer": self.full_answer,
        }
        self._write_file("postfix/main.cf", MAIN_CF.format(**values))
        self._write_file("postfix/master.cf", MASTER_CF.format(**values))
        self._write_file("postfix/mailboxes", "".join(f"{address} {address}/Maildir/\n" for address in self.users))
        self._write_file("dovecot.conf", DOVECOT_CONF.format(**values))
        words = ((self.login_name(address), base64.b64encode(word.encode()).decode()) for address, word in self.users.items())
        self._write_file("words", "".join(f"{name}:{{PLAIN.b64}}{word}\n" for name, word in words), 0o644)
        self._write_homes()

    def _write_homes(self) -> None:
        """Under the login for IMAP, and under the address for quota-status."""
        lines = []
        for address in self.users:
            limit = "userdb_quota_rule=*:bytes=1" if address in self._full else ""
            lines += [
                f"{name}::{OWNER}:{OWNER}::{self.folder}/mail/{address}::{limit}\n" for name in sorted({address, self.login_name(address)})
            ]
        self._write_file("homes.new", "".join(lines))
        (self.folder / "homes.new").replace(self.folder / "homes")

    def _policy(self, address: str) -> str:
        """What quota-status tells Postfix about a letter to this address. https://www.postfix.org/SMTPD_POLICY_README.html"""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"{self.folder}/run/quota-postfix")
            connection.sendall(f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={address}\nsize=1000\n\n".encode())
            with connection.makefile() as answer:
                return answer.readline().strip().removeprefix("action=")

    def _write_file(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def _start(self) -> None:
        lock = Path(tempfile.gettempdir()) / f"potok-mail-{self.address}.lock"
        command = ["flock", "-o", "-w", str(LOCK_S), str(lock), "sh", "-c", KEEPER, "sh", str(self.folder)]
        with (self.folder / "keeper.log").open("wb") as log:
            self._keeper = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, cwd="/", env={"PATH": PATH}
            )
        assert self._keeper.stdin
        self._stdin = self._keeper.stdin
        end = time.monotonic() + LOCK_S + START_S
        while not ((self.folder / "up").exists() and all(self._answers(port) for port in (587, 465, 143, 993))):
            if self._keeper.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the mail host at {self.address} did not start:\n{self.log_tail()}")
            time.sleep(0.02)

    def _answers(self, port: int) -> bool:
        """It greets; or, where TLS comes first, takes the connection."""
        try:
            with socket.create_connection((self.address, port), timeout=5) as probe:
                return port in (465, 993) or bool(probe.recv(1))
        except OSError:
            return False
