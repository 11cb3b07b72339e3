"""A mail account's servers found, and the account checked, stage by stage: by htmx each stage is a request of its own and
shows as it ends; without it all stages run in one."""

from dataclasses import replace

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from kanban import clock, guesses
from kanban.db import db
from kanban.emails import clean_email
from kanban.errors import Invalid, NotFound
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person
from kanban.i18n import _, language
from kanban.settings import setting
from kanban.transactions import Turn, transaction
from rules.forms.account import SendingForm
from rules.mail import check, discovery, mailboxes, oauth
from rules.mail.accounts import as_account, system_account
from rules.mail.check import Checked
from rules.mail.providers import FoundServers
from rules.mail.steps import DiscoveryStep
from rules.models import MailAccount, Message
from rules.post.health import health_of, note_error, note_sent
from rules.post.rendering import render_message
from rules.transports.account import Account
from rules.transports.reach import reach_of
from rules.views.mail import accounts_list, both, bp, config, page, provider_of, read, shows_list

__all__ = ["bp"]  # the pages of mail, with the steps that are added to them here
END = "end"  # the stage after the last: it was skipped


def count_try() -> None:
    """429 where one person tries too often; a whole search and check is eight tries."""
    if not guesses.hit("mail", str(person().id)):
        abort(429)


@both("/find/<stage>", methods=["POST"])
def find(which: str, stage: str) -> ResponseReturnValue:
    """«Find settings»: nothing is saved, and no password is sent."""
    form, account = SendingForm(), read(which)
    count_try()
    if stage not in (*discovery.STAGES, END):
        raise NotFound(_("Page not found."))
    stored = mailboxes.find(db.session(), account)
    draft = _draft(form.address.data or "", stored)
    if draft is None:
        form.address.errors = [_("Enter the full address first, such as name@company.com.")]
        return _filled(which, form, stored) if is_htmx() else page(which, "sending", form=form, code=422)
    db.session.rollback()
    stages = () if stage == END else discovery.STAGES[discovery.STAGES.index(stage) :]
    skipped = request.args.get("skipped", "")
    if is_htmx() and skipped in discovery.STAGES:
        return fragment(_find_rows(which, [discovery.skipped(skipped)], stages, is_over=not stages))
    steps, found = _looked(stages[:1] if is_htmx() else stages, draft)
    if found:
        form.fill(found)
    if not is_htmx():
        return page(which, "sending", form=form, found_steps=steps, found=found)
    rows = _find_rows(which, steps, () if found else stages[1:], is_over=not found and not stages[1:])
    if found:
        rows += render_template("mail/_servers.html", which=which, form=form, found=found, services=oauth.offered(config()), oob=True)
    return fragment(rows)


def _find_rows(which: str, steps: list[DiscoveryStep], rest: tuple[str, ...], *, is_over: bool) -> str:
    """What was found, and a line for the next stage, which asks for it as soon as it is shown."""
    return render_template(
        "mail/_find_steps.html",
        which=which,
        steps=steps,
        next_stage=rest[0] if rest else None,
        names=discovery.STAGE_NAMES,
        after=rest[1] if len(rest) > 1 else END,
        not_found=is_over,
    )


def _looked(stages: tuple[str, ...], draft: Account) -> tuple[list[DiscoveryStep], FoundServers | None]:
    """The stages until one finds something."""
    steps = []
    for stage in stages:
        step, found = discovery.look(stage, draft)
        steps.append(step)
        if found:
            return steps, found
    return steps, None


def _draft(text: str, stored: MailAccount | None) -> Account | None:
    try:
        address = clean_email(text)
    except Invalid:
        return None
    return Account(
        address,
        "",
        "",
        0,
        "tls",
        "",
        "",
        ca_file=config().smtp_ca_file,
        ca_pem=stored.ca_pem if stored else "",
        name_servers=config().dns_servers,
        reach=reach_of(config()),
    )


def _filled(which: str, form: SendingForm, stored: MailAccount | None) -> ResponseReturnValue:
    """The form's fields again, with what is wrong."""
    html = render_template("mail/_sending.html", which=which, form=form, stored=stored, provider=None, services=oauth.offered(config()))
    return fragment(html, 422, retarget="#sending-fields", reswap="outerHTML")


