"""What other mail programs read: mutt, reformime (of maildrop) and Perl's Email::MIME, all from Debian (tests/install_mail.sh).

Each gives a letter's decoded From, To, Subject and what it is told to show besides. None of them forgives what Python forgives.
"""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

FIELDS = ("From", "To", "Cc", "Subject")
SECONDS = 30
_PERL = """
use Email::MIME; use open qw(:std :utf8); binmode(STDIN, ':raw'); local $/; my $letter = Email::MIME->new(<STDIN>);
for my $name (@ARGV) { my $value = $letter->header_str($name); print "$name: $value\\n" if defined $value; }
"""
_MUTTRC = """
set charset=utf-8 idn_decode=no pipe_decode=yes pipe_sep="%%%%\\n" wait_key=no sort=mailbox-order
set folder="{folder}" record="" move=no wrap=10000
ignore *
unignore from to cc subject
alternative_order text/plain
push '<tag-pattern>~A<enter><tag-prefix><pipe-message>cat > "{folder}/shown"<enter><exit>'
"""


def is_here() -> bool:
    perl = shutil.which("perl")
    found = perl and subprocess.run([perl, "-MEmail::MIME", "-e", "1"], capture_output=True, check=False).returncode == 0
    return bool(found and shutil.which("mutt") and shutil.which("reformime"))


IS_HERE = is_here()


def email_mime(message: bytes) -> dict[str, str]:
    shown = subprocess.run(["perl", "-e", _PERL, *FIELDS], input=message, capture_output=True, check=True, timeout=SECONDS).stdout.decode()
    return _fields(shown)


def reformime(message: bytes) -> dict[str, str]:
    """It is given each field as it stands in the letter, unfolded."""
    head = message.partition(b"\r\n\r\n")[0].decode()
    found = {}
    for field in re.split(r"\r\n(?![ \t])", head):
        name, _colon, value = field.partition(": ")
        if name in FIELDS:
            option = "-h" if name == "Subject" else "-H"
            command = ["reformime", "-c", "utf-8", option, value.replace("\r\n", "")]
            shown = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout.decode()
            found[name] = re.sub(r"\n *", "", shown).removesuffix("\n")
    return found


def mutt(messages: list[bytes], folder: Path) -> list[tuple[dict[str, str], str]]:
    """(fields, body) of each letter, piped out of mutt's index: it draws on a terminal of our own, which nobody looks at."""
    mailbox = b"".join(b"From potok Thu Jan  1 00:00:00 2026\n" + message.replace(b"\r\n", b"\n") + b"\n" for message in messages)
    (folder / "mailbox").write_bytes(mailbox)
    (folder / "muttrc").write_text(_MUTTRC.format(folder=folder))
    command = ["mutt", "-n", "-F", str(folder / "muttrc"), "-R", "-f", str(folder / "mailbox")]
    _run_in_terminal(command, {"TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": os.environ["PATH"]})
    shown = []
    for part in (folder / "shown").read_text().split("%%%%\n")[:-1]:
        head, _end, body = part.partition("\n\n")
        shown.append((_fields(re.sub(r"\n[ \t]+", " ", head)), body))
    return shown


def _run_in_terminal(command: list[str], environment: dict[str, str]) -> None:
    terminal, end = pty.openpty()
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment, start_new_session=True) as process:
        os.close(end)
        try:
            while os.read(terminal, 65_536):
                pass
        except OSError:  # the other end is closed: it has ended
            pass
        finally:
            process.wait(SECONDS)
            os.close(terminal)


def _fields(shown: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in shown.splitlines() if line.startswith(tuple(f"{name}: " for name in FIELDS)))


def people(shown: str) -> list[tuple[str, str]]:
    """(name, address) of what a reader shows: names decoded, quoted where they need it."""
    found = re.findall(r'\s*("(?:[^"\\]|\\.)*"|[^<]*?)\s*<([^<>]*)>(?:,|$)', shown)
    return [(re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name, address) for name, address in found]
