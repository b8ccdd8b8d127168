"""What becomes of mails that a real SMTP server, the local stack's sink, refuses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notifier.adapters.smtp import Relay, SmtpMailer
from notifier.domain.delivery import Accepted, Deferred, NotTried, Refused
from notifier.domain.mail import Mail, MailContent, build_mail
from notifier.domain.mailboxes import plain_mailbox
from tests.unit.notifier.builders import NOON, an_id
from tuntas_contracts.vocabulary import Role
from tuntas_embedded.smtp_sink import SmtpSink, stored_mails


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[SmtpSink]:
    async with SmtpSink(tmp_path / "mail.jsonl") as running:
        yield running


@pytest.fixture
async def mailer(sink: SmtpSink) -> AsyncIterator[SmtpMailer]:
    made = SmtpMailer(Relay(host="127.0.0.1", port=sink.port, security="none", connections=2, timeout_s=10))
    yield made
    await made.close()


def mail_to(recipient: str, plain: str | None = None) -> Mail:
    return build_mail(
        an_id(recipient),
        MailContent("Laporan", "Isi"),
        sender="laporan@lapor.example",
        sender_name="SP4N-LAPOR!",
        recipient=recipient,
        recipient_name=None,
        domain="lapor.example",
        date=NOON,
        plain_recipient=plain,
    )


@pytest.mark.parametrize("stage", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "limited"),
    [
        ("550 5.4.5 Daily user sending quota exceeded", True),
        ("554 5.7.0 too many messages", True),
        ("552 5.2.2 Mailbox full", False),
        ("554 5.7.1 Relay access denied", False),
    ],
)
async def test_a_quota_is_waited_for_and_the_mail_goes_out_afterwards(
    sink: SmtpSink, mailer: SmtpMailer, answer: str, limited: bool, stage: str
) -> None:
    sink.answer(answer, stage=stage)  # type: ignore[arg-type]
    (first,) = (await mailer.send([mail_to("siti@contoh.example")], 10, asyncio.Event())).attempts
    assert isinstance(first.result, Deferred)
    assert first.result.limited is limited
    assert first.result.reason.endswith(" ".join(answer.split()[:2]))
    (second,) = (await mailer.send([mail_to("siti@contoh.example")], 10, asyncio.Event())).attempts
    assert isinstance(second.result, Accepted)
    assert sink.received == 1


async def test_a_relay_that_takes_no_more_from_anybody_is_left_alone_for_a_while(sink: SmtpSink, mailer: SmtpMailer) -> None:
    sink.answer("550 5.4.5 Daily sending quota exceeded", times=1_000)
    mails = [mail_to(f"pelapor@d{n}.example") for n in range(60)]
    handover = await mailer.send(mails, 30, asyncio.Event())
    assert handover.relay_down is not None
    untried = [h for h in handover.attempts if isinstance(h.result, NotTried)]
    assert len(untried) >= 55  # each of the lines may have one mail more in hand


async def test_one_domain_that_wants_no_more_mail_stops_nobody_else(sink: SmtpSink, mailer: SmtpMailer) -> None:
    sink.answer("554 5.7.0 too many messages", times=1_000, stage="rcpt", recipients="@penuh[.]example$")
    mails = [mail_to(f"p{n}@{'penuh' if n % 2 else 'lain'}.example") for n in range(60)]
    handover = await mailer.send(mails, 30, asyncio.Event())
    assert handover.relay_down is None
    assert sink.received == 30
    assert sum(isinstance(h.result, Deferred) for h in handover.attempts) == 30


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_plus_address_that_is_not_known_is_left_for_the_plain_one(sink: SmtpSink, mailer: SmtpMailer, stage: str) -> None:
    sink.answer("550 5.1.1 User unknown", stage=stage, recipients="[+]head@")  # type: ignore[arg-type]
    (attempt,) = (await mailer.send([mail_to("x+head@dinas.example", "x@dinas.example")], 10, asyncio.Event())).attempts
    assert isinstance(attempt.result, Accepted)
    assert [kept.to for kept in stored_mails(sink.file)] == [["x@dinas.example"]]


async def test_a_dead_address_without_a_plain_one_is_refused_and_so_is_one_whose_plain_one_is_dead(
    sink: SmtpSink, mailer: SmtpMailer
) -> None:
    sink.answer("550 5.1.1 User unknown", times=3, stage="rcpt")
    for mail in (mail_to("siti@contoh.example"), mail_to("x+head@dinas.example", "x@dinas.example")):
        (attempt,) = (await mailer.send([mail], 10, asyncio.Event())).attempts
        assert attempt.result == Refused("recipient refused: 550 5.1.1", dead_address=True)
    assert sink.received == 0


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("pengaduan+head@kemenkes.example", "pengaduan@kemenkes.example"),
        ("siti+head@contoh.example", "siti@contoh.example"),
        ("siti+lapor@contoh.example", None),
        ("head@contoh.example", None),
        ("+head@contoh.example", None),
    ],
)
def test_only_a_role_is_taken_off_an_address(address: str, plain: str | None) -> None:
    assert plain_mailbox(address, Role.HEAD) == plain