@both("/check/<stage>", methods=["POST"])
def check_account(which: str, stage: str) -> ResponseReturnValue:
    """«Check»: connects, signs in, sends a message to itself, finds it."""
    whose = read(which)
    count_try()
    stored = mailboxes.find(db.session(), whose)
    if stored is None or stage not in check.STAGES or (stage == "mailbox" and not stored.receive_host):
        raise NotFound(_("Save the address and the outgoing server first."))
    account, lost = _opened(stored)
    message_id = request.form.get("email", "")
    stages = check.STAGES[check.STAGES.index(stage) :]
    steps: list[DiscoveryStep] = []
    if lost:
        return _shown(which, lost, None, "") if is_htmx() else page(which, "sending", checked=lost, code=422)
    for one in stages:
        checked, message_id = _stage(one, account, message_id)
        account = _kept(account, one, checked)
        steps += checked.steps
        is_last = not checked.is_good or one == stages[-1] or (one == "email" and not account.receive_host)
        if is_last or is_htmx():
            break
    result = Checked(tuple(steps), checked.is_good, checked.answer)
    if not is_htmx():
        return page(which, "sending", checked=result, code=200 if result.is_good else 422)
    return _shown(which, result, None if is_last else stages[1], message_id)


def _opened(stored: MailAccount) -> tuple[Account, Checked | None]:
    """With a token where it signs in by one; or what stands against that."""
    account = as_account(stored, config())
    if not account.oauth:
        return account, None
    try:
        from rules.mail import oauth_client  # noqa: PLC0415, 10 MB with its libraries

        return replace(account, token=oauth_client.fresh(account, config())), None
    except oauth.SignInLost as lost:
        return account, Checked((DiscoveryStep(_("Sign-in"), "false", _("refused")),), False, str(lost))


def _stage(stage: str, account: Account, message_id: str) -> tuple[Checked, str]:
    if stage == "sign-in":
        db.session.rollback()
        return check.sign_in(account), ""
    if stage == "email":
        message = render_message(_test_message(account), config().public_url)
        db.session.rollback()
        return check.send_to_self(account, message), message.message_id
    if not check.TEST_ID.fullmatch(message_id):
        raise NotFound(_("Message not found."))
    db.session.rollback()
    return check.find_in_mailbox(account, message_id), message_id


def _kept(account: Account, stage: str, checked: Checked) -> Account:
    """What a stage taught is kept: health, and the right user name."""
    id_, now = account.stored_id or 0, clock.now()
    with transaction(Turn.NONE) as session:
        if checked.username:
            mailboxes.correct_username(session, id_, "receive_username" if stage == "mailbox" else "username", checked.username)
        stored = session.get(MailAccount, id_)
        if stored is None:
            return account
        if checked.answer and stage != "mailbox":
            note_error(session, stored, checked.answer, now)
        elif stage == "email":
            note_sent(session, stored, now, wakes=True)
        return replace(as_account(stored, config()), token=account.token)


def _shown(which: str, checked: Checked, next_stage: str | None, message_id: str) -> ResponseReturnValue:
    """The steps; health beside them; and, once it's over, the list of accounts anew."""
    reading, account = db.session(), read(which)
    stored = mailboxes.find(reading, account)
    system = system_account(reading, config())
    health = health_of(reading, stored, clock.now(), system.id if system else None) if stored else None
    return fragment(
        render_template(
            "mail/_check_steps.html",
            which=which,
            checked=checked,
            next_stage=next_stage,
            message_id=message_id,
            names=check.STAGE_NAMES,
            stored=stored,
            health=health,
            provider=provider_of(stored),
            account=account,
            system=system,
            **(accounts_list(system) if next_stage is None and shows_list(which) else {}),
        )
    )


def _test_message(account: Account) -> Message:
    now = clock.now()
    host = config().public_host
    return Message(
        key="",
        kind="test",
        address=account.address,
        name=account.sender_name,
        subject=_("Potok: test e-mail"),
        text=_(
            "If you can read this, e-mails from Potok arrive. It was sent from %(account)s at the request of %(person)s.",
            account=account.address,
            person=person().name,
        ),
        layout={"firm": setting(db.session(), "company"), "why": {"kind": "test"}},
        language=language(),
        message_id=f"<potok.test.{now.timestamp():.6f}@{host}>",
    )
