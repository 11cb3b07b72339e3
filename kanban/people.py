"""The verbs of people, roles and organisations: the only code that changes them."""

import re
import uuid
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from kanban import clock, journal, sign_ins
from kanban.actor import Actor
from kanban.emails import clean_email
from kanban.errors import Conflict, Invalid, NotFound
from kanban.i18n import LANGUAGES, _
from kanban.journal import Kind
from kanban.live import end_streams, publish
from kanban.models import ACCESSES, THEMES, TONES, Order, OrderPerson, Organisation, Person, Role, Status
from kanban.orders.gates import let_go
from kanban.phones import e164
from kanban.policy import require_admin
from kanban.references import Reference, ReferenceKind
from kanban.settings import country
from kanban.sign_ins import Purpose


@dataclass
class PersonFields:
    """What an admin writes about a person. language: "" follows the browser."""

    name: str
    email: str
    phone: str = ""
    access: str = "staff"
    language: str = ""
    role_ids: list[int] = field(default_factory=list)
    active: bool = True
    chat: str = ""


def clean_phone(text: str) -> str:
    """As typed, if it can be dialled; "" stays. Raises Invalid."""
    text = text.strip()
    if text and not e164(text, country()):
        raise Invalid(_("This is not a valid phone number: enter it as +7 900 123-45-67."), "phone")
    return text


def clean_chat(text: str) -> str:
    """Where a messenger finds somebody: a number, or a name without spaces. Raises Invalid."""
    text = text.strip()
    if text and not re.fullmatch(r"[^\s,;]{1,80}", text):
        raise Invalid(_("This is not a valid messenger address: enter a number, or a name without spaces."), "chat")
    return text


def add_person(session: Session, actor: Actor | None, fields: PersonFields, password_hash: str | None = None) -> Person:
    """A new employee. actor is None only while the firm is set up; what another one types as their password, they must change.
    Raises Forbidden, Invalid."""
    if actor is not None:
        require_admin(actor)
    count = session.scalar(select(func.count()).select_from(Person)) or 0
    tone = TONES[(count * 7 + 6) % len(TONES)]
    person = Person(fs_uniquifier=uuid.uuid4().hex, password=password_hash, tone=tone, held_roles=[])
    person.must_change_password = actor is not None and password_hash is not None
    _write(session, person, fields)
    session.add(person)
    session.flush()
    if actor is not None:
        journal.note(session, Kind.PERSON_ADDED, actor, about=person.name, access=person.access)
    publish(session, "people")
    return person


RIGHTS = {"email", "access", "active", "roles"}


def change_person(session: Session, actor: Actor, person_id: int, fields: PersonFields) -> Person:
    """Raises Forbidden, NotFound, Invalid, and Conflict where the firm would be left without an administrator."""
    require_admin(actor)
    person = find_person(session, person_id)
    before = _noted(person)
    _write(session, person, fields)
    if (person.access != "admin" or not person.active) and not _other_admin(session, person):
        raise Conflict(_("Potok needs at least one active administrator."))
    session.flush()
    changed = {name: [before[name], value] for name, value in _noted(person).items() if value != before[name]}
    if "email" in changed or "active" in changed:
        sign_ins.end_links(session, person.id)
        sign_ins.end_all(session, person)
    if changed:
        journal.note(session, Kind.PERSON_CHANGED, actor, about=person.name, changed=changed)
    if changed.keys() & RIGHTS:
        end_streams(session, person.id)
    publish(session, "people")
    return person


def _noted(person: Person) -> dict[str, object]:
    """What the journal tells of: what a person signs in with and may do, and where messages reach them."""
    return {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "chat": person.chat,
        "access": person.access,
        "active": person.active,
        "roles": [role.name for role in person.held_roles],
    }


def find_person(session: Session, person_id: int) -> Person:
    person = session.scalar(
        select(Person).where(Person.id == person_id).options(selectinload(Person.held_roles)).execution_options(populate_existing=True)
    )
    if person is None:
        raise NotFound(_("Employee not found."))
    return person


