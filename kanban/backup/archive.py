"""The file of a backup: a tar with gzip of the database, the keys and a list of what is in it.

With a passphrase it is sealed by age (age-encryption.org/v1): a tar of `key.age`, a key behind the passphrase, and of the tar
above as `backup.tar.gz.age`, behind that key. So it opens without Potok too: `age -d key.age > key; age -d -i key backup.tar.gz.age`.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from kanban import clock
from kanban.backup.databases import BackupError, Database
from kanban.i18n import _

FORMAT = 1
WORK = ".potok-"  # begins the name of a folder that is worked in
MANIFEST, INNER, KEY = "manifest.json", "backup.tar.gz.age", "key.age"
KEYS = ("secret_key", "seal_key")
MOST_MANIFEST = 1_000_000  # bytes
SPARE = 50 * 1024 * 1024  # bytes that stay free on the disk


@dataclass(frozen=True)
class Manifest:
    """format: of the file; revision: of the tables; files: SHA-256 by name."""

    format: int
    revision: str
    made_at: str
    files: dict[str, str]


@dataclass(frozen=True)
class Opened:
    """A backup that was taken apart. keys: by name."""

    manifest: Manifest
    database: Path
    keys: dict[str, str]

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest.made_at)


def name_of(at: datetime, *, sealed: bool) -> str:
    return f"potok-{clock.local(at):%Y-%m-%d-%H%M%S}.tar{'' if sealed else '.gz'}"


def make(database: Database, keys: dict[str, str], revision: str, path: Path, passphrase: str = "") -> int:
    """Writes the file, and only whole: under another name until it is on disk. Returns its size. Raises BackupError."""
    if path.exists():
        raise BackupError(_("The file %(path)s already exists.", path=path))
    try:
        with tempfile.TemporaryDirectory(prefix=WORK, dir=path.parent) as name:
            folder = Path(name)
            copy = folder / database.file_name
            _check_room(folder, 2 * database.size())  # the copy, and the file it is packed into
            database.dump(copy)
            inner = folder / "backup.tar.gz"
            _pack(inner, copy, keys, revision)
            copy.unlink()
            _keep(_seal(inner, passphrase) if passphrase else inner, path)
        return path.stat().st_size
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> BackupError:
    return BackupError(_("The backup can't be written to %(path)s: %(error)s.", path=folder, error=error.strerror))


def _check_room(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + SPARE:
        raise BackupError(_("Not enough disk space for the backup at %(path)s.", path=folder.parent))


def remove_leftovers(folder: Path, before: datetime) -> None:
    """Copies that somebody was killed over: each is as large as the database, and as secret."""
    for path in folder.glob(f"{WORK}*"):
        if path.is_dir() and path.stat().st_mtime < before.timestamp():
            shutil.rmtree(path)


def _pack(path: Path, database: Path, keys: dict[str, str], revision: str) -> None:
    files = {database.name: _hash(database)} | {f"keys/{name}": _hash_of(key.encode()) for name, key in keys.items()}
    manifest = Manifest(FORMAT, revision, clock.now().isoformat(), files)
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        _add(tar, MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
        for name, key in keys.items():
            _add(tar, f"keys/{name}", key.encode())
        tar.add(database, database.name)


def _seal(path: Path, passphrase: str) -> Path:
    import pyrage  # noqa: PLC0415, only where there is a passphrase

    key = pyrage.x25519.Identity.generate()
    inner, outer = path.with_name(INNER), path.with_name("backup.tar")
    with path.open("rb") as plain, inner.open("wb") as sealed:
        pyrage.encrypt_io(plain, sealed, [key.to_public()])
    path.unlink()
    with tarfile.open(outer, "w") as tar:
        _add(tar, KEY, pyrage.passphrase.encrypt(f"{key}\n".encode(), passphrase))
        tar.add(inner, INNER)
    return outer


def _keep(made: Path, path: Path) -> None:
    """On disk, then under its name."""
    made.chmod(0o600)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def opened(path: Path, passphrase: str = "") -> Iterator[Opened]:
    """Takes a backup apart in a folder that goes again. Raises BackupError where it is none, is damaged, or has another passphrase."""
    try:
        with tempfile.TemporaryDirectory(prefix=WORK, dir=path.parent) as name:
            folder = Path(name)
            plain = _unsealed(path, folder, passphrase)
            with tarfile.open(plain, "r:gz") as tar:
                found = _unpack(tar, folder)
            yield found
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise BackupError(_("%(path)s is not a Potok backup, or it is damaged.", path=path)) from error
    except OSError as error:
        raise BackupError(_("%(path)s can't be read: %(error)s.", path=path, error=error.strerror or error)) from error


def is_sealed(path: Path) -> bool:
    """By the first bytes: a plain one is gzip's."""
    with path.open("rb") as file:
        return file.read(2) != b"\x1f\x8b"


def _unsealed(path: Path, folder: Path, passphrase: str) -> Path:
    if not is_sealed(path):
        return path
    if not passphrase:
        raise BackupError(_("This backup is encrypted: set BACKUP_PASSPHRASE to the passphrase it was made with."))
    import pyrage  # noqa: PLC0415, see above

    plain = folder / "backup.tar.gz"
    with tarfile.open(path, "r:") as tar:
        try:
            key = pyrage.passphrase.decrypt(_read(tar, KEY, MOST_MANIFEST), passphrase).decode().strip()
            with plain.open("wb") as file:
                pyrage.decrypt_io(_member(tar, INNER), file, [pyrage.x25519.Identity.from_str(key)])
        except pyrage.DecryptError as error:
            raise BackupError(_("The passphrase is not the one used for this backup, or the file is damaged.")) from error
    return plain


def _unpack(tar: tarfile.TarFile, folder: Path) -> Opened:
    """Only what the list names, each under a name of our own, and compared with its sum."""
    manifest = _manifest(json.loads(_read(tar, MANIFEST, MOST_MANIFEST)))
    if manifest.format != FORMAT:
        raise BackupError(_("This backup was made by a newer version of Potok. Use that version to restore it."))
    keys = {name: _read(tar, f"keys/{name}", MOST_MANIFEST).decode() for name in KEYS}
    [database] = [name for name in manifest.files if not name.startswith("keys/")]
    copy = folder / "database"
    with copy.open("wb") as file:
        shutil.copyfileobj(_member(tar, database), file, 1024 * 1024)
    sums = {database: _hash(copy)} | {f"keys/{name}": _hash_of(key.encode()) for name, key in keys.items()}
    if sums != manifest.files:
        raise ValueError("sums differ")
    return Opened(manifest, copy.rename(folder / Path(database).name), keys)


def _manifest(found: Any) -> Manifest:
    """Raises KeyError or ValueError where it is none. A newer one may hold more."""
    if not isinstance(found, dict) or not isinstance(found["files"], dict):
        raise ValueError("no manifest")
    files = {str(name): str(value) for name, value in found["files"].items()}
    datetime.fromisoformat(str(found["made_at"]))
    return Manifest(int(found["format"]), str(found["revision"]), str(found["made_at"]), files)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(clock.now().timestamp())
    tar.addfile(member, io.BytesIO(content))


def _read(tar: tarfile.TarFile, name: str, most: int) -> bytes:
    return _member(tar, name).read(most)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise ValueError(name)
    return found


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
