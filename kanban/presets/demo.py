"""The demo workshop: its people with freshly made passwords, and what is said of it, in one language."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.models import Person
from kanban.people import PersonFields, add_organisation, add_person
from kanban.presets import read
from kanban.presets.loaded import Content, Loaded
from kanban.settings import write_setting

WORDS = [
    "alder",
    "almond",
    "amber",
    "anchor",
    "apple",
    "autumn",
    "barley",
    "basket",
    "beacon",
    "birch",
    "bramble",
    "breeze",
    "bridge",
    "bronze",
    "canyon",
    "cedar",
    "cherry",
    "chestnut",
    "cinder",
    "clover",
    "cobalt",
    "copper",
    "coral",
    "cotton",
    "cypress",
    "daisy",
    "dune",
    "ember",
    "falcon",
    "fern",
    "flint",
    "forest",
    "garnet",
    "ginger",
    "glacier",
    "granite",
    "harbor",
    "hazel",
    "heron",
    "hickory",
    "ivory",
    "jasmine",
    "juniper",
    "lantern",
    "laurel",
    "linen",
    "maple",
    "marble",
    "meadow",
    "orchard",
    "pebble",
    "pepper",
    "plum",
    "poplar",
    "quartz",
    "raven",
    "saffron",
    "sage",
    "slate",
    "spruce",
    "thistle",
    "velvet",
    "walnut",
    "willow",
]


@dataclass(frozen=True)
class DemoPerson:
    """password: as typed; hash made before the transaction, because it is slow."""

    key: str
    password: str
    hash: str


def make_people(hash_password: Callable[[str], str]) -> list[DemoPerson]:
    """The cast of the demo with fresh passwords."""
    people = []
    for content in read("demo")["people"]:
        password = "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
        people.append(DemoPerson(content["key"], password, hash_password(password)))
    return people


def content_in(language: str) -> Content:
    """The demo's file, with each text in this language."""
    content: Content = _said(read("demo"), language)
    return content


def _said(value: Any, language: str) -> Any:
    if isinstance(value, dict):
        return value[language] if "ru" in value else {key: _said(part, language) for key, part in value.items()}
    return [_said(part, language) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Firm:
    """The demo's people by key, and its organisations' ids."""

    people: dict[str, Person]
    organisations: list[int]


def load_firm(session: Session, content: Content, loaded: Loaded, cast: list[DemoPerson], language: str) -> Firm:
    """Company, organisations and people, in an empty database. loaded: for the roles."""
    write_setting(session, "company", content["company"])
    write_setting(session, "language", language)
    organisations = [add_organisation(session, None, name).id for name in content["organisations"]]
    said = {person["key"]: person for person in content["people"]}
    people = {one.key: _add(session, said[one.key], one.hash, content["domain"], loaded, language) for one in cast}
    return Firm(people, organisations)


def _add(session: Session, said: Content, password_hash: str, domain: str, loaded: Loaded, language: str) -> Person:
    fields = PersonFields(
        name=said["name"],
        email=f"{said['email']}@{domain}",
        access=said["access"],
        language=language,
        role_ids=[loaded.roles[key].id for key in said["roles"]],
    )
    person = add_person(session, None, fields, password_hash)
    person.tone = said["tone"]
    return person


def is_empty(session: Session) -> bool:
    return session.scalar(select(Person.id).limit(1)) is None