def invite(session: Session, actor: Actor, person_id: int) -> tuple[Person, Purpose, str]:
    """(the person, what for, the token) of a link by which a person chooses a password. Raises Forbidden, NotFound, Conflict."""
    require_admin(actor)
    person = find_person(session, person_id)
    if not person.active:
        raise Conflict(_("%(name)s no longer works here.", name=person.name))
    purpose = Purpose.RESET if person.password else Purpose.INVITATION
    token = sign_ins.make_link(session, person.id, purpose, actor.id)
    journal.note(session, Kind.INVITED, actor, about=person.name, purpose=purpose)
    return person, purpose, token


def set_first_password(session: Session, actor: Actor, person_id: int, password_hash: str) -> None:
    """An administrator typed it: the person must change it, and is signed out everywhere. One's own stays."""
    require_admin(actor)
    person = find_person(session, person_id)
    sign_ins.set_password(session, person, password_hash, must_change=person.id != actor.id)
    journal.note(session, Kind.PASSWORD_SET, actor, about=person.name, by="administrator")


def sign_out(session: Session, actor: Actor, person_id: int) -> int:
    """Ends all of a person's sign-ins. How many there were."""
    require_admin(actor)
    person = find_person(session, person_id)
    count = sign_ins.end_all(session, person)
    journal.note(session, Kind.SIGN_INS_ENDED, actor, about=person.name, count=count)
    return count


def unlock(session: Session, email: str) -> str | None:
    """From the server's own command line: lifts the limits to guessing for this address. The token of a link to choose a password
    by, or None where it is nobody's."""
    person = sign_ins.find_by_email(session, email.strip())
    if person is None:
        return None
    person.unlocked_at = clock.now()
    journal.note(session, Kind.UNLOCKED, about=person.name)
    return sign_ins.make_link(session, person.id, Purpose.RESET)


def choose_language(session: Session, person_id: int, language: str) -> Person:
    person = find_person(session, person_id)
    if language and language not in LANGUAGES:
        raise Invalid(_("This language is not available."), "language")
    person.language = language
    return person


def choose_look(
    session: Session, person_id: int, *, theme: str | None = None, compact: bool | None = None, single_keys: bool | None = None
) -> Person:
    """One's own: what is None stays as it is. Raises Invalid."""
    if theme is not None and theme not in THEMES:
        raise Invalid(_("This choice no longer exists."), "theme")
    person = find_person(session, person_id)
    person.theme = person.theme if theme is None else theme
    person.compact = person.compact if compact is None else compact
    person.single_keys = person.single_keys if single_keys is None else single_keys
    return person


def choose_contacts(session: Session, person_id: int, phone: str, chat: str) -> Person:
    """One's own phone and messenger. Raises Invalid."""
    person = find_person(session, person_id)
    _write_contacts(person, phone, chat)
    publish(session, "people")
    return person


def _write_contacts(person: Person, phone: str, chat: str) -> None:
    """What stands there already may stay, such as an office's number with its extension."""
    person.phone = phone if phone == person.phone else clean_phone(phone)
    person.chat = chat if chat == person.chat else clean_chat(chat)


def _write(session: Session, person: Person, fields: PersonFields) -> None:
    email = clean_email(fields.email)
    holder = sign_ins.find_by_email(session, email, only_active=False)
    if holder is not None and holder.id != person.id:
        raise Invalid(_("Another employee already has this address."), "email")
    if fields.access not in ACCESSES:
        raise Invalid(_("This access level does not exist."), "access")
    if fields.language and fields.language not in LANGUAGES:
        raise Invalid(_("This language is not available."), "language")
    person.name, person.email = fields.name, email
    _write_contacts(person, fields.phone, fields.chat)
    person.access, person.language, person.active = fields.access, fields.language, fields.active
    person.held_roles = list(session.scalars(select(Role).where(Role.id.in_(fields.role_ids)).order_by(Role.position)))


