"""What refusals of real mail servers mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.smtp_replies import Verdict, codes_of, verdict_of

DEAD, NO, NOW, MANY, OURS = (
    Verdict.DEAD_ADDRESS,
    Verdict.REFUSED,
    Verdict.TEMPORARY,
    Verdict.SENDING_LIMIT,
    Verdict.NOT_OF_THE_MAIL,
)

REPLIES: list[tuple[int, str, Verdict]] = [
    # nobody there
    (550, "5.1.1 The email account that you tried to reach does not exist", DEAD),
    (550, "No such user here", DEAD),
    (553, "5.1.2 bad destination system", DEAD),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", DEAD),
    (556, "5.1.10 Recipient address has null MX", DEAD),
    (554, "5.2.1 The email account is disabled", DEAD),
    (550, "5.7.17 Mailbox owner has changed", DEAD),
    # full
    (552, "5.2.2 The email account is over quota", NOW),
    (452, "4.2.2 Mailbox full", NOW),
    (552, "Requested mail action aborted: exceeded storage allocation", MANY),
    (554, "5.2.2 mailbox full", NOW),
    # too many
    (550, "5.4.5 Daily user sending quota exceeded", MANY),
    (554, "5.7.0 Too many messages from this sender", MANY),
    (550, "5.7.1 Our system has detected an unusual rate of unsolicited mail", MANY),
    (550, "5.7.708 Service unavailable. Access denied, traffic volume", MANY),
    (554, "too many messages, slow down", MANY),
    (550, "Sending limit reached, try again later", MANY),
    (451, "4.4.5 congestion", MANY),
    (452, "4.5.3 Too many recipients", NOW),
    # passing
    (451, "4.7.1 Greylisted", NOW),
    (450, "mailbox busy", NOW),
    (550, "4.3.2 enhanced code says for now", NOW),
    (554, "5.3.1 Mail system full", NOW),
    (550, "5.4.4 Unable to route", NOW),
    # our own faults: mended by us, so nothing is lost over them
    (553, "5.1.8 Sender domain does not exist", NOW),
    (554, "5.7.1 <siti@contoh.example>: Relay access denied", NOW),
    (550, "5.7.23 SPF validation failed", NOW),
    (550, "5.7.26 Unauthenticated email is not accepted from this domain", NOW),
    (530, "5.7.0 Authentication required", OURS),
    (535, "5.7.8 Bad credentials", OURS),
    (503, "5.5.1 Bad sequence of commands", OURS),
    (554, "5.5.1 no valid recipients", OURS),
    (421, "4.7.0 closing", OURS),
    # this mail is not wanted
    (552, "5.3.4 Message size exceeds fixed limit", NO),
    (554, "5.6.0 Message content rejected", NO),
    (550, "5.7.1 Rejected by recipient policy", NO),
    (554, "Transaction failed", NO),
]


@pytest.mark.parametrize(("code", "text", "verdict"), REPLIES, ids=[f"{code} {text[:40]}" for code, text, _ in REPLIES])
def test_the_enhanced_code_decides_and_a_text_where_it_is_too_broad(code: int, text: str, verdict: Verdict) -> None:
    assert verdict_of(code, text) is verdict


@given(code=st.integers(400, 499), text=st.text(max_size=80))
def test_a_passing_code_never_loses_a_mail(code: int, text: str) -> None:
    assert verdict_of(code, text) not in (DEAD, NO)


@given(code=st.integers(500, 599), detail=st.integers(0, 999), subject=st.integers(0, 999))
def test_an_enhanced_passing_code_never_loses_a_mail(code: int, subject: int, detail: int) -> None:
    assert verdict_of(code, f"4.{subject}.{detail} x") not in (DEAD, NO)


@pytest.mark.parametrize("address", ["10.5.1.1", "5.1.1.7", "15.1.1"])
def test_an_address_of_a_host_is_no_enhanced_code(address: str) -> None:
    assert codes_of(550, f"rejected by [{address}]") == "550"


def test_what_is_kept_of_an_answer_holds_no_address() -> None:
    assert codes_of(550, "5.1.1 <siti@contoh.example> is not known here") == "550 5.1.1"
