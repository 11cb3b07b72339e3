"""What real servers say, and what it means for the letter and for the account."""

import smtplib

import pytest

from rules.transports.answers import judge, judge_words

WORDS = [
    # stage, words, outcome, by account, pause
    ("rcpt", "550 5.1.1 No such user", "failed", False, None),
    ("rcpt", "550 5.1.1 <x@firma.ru>: Recipient address rejected: User unknown in virtual mailbox table", "failed", False, None),
    ("rcpt", "451 4.7.1 Greylisted, please come back later", "retry", False, None),
    ("rcpt", "552 5.2.2 Mailbox size limit exceeded", "failed", False, None),
    ("rcpt", "452 4.2.2 Mailbox is full", "retry", False, None),
    ("data", "552 5.3.4 Message size exceeds fixed limit", "failed", False, None),
    ("data", "554 5.7.1 Message rejected under suspicion of SPAM", "failed", False, None),
    ("rcpt", "554 5.7.1 <x@firma.ru>: Relay access denied", "retry", True, None),
    ("mail", "553 5.7.1 Sender address rejected: not owned by auth user", "retry", True, None),
    ("mail", "530 5.7.0 Authentication required", "retry", True, None),
    ("mail", "550 5.4.5 Daily user sending limit exceeded", "retry", True, 3600),
    ("data", "451 4.7.0 Ratelimit exceeded for mailbox, try again in 20 minutes", "retry", True, 1200),
    ("rcpt", "421 4.3.2 Service shutting down", "retry", True, None),
]


@pytest.mark.parametrize(("stage", "words", "outcome", "by_account", "pause"), WORDS, ids=[one[1][:40] for one in WORDS])
def test_words_are_understood(stage: str, words: str, outcome: str, by_account: bool, pause: int | None) -> None:
    answer = judge_words(words, stage)
    assert (answer.outcome, answer.by_account, answer.pause_s, answer.text) == (outcome, by_account, pause, words)


def test_a_break_after_the_text_is_unclear_and_before_it_is_not() -> None:
    broken = smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
    assert judge(broken, "text").outcome == "unclear"
    assert judge(broken, "data").outcome == "retry" and judge(broken, "connect").by_account


def test_a_password_that_can_not_be_sent_is_not_quoted() -> None:
    try:
        "пароль".encode("ascii")
    except UnicodeEncodeError as error:
        answer = judge(error, "connect")
    assert "п" not in answer.text and answer.by_account