def _other_admin(session: Session, person: Person) -> bool:
    return session.scalar(select(Person.id).where(Person.access == "admin", Person.active, Person.id != person.id).limit(1)) is not None


def add_role(session: Session, actor: Actor | None, name: str) -> Role:
    if actor is not None:
        require_admin(actor)
    _require_free_name(session, name, None)
    last = session.scalar(select(func.max(Role.position)))
    role = Role(name=name, position=0 if last is None else last + 1)
    session.add(role)
    session.flush()
    if actor is not None:
        journal.note(session, Kind.ROLES_CHANGED, actor, about=name, what="added")
    publish(session, "people")
    return role


def rename_role(session: Session, actor: Actor, role_id: int, name: str) -> Role:
    require_admin(actor)
    role = find_role(session, role_id)
    _require_free_name(session, name, role.id)
    journal.note(session, Kind.ROLES_CHANGED, actor, about=name, what="renamed", was=role.name)
    role.name = name
    publish(session, "people")
    return role


def remove_role(session: Session, actor: Actor, role_id: int) -> None:
    """A role goes only when no order has a person in it; rules that named it say so when they run. Raises Conflict."""
    require_admin(actor)
    role = find_role(session, role_id)
    orders = session.scalar(select(func.count()).select_from(OrderPerson).where(OrderPerson.role_id == role.id))
    if orders:
        raise Conflict(_("%(role)s is assigned on %(count)s orders, so this role can't be removed.", role=role.name, count=orders))
    guarded = list(session.scalars(select(Status.name).where(Status.moving.any(Role.id == role.id)).order_by(Status.position)))
    if guarded:
        raise Conflict(_("Only %(role)s can move orders to %(statuses)s. Change that first.", role=role.name, statuses=", ".join(guarded)))
    journal.note(session, Kind.ROLES_CHANGED, actor, about=role.name, what="removed")
    let_go(session, Reference(ReferenceKind.ROLE, role.id))
    session.delete(role)
    publish(session, "people")


def find_role(session: Session, role_id: int) -> Role:
    role = session.get(Role, role_id, populate_existing=True)
    if role is None:
        raise NotFound(_("Role not found."))
    return role


def _require_free_name(session: Session, name: str, own_id: int | None) -> None:
    holder = session.scalar(select(Role.id).where(Role.name == name))
    if holder is not None and holder != own_id:
        raise Invalid(_("A role with this name already exists."), "name")


def add_organisation(session: Session, actor: Actor | None, name: str) -> Organisation:
    if actor is not None:
        require_admin(actor)
    _require_free_organisation(session, name, None)
    organisation = Organisation(name=name)
    session.add(organisation)
    session.flush()
    return organisation


def change_organisation(session: Session, actor: Actor, organisation_id: int, name: str, active: bool) -> Organisation:
    require_admin(actor)
    organisation = session.get(Organisation, organisation_id, populate_existing=True)
    if organisation is None:
        raise NotFound(_("Organisation not found."))
    _require_free_organisation(session, name, organisation.id)
    organisation.name, organisation.active = name, active
    return organisation


def remove_organisation(session: Session, actor: Actor, organisation_id: int) -> None:
    """Raises Conflict where orders name it: then it can be put aside instead."""
    require_admin(actor)
    used = session.scalar(select(func.count()).select_from(Order).where(Order.organisation_id == organisation_id))
    if used:
        raise Conflict(_("%(count)s orders use this organisation. You can mark it as not in use instead.", count=used))
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound(_("Organisation not found."))
    let_go(session, Reference(ReferenceKind.ORGANISATION, organisation.id))
    session.delete(organisation)


def _require_free_organisation(session: Session, name: str, own_id: int | None) -> None:
    holder = session.scalar(select(Organisation.id).where(Organisation.name == name))
    if holder is not None and holder != own_id:
        raise Invalid(_("An organisation with this name already exists."), "name")
