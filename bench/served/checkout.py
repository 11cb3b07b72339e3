"""A checkout that is measured: its databases, filled by its own code, and the environment its processes run in."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("fill_database.py")
NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
DOMAIN = "melnikov.example"


@dataclass(frozen=True)
class Checkout:
    """label: heads its column. python: an interpreter with its libraries. bytecode: a folder for its compiled modules, so that
    nothing is written into the checkout."""

    path: Path
    label: str
    python: str
    bytecode: Path

    def environment(self, instance: Path, **settings: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        return own | {
            "INSTANCE": str(instance),
            "PYTHONPYCACHEPREFIX": str(self.bytecode),
            "PASSWORD_HASH_COST": "cheap",
            "BACKUP_KEPT_DAYS": "0",
            "LANG": "ru_RU.UTF-8",
            **settings,
        }

    def fill(self, instance: Path, orders: int, people: int, **settings: str) -> Path:
        """The demo in a new instance folder, with so many open orders on its first board and so many more people. Returns the folder."""
        instance.mkdir(parents=True)
        environment = self.environment(instance, **settings)
        self._run(environment, "app.py", "migrate")
        self._run(environment, str(SCRIPT), str(orders), str(people))
        return instance

    def _run(self, environment: dict[str, str], *arguments: str) -> None:
        done = subprocess.run([self.python, *arguments], cwd=self.path, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.path}: {arguments[0]} failed:\n{done.stderr[-2000:]}")


def owner_of(instance: Path) -> tuple[str, str]:
    """The owner's e-mail and password."""
    email, password = (instance / "demo.txt").read_text(encoding="utf-8").split()[:2]
    return email, password


def email_of(number: int) -> str:
    """Of one of the people that were added, counted from 0. Their password is the owner's."""
    return f"person-{number}@{DOMAIN}"
