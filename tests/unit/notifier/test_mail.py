"""The bytes of a mail, read back by the standard library's parser."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.mail import MailContent, build_mail
from tests.unit.notifier.builders import an_id

EXPECTED_HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Auto-Submitted",
    "Precedence",
    "Content-Language",
    "Content-Type",
    "Content-Transfer-Encoding",
]


def read_back(subject: str, text: str, name: str | None = None) -> tuple[EmailMessage, bytes]:
    mail = build_mail(
        an_id("notice"),
        MailContent(subject, text),
        sender="laporan@lapor.example",
        sender_name="SP4N-LAPOR!",
        recipient="siti@contoh.example",
        recipient_name=name,
        domain="lapor.example",
        date=datetime(2026, 11, 16, 5, 0, tzinfo=UTC),
    )
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed, mail.content


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_a_mail_says_who_it_is_from_that_a_machine_wrote_it_and_in_which_languages() -> None:
    mail, _ = read_back("Laporan diterima", "Yth. Siti,\n\nTerima kasih.\n", "Siti")
    assert mail["From"] == "SP4N-LAPOR! <laporan@lapor.example>"
    assert mail["To"] == "Siti <siti@contoh.example>"
    assert mail["Message-ID"] == f"<{an_id('notice')}@lapor.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "id, en"
    assert mail["Date"].datetime == datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    assert text_of(mail) == "Yth. Siti,\n\nTerima kasih.\n"


@pytest.mark.parametrize(
    "subject",
    ["Kurang–lebih – é 漢字 " * 12, "kata " * 60, "x" * 400, "=?utf-8?q?palsu?=", "Laporan: 100 % selesai"],
)
def test_any_subject_survives(subject: str) -> None:
    mail, content = read_back(subject, "isi\n")
    assert mail["Subject"] == subject.strip()
    assert max(len(line) for line in content.split(b"\r\n")) <= 78


@given(st.text(), st.text(), st.text())
def test_nothing_that_people_write_can_add_a_header_or_break_a_line(subject: str, text: str, name: str) -> None:
    mail, content = read_back(subject, text, name)
    assert mail.keys() == EXPECTED_HEADERS
    head, _, body = content.partition(b"\r\n\r\n")
    assert head.isascii()
    assert body.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert mail["To"].addresses[0].addr_spec == "siti@contoh.example"
    assert len(mail["To"].addresses) == 1


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))))
def test_the_text_arrives_as_it_was_written(text: str) -> None:
    mail, _ = read_back("s", f"{text}\n")
    assert text_of(mail) == f"{text}\n"
