"""Where roles read mail, which addresses may be written to, and how people are greeted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.dates import last_day, long_date
from notifier.domain.greeting import greeting_name
from notifier.domain.mailboxes import CentralMailboxes, envelope_address, mailbox_of
from notifier.domain.rate import TokenBucket
from tuntas_contracts.vocabulary import Role

CENTRAL = CentralMailboxes(national_administrator="admin@lapor.example", supervisor="pengawas@lapor.example", operator="op@lapor.example")
AGENCY = "pengaduan@kemenkes.agency.example"


@pytest.mark.parametrize(
    ("role", "agency", "level", "expected"),
    [
        (Role.LIAISON_OFFICER, AGENCY, "red", "pengaduan+liaison_officer@kemenkes.agency.example"),
        (Role.HEAD, AGENCY, "missed", "pengaduan+head@kemenkes.agency.example"),
        (Role.HEAD, None, "missed", None),
        (Role.NATIONAL_ADMINISTRATOR, AGENCY, "missed", "admin@lapor.example"),
        (Role.SUPERVISOR, AGENCY, "missed", "pengawas@lapor.example"),
        (Role.SUPERVISOR, AGENCY, "escalated", "lapor+supervisor@prov-jabar.agency.example"),
        (Role.OPERATOR, None, None, "op@lapor.example"),
        (Role.AUDITOR, AGENCY, None, None),
    ],
)
def test_each_role_has_its_mailbox(role: Role, agency: str | None, level: str | None, expected: str | None) -> None:
    assert mailbox_of(role, agency, "lapor@prov-jabar.agency.example", level, CENTRAL) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "siti",
        "siti@",
        "@a.id",
        "a@b",
        "a b@c.id",
        "a@b.id\r\nBcc: x@y.id",
        "a@b.id>\r\nDATA",
        "<a@b.id>",
        "a@b..id",
        "a@-b.id",
        "é@b.id",
        "a,b@c.id",
        "x" * 65 + "@b.id",
    ],
)
def test_no_mail_is_sent_to_what_is_no_address(address: str) -> None:
    assert envelope_address(address) is None


def test_an_international_domain_is_written_in_ascii() -> None:
    assert envelope_address("siti@bücher.example") == "siti@xn--bcher-kva.example"


@given(st.text())
def test_whatever_is_accepted_stays_on_one_line_of_ascii(text: str) -> None:
    found = envelope_address(text)
    assert found is None or (found.isascii() and found.isprintable() and not set(found) & set("<> "))


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Siti Nurhaliza", "Siti Nurhaliza"),
        ("Dr. H. Budi Santoso, S.H., M.Kom", "Dr. H. Budi Santoso, S.H., M.Kom"),
        ("Ni Luh\r\nBcc: x@y.id", "Ni Luh Bcc x y. id"),
        ("Menang undian di www.judi.example/klik", "Menang undian di"),
        ("https://judi.example", None),
        ("   ", None),
        (None, None),
        ("3273010101900001", None),
        ("D'Angelo O’Brien", "D'Angelo O’Brien"),
        ("Muh.Rizal", "Muh. Rizal"),
        ("Hj.Siti Aminah", "Hj. Siti Aminah"),
        ("Abd.Rahman Drs.Joko", "Abd. Rahman Drs. Joko"),
        ("Ame\u0301lie", "Amélie"),
        ("Si\u200bti \u202eAminah", "Siti Aminah"),
        ("\u3164\u2800", None),
        ("Dr.Com", None),
        ("moh.web.example", None),
    ],
)
def test_a_greeting_is_a_name_and_no_advertisement(name: str | None, greeted: str | None) -> None:
    assert greeting_name(name) == greeted


def test_a_deadline_at_midnight_is_the_day_that_it_ends() -> None:
    midnight_in_jakarta = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    assert last_day(midnight_in_jakarta, "Asia/Jakarta", "id") == "Selasa, 24 November 2026 (WIB)"
    assert last_day(midnight_in_jakarta, "Asia/Jayapura", "en") == "Wednesday, 25 November 2026 (WIT)"
    assert long_date(datetime(2026, 8, 17, tzinfo=UTC), "Asia/Jakarta", "id") == "Senin, 17 Agustus 2026"


@given(st.lists(st.floats(0, 5), min_size=1, max_size=50))
def test_no_more_than_the_rate_passes_whatever_the_moments(steps: list[float]) -> None:
    bucket, now, passed = TokenBucket(rate=10, burst=20, now=0.0), 0.0, 0
    for step in steps:
        now += step
        free = bucket.available(now)
        bucket.take(free)
        passed += free
        assert bucket.wait_for(1) > 0 or free == 0
    assert passed <= 20 + 10 * now + 1e-6
