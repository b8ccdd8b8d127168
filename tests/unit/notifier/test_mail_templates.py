"""Every kind of letter as golden files. After a change of a template: run with `UPDATE_GOLDEN=1`, and read what changed."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.adapters.templates import MailTemplates
from notifier.application.ports import UnrenderableLetter
from notifier.domain.decisions import notice_of, notices_of_deadline
from notifier.domain.delivery import Delivery
from notifier.domain.notices import Notice, NoticeKind
from tests.unit.notifier.builders import (
    CASE_ID,
    DUE,
    NOON,
    a_claimed,
    a_delivery,
    an_id,
    answered,
    archived,
    closed,
    fast_tracked,
    forwarded,
    missed,
    refused,
    resumed,
    returned,
    submitted,
    warning,
)
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.sla import DeadlineMissed, DeadlineWarning
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Clock, Role, WarningLevel
from tuntas_reference.profile import Anchor, WarningRule, load_profile

GOLDEN = Path(__file__).parent / "golden"
LETTERS = MailTemplates()


def _of(event: CaseEvent) -> Notice:
    notice = notice_of(event)
    assert notice is not None
    return notice


NOTICES: dict[str, Notice] = {
    "receipt": _of(submitted()),
    "receipt_anonymous_secret": _of(submitted(anonymous=True, secret=True, classification=Classification.INFORMATION)),
    "receipt_aspiration": _of(submitted(classification=Classification.ASPIRATION)),
    "forwarded": _of(forwarded()),
    "forwarded_anonymous_arbitrated": _of(forwarded(arbitrated=True, bounces=2, report={"anonymous": True})),
    "forwarded_fast_track": _of(fast_tracked()),
    "returned": _of(returned()),
    "returned_to_arbitration": _of(returned(arbitration=True)),
    "archived": _of(archived()),
    "archived_duplicate": _of(archived(reason=ArchiveReason.DUPLICATE)),
    "answered": _of(answered()),
    "answered_again": _of(answered(supplement=True)),
    "resumed": _of(resumed()),
    "closed_by_time": _of(closed()),
    "closed_of_a_later_release": _of(closed(reason="later_reason")),
    "closed_satisfied": _of(closed(reason="satisfied", rating=4)),
    "input_refused_closed": _of(refused()),
    "input_refused_not_answered": _of(refused(state=CaseState.AT_AGENCY)),
    "input_refused_responded": _of(refused(state=CaseState.RESPONDED)),
    "reminder": notices_of_deadline(warning(Clock.C6, WarningLevel.REMINDER, Role.REPORTER))[0],
    "reminder_other_clock": notices_of_deadline(warning(Clock.C8, WarningLevel.REMINDER, Role.REPORTER))[0],
    "reminder_data": notices_of_deadline(warning(Clock.C7, WarningLevel.REMINDER, Role.REPORTER))[0],
    "overdue_again": notices_of_deadline(missed(Clock.C8, Role.REPORTER))[0],
    "overdue": notices_of_deadline(missed(Clock.C4, Role.REPORTER))[0],
    "warning": notices_of_deadline(warning(Clock.C3, WarningLevel.YELLOW, Role.LIAISON_OFFICER))[0],
    "warning_national": notices_of_deadline(
        warning(Clock.C1, WarningLevel.REMINDER, Role.NATIONAL_ADMINISTRATOR, agency=None, unit=None, service_class=None)
    )[0],
    "missed": notices_of_deadline(missed(Clock.C4, Role.HEAD))[0],
    "missed_escalated": notices_of_deadline(
        warning(Clock.C4, WarningLevel.ESCALATED, Role.SUPERVISOR, occurred_at=DUE + timedelta(days=7))
    )[0],
}


@pytest.mark.parametrize("name", NOTICES)
def test_the_letter_reads_as_agreed(name: str) -> None:
    notice = NOTICES[name]
    delivery = Delivery(an_id(name), CASE_ID, notice.kind, notice.recipient, notice.agency, notice.variables, NOON)
    reader = "Siti Nurhaliza" if notice.recipient is Role.REPORTER else None
    letter = LETTERS.write(
        a_claimed(delivery, agency_name=None if notice.agency is None else "Kementerian Kesehatan"),
        name=reader,
        page="https://lapor.example/laporan/2611-7KQ4-XM",
    )
    found = f"Subject: {letter.subject}\n\n{letter.text}"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
    assert "\n\n\n" not in found.replace("\n\n\n--", "")
    assert "None" not in found


def test_every_kind_has_a_golden_letter() -> None:
    assert {notice.kind for notice in NOTICES.values()} == set(NoticeKind)
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(NOTICES)


def test_the_receipt_of_a_report_that_somebody_else_entered_tells_the_code_in_both_languages() -> None:
    notice = NOTICES["receipt"]
    delivery = Delivery(an_id("x"), CASE_ID, notice.kind, notice.recipient, notice.agency, notice.variables, NOON)
    letter = LETTERS.write(a_claimed(delivery), name=None, page="https://lapor.example/x", access_code="AAAA-BBBB-CCCC-DDDD")
    assert letter.text.count("AAAA-BBBB-CCCC-DDDD") == 2
    assert "yang Anda terima saat melapor" not in letter.text
    assert "\n\n\n" not in letter.text.replace("\n\n\n--", "")


PROFILE = load_profile()
LEVELS = [(rule.code, level) for rule in PROFILE.clocks for level in rule.warnings]


@pytest.mark.parametrize(("code", "rule"), LEVELS, ids=[f"{code} {rule.level}" for code, rule in LEVELS])
def test_every_level_of_every_clock_says_what_is_so(code: str, rule: WarningRule) -> None:
    """A warning before the deadline never says that it is over, one at or after it never that it is near."""
    clock = Clock(code)
    over = rule.is_deadline or (rule.anchor is Anchor.END and not isinstance(rule.days, str) and rule.days > 0)
    event: DeadlineWarning | DeadlineMissed = (
        missed(clock, *rule.recipients, level=rule.level)
        if rule.is_deadline
        else warning(clock, rule.level, *rule.recipients, occurred_at=DUE + timedelta(days=7 if over else -2))
    )
    notices = notices_of_deadline(event)
    assert [notice.recipient for notice in notices] == list(rule.recipients)
    for notice in notices:
        delivery = Delivery(an_id(code), CASE_ID, notice.kind, notice.recipient, notice.agency, notice.variables, NOON)
        letter = LETTERS.write(a_claimed(delivery), name=None, page="https://lapor.example/x")
        text = f"{letter.subject} {letter.text}".lower()
        near = [word for word in ("mendekati", "is near", "masih dapat", "can still", "lengkapi di") if word in text]
        late = [word for word in ("terlambat", "overdue", "eskalasi", "escalated", "melampaui", "belum selesai meskipun") if word in text]
        assert bool(near) is not over, (near, letter.subject)
        assert bool(late) is over, (late, letter.subject)
        if clock is Clock.C8 and notice.recipient is Role.REPORTER:
            assert "jawaban baru" in text
            assert "belum ada jawaban. " not in text


def test_a_reporter_without_a_name_is_greeted_politely() -> None:
    letter = LETTERS.write(a_claimed(a_delivery(kind=NoticeKind.RESUMED)), name=None, page="https://lapor.example/x")
    assert letter.text.startswith("Yth. Bapak/Ibu Pelapor,")


def test_a_profile_that_this_release_does_not_know_is_read_as_the_default_one() -> None:
    letter = LETTERS.write(a_claimed(a_delivery(kind=NoticeKind.RESUMED), profile="permenpan-5-2025"), name=None, page="x")
    assert "5 hari kerja" in letter.text


def test_variables_that_a_template_misses_are_an_error_that_names_the_template() -> None:
    with pytest.raises(UnrenderableLetter, match=r"receipt\.id\.txt\.j2"):
        LETTERS.write(a_claimed(a_delivery(kind=NoticeKind.RECEIPT)), name=None, page="x")
