"""The verbs of hosts inside the firm's network: an administrator names them, one by one."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.config import Config
from kanban.errors import Conflict, Invalid, NotFound
from kanban.firm import change_settings
from kanban.i18n import _
from kanban.models import Setting
from kanban.settings import setting, write_setting
from rules.models import Gateway, MailAccount
from rules.transports.gateways import fields_of
from rules.transports.reach import MOST_NAMED, normal, read_reach
from rules.transports.services import SERVICES, end_of_gateway

NAME = "inner_hosts"


def named(session: Session) -> list[str]:
    return setting(session, NAME).split()


def name_host(session: Session, actor: Actor, typed: str) -> str:
    """A name, an address or a network. Raises Forbidden, Invalid, Conflict."""
    host = normal(typed)
    if not re.fullmatch(r"[\w.:-]{1,253}(?:/[0-9]{1,3})?", host) or host.startswith(("-", ".")):
        raise Invalid(_("Enter a name such as mail.company.local, an address, or a network such as 10.0.0.0/8."), "host")
    try:
        read_reach(host)
    except ValueError:
        raise Invalid(_("This is not a valid network: enter it as 10.0.0.0/8."), "host") from None
    before = named(session)
    if host in before:
        raise Conflict(_("%(host)s is already allowed.", host=host))
    if len(before) >= MOST_NAMED:
        raise Invalid(_("At most %(most)s hosts are allowed.", most=MOST_NAMED), "host")
    change_settings(session, actor, inner_hosts=" ".join([*before, host]))
    return host


def forget_host(session: Session, actor: Actor, host: str) -> None:
    """Raises Forbidden, NotFound."""
    before = named(session)
    if host not in before:
        raise NotFound(_("Host not found."))
    change_settings(session, actor, inner_hosts=" ".join(one for one in before if one != host))


def name_hosts_in_use(session: Session, config: Config) -> None:
    """Once: what accounts and gateways reached before anybody was asked is named. A public host among them changes nothing."""
    if session.get(Setting, NAME) is not None:
        return
    hosts = {host for row in session.execute(select(MailAccount.host, MailAccount.receive_host)) for host in row if host}
    for stored in session.scalars(select(Gateway)):
        end = end_of_gateway(SERVICES[stored.service], fields_of(stored, config))
        hosts |= {end.host} if end and end.host else set()
    write_setting(session, NAME, " ".join(sorted(map(normal, hosts))[:MOST_NAMED]))
