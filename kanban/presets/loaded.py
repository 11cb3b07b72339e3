"""What a process file has made so far: things by their keys, and what became of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kanban.errors import Invalid
from kanban.i18n import N_, _
from kanban.models import Board, Role, Status
from kanban.snapshot import Named

KINDS = {
    "role": N_("Role"),
    "board": N_("Board"),
    "status": N_("Status"),
    "gate": N_("Gate"),
    "template": N_("Template"),
    "matrix": N_("Who is notified"),
    "rule": N_("Rule"),
}


Content = dict[str, Any]  # what stands in a file, of the shape that schema.yaml gives
Entry = TypeVar("Entry", bound=Named)
Row = TypeVar("Row")


@dataclass(frozen=True)
class ImportedThing:
    """What a file says of one thing. what: new, changed, same or skipped. details: what changed, or why it is skipped."""

    kind: str
    name: str
    what: str
    details: tuple[str, ...] = ()


@dataclass
class Loaded:
    """Things by the keys of the file; `rules` is the section for the rules package. found: what was made of the file."""

    roles: dict[str, Role] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    rules: Content = field(default_factory=dict)
    found: list[ImportedThing] = field(default_factory=list)
    taken: set[tuple[str, int]] = field(default_factory=set)

    def match(self, kind: str, name: str, things: Iterable[Entry]) -> Entry | None:
        """The first thing of this name that the file has not named yet; None where there is none."""
        for one in things:
            if folded(one.name) == folded(name) and (kind, one.id) not in self.taken:
                self.taken.add((kind, one.id))
                return one
        return None

    def note(self, kind: str, name: str, before: Mapping[str, object] | None, after: Mapping[str, object]) -> bool:
        """Notes what becomes of a thing. before: None where it is new; both as {what it is called: text}. Whether it differs."""
        if before is None:
            self.found.append(ImportedThing(kind, name, "new"))
            return True
        differing = [key for key in after if before.get(key) != after[key]]
        details = tuple(_("%(what)s: %(old)s → %(new)s", what=key, old=_said(before.get(key)), new=_said(after[key])) for key in differing)
        self.found.append(ImportedThing(kind, name, "changed" if details else "same", details))
        return bool(details)


def _said(value: object) -> str:
    """A value of a thing, in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value or "—")


def words(value: object, language: str) -> str:
    """A text of a file: as it is, or in the language; in another where it has none."""
    if isinstance(value, Mapping):
        return str(value.get(language) or next(iter(value.values())))
    return str(value or "")


def named(said: object, language: str, most: int) -> str:
    """A name of the file. Raises Invalid."""
    name = " ".join(words(said, language).split())
    if not 0 < len(name) <= most:
        raise Invalid(_("“%(name)s” is not a valid name: use 1 to %(most)s characters.", name=name[:40], most=most), "file")
    return name


def folded(name: str) -> str:
    """As names are compared: whatever their case and spaces."""
    return " ".join(name.split()).casefold()


def of_key(things: Mapping[str, Row], key: object, kind: str) -> Row:
    """What a key of the file stands for. Raises Invalid."""
    if not isinstance(key, str) or key not in things:
        raise Invalid(_("%(kind)s “%(key)s”: the file has nothing with this key.", kind=_(KINDS[kind]), key=str(key)[:60]), "file")
    return things[key]
